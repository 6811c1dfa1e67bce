using LoadHarness.Agent.Engine;

namespace LoadHarness.Agent.Tests.Engine;

public sealed class ConnectionTableTests
{
    private ConnectionTable _table = null!;

    [SetUp]
    public void SetUp() => _table = new ConnectionTable(100);

    [TearDown]
    public void TearDown() => _table.Dispose();

    [Test]
    public void Resolve_OpenSlot_GivesIt()
    {
        var data = _table.Open(7, ConnectionState.Connecting);

        Assert.That(_table.Resolve(data), Is.EqualTo(7));
    }

    [Test]
    public void Resolve_EventOfAnEarlierUse_GivesNothing()
    {
        var earlier = _table.Open(7, ConnectionState.Connecting);
        _table.Release(7);
        var released = _table.Resolve(earlier);
        var later = _table.Open(7, ConnectionState.Connecting);

        Assert.Multiple(() =>
        {
            Assert.That(released, Is.EqualTo(-1));
            Assert.That(_table.Resolve(earlier), Is.EqualTo(-1));
            Assert.That(_table.Resolve(later), Is.EqualTo(7));
        });
    }

    [TestCase(ulong.MaxValue)]
    [TestCase(100ul)]
    [TestCase(0xFFFFFFFFul)]
    [TestCase(0x8000_0000ul)]
    [TestCase(3ul)]
    public void Resolve_NoSlotInUse_GivesNothing(ulong data) => Assert.That(_table.Resolve(data), Is.EqualTo(-1));

    [Test]
    public void Open_AfterAnotherUse_ForgetsMarksAndLinks()
    {
        _table.Open(3, ConnectionState.Established);
        _table.Marks(3) = ConnectionMarks.Greeted | ConnectionMarks.Reopened;
        _table.Links.Previous(3) = 5;
        _table.Release(3);

        _table.Open(3, ConnectionState.Connecting);

        Assert.Multiple(() =>
        {
            Assert.That(_table.Marks(3), Is.EqualTo(ConnectionMarks.None));
            Assert.That(_table.Links.Previous(3), Is.EqualTo(SlotLists.Unlinked));
            Assert.That(_table.State(3), Is.EqualTo(ConnectionState.Connecting));
        });
    }

    [Test]
    public void Dispose_Twice_IsHarmless()
    {
        _table.Dispose();

        Assert.That(_table.Dispose, Throws.Nothing);
    }
}
