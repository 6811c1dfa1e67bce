using System.Net;
using System.Net.Sockets;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>Ends of runs: asked for, by lease, by time, by this host; and how they look to the other side.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerDrainTests
{
    private const long Second = 1_000_000_000;
    private RunnerFixture _run = null!;
    private WatchfulTarget? _target;

    [SetUp]
    public void SetUp() => _run = new RunnerFixture();

    [TearDown]
    public void TearDown()
    {
        _run.Dispose();
        _target?.Dispose();
        _target = null;
    }

    [Test]
    public void Drain_TargetThatCloses_SendsAFinToEveryConnectionAndLeavesNoSocket()
    {
        var target = Target();
        var hold = _run.Reach(Hold(target, 300));

        var status = _run.Drain(hold);

        Assert.Multiple(() =>
        {
            Assert.That(() => target.Count(ConnectionEnd.Fin), Is.EqualTo(300).After(60_000, 10));
            Assert.That(target.Count(ConnectionEnd.Reset), Is.Zero);
            Assert.That(_run.Sum(c => c.Closed), Is.EqualTo(300));
            Assert.That(_run.Failures, Is.Empty);
            Assert.That(status.Held, Is.Zero);
            Assert.That(OwnSockets(target), Is.Empty);
        });
    }

    [Test]
    public void Drain_TargetThatNeverCloses_SendsAFinAndResetsAtItsDeadline()
    {
        var target = Target(closes: false);
        var hold = _run.Reach(Hold(target, 60));

        var began = Clock.BoottimeNanos;
        _run.Drain(hold, TimeSpan.FromSeconds(2));

        Assert.Multiple(() =>
        {
            Assert.That(Clock.BoottimeNanos - began, Is.GreaterThanOrEqualTo(2 * Second), "the peers had until the deadline");
            Assert.That(() => target.Count(ConnectionEnd.FinThenReset), Is.EqualTo(60).After(60_000, 10));
            Assert.That(_run.Failures[(FailureStage.Close, FailureParty.Network, FailureCause.Timeout)], Is.EqualTo(60));
            Assert.That(OwnSockets(target), Is.Empty);
        });
    }

    [Test]
    public void Drain_NoTime_ResetsAtOnce()
    {
        var target = Target(closes: false);
        var hold = _run.Reach(Hold(target, 60));

        _run.Drain(hold, TimeSpan.Zero);

        Assert.Multiple(() =>
        {
            Assert.That(() => target.Count(ConnectionEnd.Reset), Is.EqualTo(60).After(60_000, 10));
            Assert.That(_run.Now.Established, Is.Zero);
            Assert.That(OwnSockets(target), Is.Empty);
        });
    }

    [Test]
    public void Drain_AskedForAgainWithLessTime_IsHastened()
    {
        var target = Target(closes: false);
        var hold = _run.Reach(Hold(target, 60));
        _run.Apply(_run.Next(hold, h => h with { Phase = Phase.Drained, DrainTimeout = TimeSpan.FromHours(1) }));
        _run.WaitFor(() => target.Count(ConnectionEnd.Fin) == 60, "60 FINs");

        _run.Drain(hold, TimeSpan.Zero);

        Assert.That(() => target.Count(ConnectionEnd.FinThenReset), Is.EqualTo(60).After(60_000, 10));
    }

    [Test]
    public void Drain_WhileStillConnecting_GivesUpWhatIsOnItsWay()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Ignore);
        var hold = _run.Hold(IPAddress.Loopback, target.EndPoint.Port, 200, 5000);
        _run.Apply(hold);
        _run.WaitFor(() => _run.Now.Connecting > 100, "more than 100 connecting");

        _run.Drain(hold, TimeSpan.FromSeconds(1));

        Assert.Multiple(() =>
        {
            Assert.That(_run.Now.Connecting, Is.Zero);
            Assert.That(_run.Now.FreeTuples + _run.Now.RestingTuples, Is.EqualTo(256));
        });
    }

    [Test]
    public void Lease_Ends_DrainsByItself()
    {
        var target = Target();
        _run.Reach(Hold(target, 100));

        _run.Lease.Renew(Clock.BoottimeNanos, TimeSpan.FromMilliseconds(300), Clock.BoottimeNanos);
        _run.WaitFor(() => _run.Status!.Phase == Phase.Drained, "DRAINED");
        Assert.Multiple(() =>
        {
            Assert.That(() => target.Count(ConnectionEnd.Fin), Is.EqualTo(100).After(60_000, 10));
            Assert.That(_run.Status!.Refused, Is.Null);
        });
    }

    [Test]
    public void Lease_RenewedAfterItsEndBeforeAnybodyLooked_DrainsAllTheSame()
    {
        var target = Target();
        _run.Reach(Hold(target, 100));

        // As after a stop that was longer than the lease: the link may be the first to run.
        var now = Clock.BoottimeNanos;
        _run.Lease.Renew(now, TimeSpan.FromMilliseconds(300), now);
        _run.Lease.Renew(now + 300_000_000, TimeSpan.FromSeconds(30), now + 300_000_000);

        _run.WaitFor(() => _run.Status!.Phase == Phase.Drained, "DRAINED");
        Assert.That(() => target.Count(ConnectionEnd.Fin), Is.EqualTo(100).After(60_000, 10));
    }

    [Test]
    public void MaxDuration_IsOver_DrainsByItself()
    {
        var target = Target();
        _run.Apply(Hold(target, 100) with { MaxDuration = TimeSpan.FromSeconds(6) });

        _run.WaitFor(() => _run.Status?.Phase == Phase.Drained, "DRAINED");

        Assert.Multiple(() =>
        {
            Assert.That(_run.Last!.ToMillis, Is.GreaterThanOrEqualTo(6000));
            Assert.That(() => target.Count(ConnectionEnd.Fin), Is.EqualTo(100).After(60_000, 10));
        });
    }

    [Test]
    public void DrainLocally_SeveralThreads_AllReturnOnceEverySocketIsClosed()
    {
        var target = Target();
        _run.Reach(Hold(target, 200));

        var left = new List<string>[4];
        Parallel.For(0, 4, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
        {
            _run.Runner.Drain($"reason {i}");
            left[i] = OwnSockets(target);
        });

        Assert.Multiple(() =>
        {
            Assert.That(left, Has.All.Empty);
            Assert.That(_run.Status!.Phase, Is.EqualTo(Phase.Drained));
        });
    }

    [Test]
    public void DrainLocally_NothingIsHeld_ReturnsAtOnce() => Assert.That(() => _run.Runner.Drain("nothing"), Throws.Nothing);

    [Test]
    public void DrainLocally_WhileAnAssignmentIsBeingTaken_EndsIt()
    {
        var target = Target();
        for (var i = 0; i < 20; i++)
        {
            _run.Apply(Hold(target, 50) with { RunId = $"run {i}" });
            _run.Runner.Drain("at once");
        }

        // The last one may have been taken only after its drain had found nothing.
        _run.Runner.Drain("the last");
        Assert.Multiple(() =>
        {
            Assert.That(_run.Status!.Phase, Is.EqualTo(Phase.Drained));
            Assert.That(OwnSockets(target), Is.Empty);
        });
    }

    [Test]
    public void Dispose_WhileDraining_ClosesEverythingAtOnceAndLetsWaitersGo()
    {
        var target = Target(closes: false);
        _run.Reach(Hold(target, 100) with { DrainTimeout = TimeSpan.FromHours(1) });
        var waiter = new Thread(() => _run.Runner.Drain("for an hour"));
        waiter.Start();
        _run.WaitFor(() => target.Count(ConnectionEnd.Fin) == 100, "100 FINs");

        _run.Runner.Dispose();

        Assert.Multiple(() =>
        {
            Assert.That(waiter.Join(TimeSpan.FromSeconds(60)), Is.True);
            Assert.That(OwnSockets(target), Is.Empty);
            Assert.That(() => target.Count(ConnectionEnd.FinThenReset), Is.EqualTo(100).After(60_000, 10));
        });
    }

    [Test]
    public void Apply_NewerRevisionWhileDraining_OpensNothingAndIsTheOneThatIsDrained()
    {
        var target = Target(closes: false);
        var hold = _run.Reach(Hold(target, 60));
        _run.Apply(_run.Next(hold, h => h with { Phase = Phase.Drained, DrainTimeout = TimeSpan.FromHours(1) }));
        _run.WaitFor(() => _run.Now.Closing > 0, "closing");
        var again = _run.Next(hold, h => h with { Share = 200, Schedule = RunnerFixture.Ramp(TimeSpan.Zero, 60, 200, 1000), DrainTimeout = TimeSpan.Zero });

        _run.Apply(again);
        _run.WaitFor(() => _run.Status?.Revision == again.Revision, "the newest revision");
        _run.Runner.Drain("at once");
        _run.WaitFor(() => _run.Status is { Phase: Phase.Drained } s && s.Revision == again.Revision, "DRAINED under the newest revision");

        Assert.Multiple(() =>
        {
            Assert.That(_run.Sum(c => c.Opened), Is.EqualTo(60));
            Assert.That(target.Accepted, Is.EqualTo(60));
        });
    }

    [Test]
    public void Apply_AfterDrained_StartsAnewFromTheTimeAtWhichItCame()
    {
        var target = Target();
        var hold = _run.Reach(Hold(target, 60));
        _run.Runner.Drain("lost");
        var drained = _run.Last!.ToMillis;
        Thread.Sleep(1500);
        _run.Samples.Clear();

        _run.Reach(_run.Next(hold, h => h));

        Assert.That(_run.Samples.First().FromMillis, Is.GreaterThan(drained), "nothing is said about the time in between");
    }

    private WatchfulTarget Target(bool closes = true) => _target = WatchfulTarget.Start(LoopbackAddress.Next(), closes: closes);

    private LoadHarness.Agent.Assignments.Assignment Hold(WatchfulTarget target, int connections) =>
        _run.Hold(target.EndPoint.Address, target.EndPoint.Port, connections, 2000, portBlocks: 4);

    private static List<string> OwnSockets(WatchfulTarget target) =>
        [.. new SocketStatistics(null).Lines("connected", $"dst {target.EndPoint.Address} and dport = :{target.EndPoint.Port}").Where(l => !l.StartsWith("TIME-WAIT", StringComparison.Ordinal))];
}
