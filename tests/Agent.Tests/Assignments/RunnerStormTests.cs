using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using Assignment = LoadHarness.Agent.Assignments.Assignment;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>Reconnect storms as assignments tell of them.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerStormTests
{
    private RunnerFixture _run = null!;
    private WatchfulTarget _target = null!;

    [SetUp]
    public void SetUp() => (_run, _target) = (new RunnerFixture(), WatchfulTarget.Start(LoopbackAddress.Next()));

    [TearDown]
    public void TearDown()
    {
        _run.Dispose();
        _target.Dispose();
    }

    [Test]
    public void Storm_InANewerRevision_IsDoneOnceByItsNumber()
    {
        var hold = Hold();

        var first = Order(hold, 1, 0.1);
        _run.WaitFor(() => _run.Sum(c => c.StormOpened) == 30, "30 opened again");
        Order(hold, 1, 0.5);
        _run.Apply(_run.Next(first, a => a));
        Order(hold, 2, 0.2);
        _run.WaitFor(() => _run.Sum(c => c.StormOpened) == 90, "60 more");

        Assert.Multiple(() =>
        {
            Assert.That(_run.Sum(c => c.StormClosed), Is.EqualTo(90));
            Assert.That(_run.Now.Established, Is.EqualTo(300));
            Assert.That(_run.Now.Goal, Is.EqualTo(300));
            Assert.That(_run.Failures, Is.Empty);
            Assert.That(_run.Status!.Findings, Is.Empty);
            Assert.That(() => _target.Count(ConnectionEnd.Fin), Is.EqualTo(90).After(60_000, 20));
        });
    }

    [Test]
    public void Storm_HeardOfWhenItIsLongOver_IsPassedOverInWords()
    {
        var hold = Hold();

        // Before the run began: whatever time it is, more than 5 s have gone by.
        Order(hold, 3, 1, at: TimeSpan.FromSeconds(-10));
        _run.WaitFor(() => _run.Status!.Findings.Any(f => f.Subject == "storm 3"), "the finding");
        _run.WaitFor(() => _run.Samples.Count(s => s.Counts.Established == 300) > 3, "some seconds more");

        Assert.Multiple(() =>
        {
            Assert.That(_run.Status!.Findings.Single().Message, Does.Contain("reconnect storm 3").And.Contain("passed over"));
            Assert.That(_run.Sum(c => c.StormClosed), Is.Zero);
            Assert.That(_target.Ends, Is.Empty);
        });
    }

    [Test]
    public void PeerCloses_TheirAges_TravelInTheSharedLayout()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, after: TimeSpan.FromSeconds(3), address: LoopbackAddress.Next());
        _run.Apply(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 20, 1000));
        _run.WaitFor(() => _run.Sum(c => c.ClosedByPeer) >= 20, "20 closed by the target");

        var samples = _run.Samples.ToList();
        var ages = samples.SelectMany(s => s.Histograms).Where(h => h.Kind == HistogramKind.PeerCloseAge)
            .Select(h => HistogramLayout.Decode(h.Encoded)).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(ages.Sum(a => a.TotalCount), Is.EqualTo(samples.Sum(s => s.Counts.ClosedByPeer)));
            // The target counts from its accept(), and the agent from when it saw the connection: later when this machine stands still.
            Assert.That(ages.Min(a => a.GetValueAtPercentile(0)), Is.InRange(100_000, 300_000_000), "microseconds");
        });
    }

    private Assignment Hold() => _run.Reach(_run.Hold(_target.EndPoint.Address, _target.EndPoint.Port, 300, 3000, portBlocks: 4));

    private static TimeSpan Elapsed(Assignment hold) => TimeSpan.FromTicks((Clock.BoottimeNanos - hold.StartNanos!.Value) / 100);

    private Assignment Order(Assignment hold, ulong number, double fraction, TimeSpan? at = null)
    {
        var order = _run.Next(hold, a => a with { Storm = new(number, at ?? Elapsed(hold), fraction, TimeSpan.FromMilliseconds(100), false) });
        _run.Apply(order);
        return order;
    }
}
