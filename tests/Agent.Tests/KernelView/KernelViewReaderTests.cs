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

        Assert.That(() => reader.Newest, Is.Not.Null.After(10_000, 10));

        Assert.That(reader.Newest!.Error, Is.Empty);
        Assert.That(reader.Newest.States, Is.EquivalentTo(new Dictionary<TcpState, long> { [TcpState.Established] = 1 }));
        Assert.That(reader.Newest.Interval, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(1)));
        Assert.That(reader.Newest.Sockstat, Is.Not.Null);
    }

    [Test]
    public void ReadNow_AfterAChange_SeesItAndBecomesTheNewest()
    {
        using var pairs = new SocketPairs();
        var target = pairs.Listen("127.78.2.1");
        using var reader = new KernelViewReader(Scope(target));
        Assert.That(() => reader.Newest, Is.Not.Null.After(10_000, 10));
        for (var i = 0; i < 3; i++)
            pairs.Connect(target, "127.78.2.2");

        var reading = reader.ReadNow();

        Assert.That(reading.States[TcpState.Established], Is.EqualTo(3));
        Assert.That(reading.EstablishedBySource[IpAddress.From(IPAddress.Parse("127.78.2.2"))], Is.EqualTo(3));
        Assert.That(reader.Newest!.TakenAtNanos, Is.GreaterThanOrEqualTo(reading.TakenAtNanos));
    }

    [Test]
    public void Dispose_WhileWaiting_EndsTheThread()
    {
        using var pairs = new SocketPairs();
        var reader = new KernelViewReader(Scope(pairs.Listen("127.78.3.1")));
        Assert.That(() => reader.Newest, Is.Not.Null.After(10_000, 10));

        reader.Dispose();

        var last = reader.Newest;
        Assert.That(() => reader.Newest, Is.SameAs(last).After(1_300));
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
