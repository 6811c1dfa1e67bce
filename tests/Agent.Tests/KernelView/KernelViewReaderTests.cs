using System.Net;
using LoadHarness.Agent.KernelView;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.KernelView;

public class KernelViewReaderTests
{
    [Test]
    public void Newest_SoonAfterTheStart_HasTheFirstReading()
    {
        using var pairs = new SocketPairs();
        var target = pairs.Listen("127.78.1.1");
        pairs.Connect(target, "127.78.1.2");
        using var reader = new KernelViewReader(Scope(target));

        Assert.That(() => reader.Newest, Is.Not.Null.After(60_000, 10));

        Assert.That(reader.Newest!.Error, Is.Empty);
        Assert.That(reader.Newest.States, Is.EqualTo(StateCounts.Of([(TcpState.Established, 1L)])));
        Assert.That(reader.Newest.Interval, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(reader.Newest.Sockstat, Is.Not.Null);
        Assert.That(reader.Newest.Counters, Is.Not.Null);
    }

    [Test]
    public void ReadNow_AfterAChange_SeesItAndBecomesTheNewest()
    {
        using var pairs = new SocketPairs();
        var target = pairs.Listen("127.78.2.1");
        using var reader = new KernelViewReader(Scope(target));
        Assert.That(() => reader.Newest, Is.Not.Null.After(60_000, 10));
        for (var i = 0; i < 3; i++)
            pairs.Connect(target, "127.78.2.2");

        var reading = reader.ReadNow();

        Assert.That(reading.States[TcpState.Established], Is.EqualTo(3));
        Assert.That(reading.BySource[new(IpAddress.From(IPAddress.Parse("127.78.2.2")))][TcpState.Established], Is.EqualTo(3));
        Assert.That(reader.Newest!.TakenAtNanos, Is.GreaterThanOrEqualTo(reading.TakenAtNanos));
    }

    [Test]
    public void Dispose_WhileWaiting_EndsTheThread()
    {
        using var pairs = new SocketPairs();
        var reader = new KernelViewReader(Scope(pairs.Listen("127.78.3.1")));
        Assert.That(() => reader.Newest, Is.Not.Null.After(60_000, 10));

        reader.Dispose();

        var last = reader.Newest;
        Assert.That(() => reader.Newest, Is.SameAs(last).After(1_300));
    }

    [Test]
    public void ReadSoon_LongInterval_ReadsAtOnce()
    {
        using var pairs = new SocketPairs();
        var target = pairs.Listen("127.78.7.1");
        using var reader = new KernelViewReader(Scope(target) with { CoreShare = 1e-300 });
        Assert.That(() => reader.Newest, Is.Not.Null.After(60_000, 10));
        pairs.Connect(target, "127.78.7.2");

        reader.ReadSoon();

        Assert.That(() => reader.Newest!.States[TcpState.Established], Is.EqualTo(1).After(60_000, 10));
    }

    [Test]
    public void Follow_AnEqualScope_TakesNoNewReading()
    {
        using var pairs = new SocketPairs();
        var target = pairs.Listen("127.78.4.1");
        using var reader = new KernelViewReader(Scope(target) with { CoreShare = 1e-300 });
        Assert.That(() => reader.Newest, Is.Not.Null.After(60_000, 10));
        var first = reader.Newest;

        reader.Follow(Scope(target) with { CoreShare = 1e-300 });

        Assert.That(() => reader.Newest, Is.SameAs(first).After(200));
    }

    [Test]
    public void Follow_AnotherScope_IsCountedFromTheNextReadingOn()
    {
        using var pairs = new SocketPairs();
        var (one, two) = (pairs.Listen("127.78.5.1"), pairs.Listen("127.78.6.1"));
        pairs.Connect(one, "127.78.5.2");
        pairs.Connect(two, "127.78.6.2");
        pairs.Connect(two, "127.78.6.3");
        using var reader = new KernelViewReader(Scope(one));
        Assert.That(reader.ReadNow().States.Total, Is.EqualTo(1));

        reader.Follow(Scope(two));

        Assert.That(reader.ReadNow().States.Total, Is.EqualTo(2));
    }

    [Test]
    public void ReadNamespace_Always_IsMarkedAndHasNoStates()
    {
        using var pairs = new SocketPairs();
        var target = pairs.Listen("127.78.7.1");
        pairs.Connect(target, "127.78.7.2");
        using var reader = new KernelViewReader(Scope(target));

        var reading = reader.ReadNamespace();

        Assert.That((reading.NamespaceOnly, reading.States.Total), Is.EqualTo((true, 0L)));
        Assert.That(reading.Sockstat!.InUse, Is.GreaterThanOrEqualTo(2));
        Assert.That(reading.Counters, Is.Not.Null);
    }

    [TestCase(1, 0.1, 1_000)]
    [TestCase(500, 0.1, 5_000)]
    [TestCase(500, 1, 1_000)]
    [TestCase(2_000, 0.5, 4_000)]
    [TestCase(1, 1e-300, 3_600_000)]
    public void IntervalFor_CpuTime_KeepsTheShare(int usedMillis, double share, int wantedMillis) =>
        Assert.That(KernelViewReader.IntervalFor(TimeSpan.FromMilliseconds(usedMillis), share),
            Is.EqualTo(TimeSpan.FromMilliseconds(wantedMillis)));

    private static KernelViewScope Scope(IPEndPoint target)
    {
        var destination = IpAddress.From(target.Address);
        return new([new(new(destination, 1), new(target.Port, target.Port), "")], [new(new(destination.Plus(1), 4), 0, 256)], 0.1);
    }
}
