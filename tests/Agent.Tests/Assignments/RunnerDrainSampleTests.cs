using LoadHarness.Agent.Interop.Libc;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>What samples say of a drain: a second that nobody missed has its gauges.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerDrainSampleTests
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
    public void Drain_OverTheTurnOfASecond_LeavesNoSecondWithoutASample()
    {
        var hold = _run.Reach(Hold(Target(), 50));
        var start = _run.Status!.StartNanos!.Value;
        // The drain is looked after every 50 ms: this one is found to be over when the next second has begun.
        while ((Clock.BoottimeNanos - start) % Second < 975 * (Second / 1000))
            Thread.Sleep(1);

        _run.Drain(hold);

        AssertLastIsWithinASecond();
    }

    [Test]
    public void Drain_BegunBeforeTheSampleOfTheSecondBefore_LeavesNoSecondWithoutASample()
    {
        var hold = _run.Reach(Hold(Target(), 50));
        var start = _run.Status!.StartNanos!.Value;
        var drained = _run.Next(hold, a => a with { Phase = Phase.Drained });
        // The runner is kept until the next second has begun: the drain is what it finds first.
        _run.Sampled = sample =>
        {
            _run.Sampled = null;
            _run.Apply(drained);
            while ((Clock.BoottimeNanos - start) / (Second / 1000) < sample.ToMillis + 1010)
                Thread.Sleep(1);
        };

        _run.WaitFor(() => _run.Status is { Phase: Phase.Drained }, "DRAINED");

        AssertLastIsWithinASecond();
    }

    // That of the hold, too: it ends where the drain begins. Others span more when this machine stands still.
    private void AssertLastIsWithinASecond()
    {
        var ends = _run.Samples.Where(s => s.ToMillis % 1000 > 0).ToList();
        Assert.That(ends.Select(s => (s.ToMillis - 1) / 1000), Is.EqualTo(ends.Select(s => s.FromMillis / 1000)));
    }

    private WatchfulTarget Target(bool closes = true) => _target = WatchfulTarget.Start(LoopbackAddress.Next(), closes: closes);

    private LoadHarness.Agent.Assignments.Assignment Hold(WatchfulTarget target, int connections) =>
        _run.Hold(target.EndPoint.Address, target.EndPoint.Port, connections, 2000, portBlocks: 4);
}
