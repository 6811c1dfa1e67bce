using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Safety;
using LoadHarness.Agent.Transports;
using LoadHarness.Agent.Workloads;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Engine;

/// <summary>Connections whose life is limited, over real sockets.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class ConnectChurnTests
{
    private const int Tuples = 256;

    [Test]
    public void Churn_ByFinWithImmediateReuse_UsesEveryTupleManyTimesAndPeersSeeNoReset()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        using var reactor = Start(target, 50, TimeSpan.FromMilliseconds(20), byReset: false);

        reactor.WaitFor(c => c.Closed > 20 * Tuples, "20 generations");
        var counters = End(reactor);

        Assert.Multiple(() =>
        {
            Assert.That(reactor.Failures.Count, Is.Zero);
            Assert.That(counters.ClosedByPeer, Is.Zero);
            Assert.That(counters.Reopened, Is.Zero, "the peer closed none");
            Assert.That(counters.Aborted, Is.Zero);
            Assert.That(counters.SkippedTuples, Is.Zero, "TIME-WAIT stops no connect with an explicit port");
            Assert.That(counters.Closed, Is.EqualTo(counters.Opened));
            Assert.That(() => target.Count(ConnectionEnd.Fin), Is.GreaterThanOrEqualTo(counters.Opened).After(60_000, 20));
            Assert.That(target.Count(ConnectionEnd.Reset), Is.Zero);
        });
    }

    [Test]
    public void Churn_ByReset_IsFreeAtOnceWhateverTheRestIs()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        using var reactor = Start(target, 50, TimeSpan.FromMilliseconds(20), byReset: true, rest: TimeSpan.FromMinutes(1));

        var counters = reactor.WaitFor(c => c.Closed > 8 * Tuples, "8 generations");

        Assert.Multiple(() =>
        {
            Assert.That(counters.Aborted, Is.EqualTo(counters.Closed));
            Assert.That(counters.RestingTuples, Is.Zero);
            Assert.That(target.Count(ConnectionEnd.Fin), Is.Zero);
            Assert.That(reactor.Failures.Count, Is.Zero);
        });
    }

    [Test]
    public void Churn_ByFinWithRest_StopsAtTheTuplesThatItHasWithoutAFailure()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        using var reactor = Start(target, 50, TimeSpan.FromMilliseconds(20), byReset: false, rest: TimeSpan.FromMinutes(1));

        var counters = reactor.WaitFor(c => c.RestingTuples == Tuples, "every tuple rests");

        Assert.Multiple(() =>
        {
            Assert.That(counters.Opened, Is.EqualTo(Tuples));
            Assert.That(counters.NotOffered, Is.Positive);
            Assert.That(counters.Late, Is.Zero, "this host was not too slow");
            Assert.That(reactor.Failures.Count, Is.Zero);
        });
    }

    [Test]
    public void Churn_LongLife_ClosesNobodyEarly()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var life = TimeSpan.FromSeconds(1);
        var began = Clock.BoottimeNanos;
        using var reactor = Start(target, 100, life, byReset: false);

        reactor.WaitFor(c => c.Closed > 0, "the first end");

        Assert.That(Clock.BoottimeNanos - began, Is.GreaterThanOrEqualTo((life.Ticks * 100) - 50_000_000));
    }

    [Test]
    public void Churn_PeerClosesBeforeTheLifeEnds_CountsThoseAsReopened()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, after: TimeSpan.FromMilliseconds(10), address: LoopbackAddress.Next());
        using var reactor = Start((IpAddress.From(target.EndPoint.Address), target.EndPoint.Port), 20, TimeSpan.FromMinutes(1), byReset: false);

        var counters = reactor.WaitFor(c => c.ClosedByPeer > 200, "200 closed by the peer");

        Assert.Multiple(() =>
        {
            Assert.That(counters.Closed, Is.Zero);
            Assert.That(counters.Reopened, Is.InRange(counters.ClosedByPeer - 20, counters.ClosedByPeer));
        });
    }

    [Test]
    public void Churn_ThousandsOfEnds_AllocateNothing()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        using var reactor = Start(target, 50, TimeSpan.FromMilliseconds(20), byReset: false);
        reactor.WaitFor(c => c.Closed > 1000, "the first thousand");
        var before = reactor.AllocatedBytes();

        reactor.WaitFor(c => c.Closed > 4000, "three thousand more");

        Assert.That(reactor.AllocatedBytes() - before, Is.Zero);
    }

    private static ReactorFixture Start(WatchfulTarget target, int connections, TimeSpan life, bool byReset, TimeSpan rest = default) =>
        Start((IpAddress.From(target.EndPoint.Address), target.EndPoint.Port), connections, life, byReset, rest);

    private static ReactorFixture Start((IpAddress, int) target, int connections, TimeSpan life, bool byReset, TimeSpan rest = default) =>
        ReactorFixture.Connecting(new PlainTransport(), target, AllowList.Loopback, IpAddress.From(LoopbackAddress.Next()), connections, 1, rest,
            new WorkloadPlan.Churn(new Lifetime(LifetimeSpread.Fixed, life, life), byReset ? CloseMethod.Rst : CloseMethod.Fin));

    private static ReactorCounters End(ReactorFixture reactor)
    {
        reactor.Reactor.Post(new ConnectCommand.Drain(TimeSpan.FromSeconds(20)));
        return reactor.WaitFor(c => c is { Connecting: 0, Established: 0, Closing: 0 }, "the end of the drain");
    }
}
