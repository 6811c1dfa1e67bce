using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Safety;
using LoadHarness.Agent.Transports;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;

namespace LoadHarness.Agent.Tests.Engine;

/// <summary>Reconnect storms, over real sockets.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class ConnectStormTests
{
    private const int Tuples = 256;
    private static readonly TimeSpan _minute = TimeSpan.FromMinutes(1);

    [Test]
    public void Storm_ByFin_ClosesItsPartAndOpensItAgainAtItsOwnRate()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        using var reactor = Hold(target, 200, blocks: 2, _minute);
        // So slow that nothing of it can be the run's own pace.
        reactor.Reactor.Post(new ConnectCommand.Pursue(reactor.Goal with { Schedule = new([new(TimeSpan.Zero, 200)], 0.001) }, [], []));

        Storm(reactor, 0.1, TimeSpan.FromMilliseconds(200));
        var counters = reactor.WaitFor(c => c is { StormOpened: 20, StormClosed: 20 }, "20 closed and opened");

        Assert.Multiple(() =>
        {
            Assert.That(counters.Established, Is.EqualTo(200));
            Assert.That(counters.Opened, Is.EqualTo(220));
            Assert.That(counters.Closed, Is.EqualTo(20));
            Assert.That(counters.Aborted, Is.Zero);
            Assert.That(counters.Reopened, Is.Zero, "the peer closed none");
            Assert.That(counters.RestingTuples, Is.EqualTo(20));
            Assert.That(reactor.Failures.Count, Is.Zero);
            Assert.That(() => target.Count(ConnectionEnd.Fin), Is.EqualTo(20).After(60_000, 20));
            Assert.That(target.Ends, Has.Count.EqualTo(20));
        });
    }

    [Test]
    public void Storm_ByReset_NeedsNoTupleThatIsFree()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        using var reactor = Hold(target, Tuples, blocks: 1, _minute);

        Storm(reactor, 0.5, TimeSpan.FromMilliseconds(100), byReset: true);
        var counters = reactor.WaitFor(c => c is { StormOpened: Tuples / 2, Established: Tuples }, "a half opened again");

        Assert.Multiple(() =>
        {
            Assert.That(counters.StormClosed, Is.EqualTo(Tuples / 2));
            Assert.That(counters.Aborted, Is.EqualTo(Tuples / 2));
            Assert.That(counters.RestingTuples, Is.Zero);
            Assert.That(reactor.Failures.Count, Is.Zero);
        });
    }

    [Test]
    public void Storm_ByFinWithImmediateReuse_WaitsForThePeersFinAndNeedsNoOtherTuple()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        using var reactor = Hold(target, Tuples, blocks: 1, TimeSpan.Zero);

        Storm(reactor, 1, TimeSpan.Zero);
        var counters = reactor.WaitFor(c => c is { StormOpened: Tuples, Established: Tuples }, "all opened again");

        Assert.Multiple(() =>
        {
            Assert.That(counters.StormClosed, Is.EqualTo(Tuples));
            Assert.That(reactor.Failures.Count, Is.Zero);
            Assert.That(() => target.Count(ConnectionEnd.Fin), Is.EqualTo(Tuples).After(60_000, 20));
            Assert.That(target.Count(ConnectionEnd.Reset), Is.Zero, "no tuple was connected over before the peer's FIN");
        });
    }

    [Test]
    public void Storm_MoreThanTuplesAreLeft_OpensWhatItCanWithoutAFailure()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        using var reactor = Hold(target, Tuples - 10, blocks: 1, _minute);

        Storm(reactor, 0.5, TimeSpan.Zero);
        var counters = reactor.WaitFor(c => c is { StormOpened: 10, StormClosed: (Tuples - 10) / 2 }, "the tuples that were left");

        Assert.Multiple(() =>
        {
            Assert.That(counters.RestingTuples, Is.EqualTo((Tuples - 10) / 2));
            Assert.That(counters.Established, Is.EqualTo(Tuples - ((Tuples - 10) / 2)));
            Assert.That(reactor.Failures.Count, Is.Zero);
        });
    }

    [Test]
    public void Storm_OldAndNewConnections_AreHitAlike()
    {
        const int held = 1000;
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        using var reactor = Hold(target, held, blocks: 8, _minute);

        Storm(reactor, 0.5, TimeSpan.FromMilliseconds(100));
        reactor.WaitFor(c => c is { StormClosed: held / 2, StormOpened: held / 2 }, "a half");
        Assert.That(() => target.Ends, Has.Count.EqualTo(held / 2).After(60_000, 20));

        // 125 of each 250 are expected, with a standard deviation of 7.
        var quarters = target.Ends.Keys.GroupBy(n => n / (held / 4)).ToDictionary(g => g.Key, g => g.Count());
        Assert.Multiple(() =>
        {
            Assert.That(quarters.Keys, Is.EquivalentTo(new[] { 0, 1, 2, 3 }), "a storm does not hit its own");
            Assert.That(quarters.Values, Has.All.InRange(60, 190));
            // A fixed step would hit every second one.
            Assert.That(target.Ends.Keys.Count(n => n % 2 == 0), Is.InRange(150, 350));
        });
    }

    [Test]
    public void Storm_SeveralReactors_CarriesComeToTheWhole([Values(1, 3, 6, 7)] int reactors)
    {
        const long held = 50_000;
        var sum = 0L;
        for (var i = 0; i < reactors; i++)
        {
            var storm = new ConnectCommand.Storm(0.1, 0, 0, false, ConnectCommand.Storm.CarryOf(i, reactors));
            sum += storm.PartOf(((i + 1) * held / reactors) - (i * held / reactors));
        }

        Assert.That(sum, Is.EqualTo(5_000));
    }

    [Test]
    public void Storm_RunIsToldToDrain_EndsWithIt()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        using var reactor = Hold(target, 200, blocks: 2, _minute);

        Storm(reactor, 1, TimeSpan.FromMinutes(5));
        reactor.WaitFor(c => c.StormClosed > 0, "the first close");
        reactor.Reactor.Post(new ConnectCommand.Drain(TimeSpan.FromSeconds(20)));
        var counters = reactor.WaitFor(c => c is { Connecting: 0, Established: 0, Closing: 0 }, "the end of the drain");

        Assert.Multiple(() =>
        {
            Assert.That(counters.Closed, Is.EqualTo(counters.Opened));
            Assert.That(counters.StormClosed, Is.LessThan(200), "what the drain closes is not the storm's");
        });
    }

    [Test]
    public void Storm_ManyTimes_AllocatesNothing()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        using var reactor = Hold(target, 200, blocks: 1, TimeSpan.Zero);
        Storm(reactor, 1, TimeSpan.Zero);
        reactor.WaitFor(c => c is { StormOpened: 200, Established: 200 }, "the first storm");
        var before = reactor.AllocatedBytes();

        for (var i = 2; i < 6; i++)
        {
            Storm(reactor, 1, TimeSpan.FromMilliseconds(20));
            reactor.WaitFor(c => c.StormOpened >= i * 190 && c.Established == 200, $"storm {i}");
        }

        Assert.That(reactor.AllocatedBytes() - before, Is.Zero);
    }

    // Two sets of latencies take turns: one connect is in one of them, and the next is in either.
    [Test]
    public void Storm_InEitherTurnOfTheLatencies_TakesNoMoreMemoryForThem([Values(0, 1)] int turns)
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        using var reactor = Hold(target, 1, blocks: 1, TimeSpan.Zero);
        for (var i = 0; i < turns; i++)
            reactor.Ask();
        var before = reactor.AllocatedBytes();

        Storm(reactor, 1, TimeSpan.Zero);
        reactor.WaitFor(c => c is { StormOpened: 1, Established: 1 }, "the storm");

        // The runtime takes some bytes when code runs for the first time.
        Assert.That(reactor.AllocatedBytes() - before, Is.LessThan(HistogramLayout.Buckets * sizeof(int)));
    }

    [Test]
    public void PeerCloses_AfterAWhile_AgesAreWhatTheTargetWaited()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, after: TimeSpan.FromSeconds(3), address: LoopbackAddress.Next());
        using var reactor = ReactorFixture.Connecting(
            new PlainTransport(), target.EndPoint.Address, target.EndPoint.Port, 20, 4, _minute);

        var counters = reactor.WaitFor(c => c.ClosedByPeer >= 40, "40 closed by the peer");

        Assert.Multiple(() =>
        {
            Assert.That(reactor.PeerCloseAges, Has.Count.EqualTo(counters.ClosedByPeer));
            // The target counts from its accept(), and the reactor from when it saw the connection: later when this machine stands still.
            Assert.That(reactor.PeerCloseAges, Has.All.GreaterThan(500));
        });
    }

    private static ReactorFixture Hold(WatchfulTarget target, int connections, int blocks, TimeSpan rest)
    {
        var reactor = ReactorFixture.Connecting(
            new PlainTransport(), (IpAddress.From(target.EndPoint.Address), target.EndPoint.Port), AllowList.Loopback,
            IpAddress.From(LoopbackAddress.Next()), connections, blocks, rest);
        reactor.WaitFor(c => c.Established == connections, "the goal");
        Assert.That(() => target.Accepted, Is.EqualTo(connections).After(60_000, 20));
        return reactor;
    }

    private static void Storm(ReactorFixture reactor, double fraction, TimeSpan within, bool byReset = false) =>
        reactor.Reactor.Post(new ConnectCommand.Storm(fraction, Clock.BoottimeNanos, within.Ticks * 100, byReset, 0.5));
}
