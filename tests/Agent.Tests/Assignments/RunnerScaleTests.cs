using LoadHarness.Agent.Backend;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using Assignment = LoadHarness.Agent.Assignments.Assignment;
using BlockRange = LoadHarness.Protos.BlockRange;
using Slice = LoadHarness.Protos.Slice;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>Goals that change while the run lasts.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerScaleTests
{
    private RunnerFixture _run = null!;

    [SetUp]
    public void SetUp() => _run = new RunnerFixture();

    [TearDown]
    public void TearDown() => _run.Dispose();

    [Test]
    public void Scale_Down_ClosesTheNewestFirst()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        // One block is one reactor: in the order of one thread.
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 200, 1000));

        _run.Reach(Scaled(hold, 200, 80, 1000));

        _run.WaitFor(() => target.Ends.Count == 120, "120 ends");
        Assert.Multiple(() =>
        {
            Assert.That(target.Ends.Keys.Order(), Is.EqualTo(Enumerable.Range(80, 120)));
            Assert.That(target.Count(ConnectionEnd.Fin), Is.EqualTo(120));
            Assert.That(_run.Sum(c => c.Closed), Is.EqualTo(120));
            Assert.That(_run.Sum(c => c.Reopened), Is.Zero);
        });
    }

    [Test]
    public void Scale_ToNothingAndUpAgain_OpensAnew()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 60, 1000));
        var none = _run.Reach(Scaled(hold, 60, 0, 1000));

        _run.Reach(Scaled(none, 0, 90, 1000));

        Assert.Multiple(() =>
        {
            Assert.That(_run.Sum(c => c.Opened), Is.EqualTo(150));
            Assert.That(_run.Sum(c => c.Reopened), Is.Zero, "a goal that rises again is no reopening");
            Assert.That(_run.Failures, Is.Empty);
        });
    }

    [Test]
    public void Scale_UpWithNewBlocksAndReactors_ClosesNothingOnTheWay()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 200, 2000));
        var reactors = _run.Last!.Health.Reactors;

        var more = Scaled(hold, 200, 1200, 2000);
        _run.Reach(more with { Slice = more.Slice with { Blocks = [.. more.Slice.Blocks, new BlockRange(new IpRange(_run.Source, 1), 20_480, 5)] } });

        Assert.Multiple(() =>
        {
            Assert.That(reactors, Is.EqualTo(1));
            Assert.That(_run.Last!.Health.Reactors, Is.EqualTo(Math.Min(6, Environment.ProcessorCount)));
            Assert.That(_run.Sum(c => c.Closed) + _run.Sum(c => c.ClosedByPeer), Is.Zero);
            Assert.That(() => target.Accepted, Is.EqualTo(1200).After(60_000, 10));
            Assert.That(_run.Samples.Select(s => s.Counts.Established).Where(e => e > 0), Is.Ordered);
        });
    }

    [Test]
    public void Scale_UpWithBlocksOfWhichPortsAreExcluded_BindsNoneOfThose()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 100, 2000));

        var more = Scaled(hold, 100, 400, 2000);
        _run.Reach(more with
        {
            Slice = new Slice([.. more.Slice.Blocks, new BlockRange(new IpRange(_run.Source, 1), 20_480, 1)], [new(20_480, 20_560)], more.Slice.Rest),
        });

        var ports = new SocketStatistics(null).Lines("established", $"src {_run.Source} and dport = :{target.EndPoint.Port}")
            .Select(line => int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2].Split(':')[1]))
            .ToList();
        Assert.Multiple(() =>
        {
            Assert.That(ports, Has.Count.EqualTo(400));
            Assert.That(ports, Has.None.InRange(20_480, 20_560));
        });
    }

    [Test]
    public void Scale_UpAndTargetClosesAllOfTheFirstReactor_ReopensThoseToo()
    {
        // The first reactor is full when the second starts: what it loses during the ramp it must be able to replace.
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, after: TimeSpan.FromSeconds(2));
        var hold = _run.Reach(_run.Hold(System.Net.IPAddress.Loopback, target.EndPoint.Port, 256, 5000) with
        {
            Slice = new Slice([new BlockRange(new IpRange(_run.Source, 1), 10_240, 1)], [], TimeSpan.Zero),
        });
        var more = Scaled(hold, 256, 500, 500);
        _run.Apply(more with { Slice = more.Slice with { Blocks = [.. more.Slice.Blocks, new BlockRange(new IpRange(_run.Source, 1), 20_480, 4)] } });

        _run.WaitFor(() => _run.Sum(c => c.Reopened) > 300, "300 reopened");

        Assert.That(_run.Samples.Max(s => s.Health.ReactorCpuMaxMicros), Is.LessThan(900_000), "no reactor turns without end");
    }

    [Test]
    public void Hold_GreetingBackendThatAddsReactors_KeepsEveryConnection()
    {
        var address = LoopbackAddress.Next();
        using var backend = new BackendServer(new BackendOptions { Listen = [(IpAddress.From(address), 7200), (IpAddress.From(address), 7201)], Greet = true, Reactors = 3 });
        backend.Start();
        var hold = _run.Hold(address, 7200, 500, 2000, ports: 2, portBlocks: 2) with { ExpectGreeting = true };
        _run.Apply(hold);
        _run.WaitFor(() => _run.Now.Confirmed == 500, "500 confirmed");
        _run.WaitFor(() => backend.Counts.Established == 500, "500 at the backend");

        _run.Drain(hold);

        // On a busy machine it has more than it began with.
        _run.WaitFor(() => backend.Counts is { Established: 0, Closed: 500, Accepted: 500, Reactors: >= 3, Refused: 0 }, "the backend empty");
        Assert.That(_run.Failures, Is.Empty);
    }

    private Assignment Scaled(Assignment before, long from, long to, double rate)
    {
        var elapsed = TimeSpan.FromTicks((LoadHarness.Agent.Interop.Libc.Clock.BoottimeNanos - before.StartNanos!.Value) / 100);
        return _run.Next(before, a => a with { Share = to, Schedule = RunnerFixture.Ramp(elapsed, from, to, rate) });
    }
}
