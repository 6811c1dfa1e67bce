using LoadHarness.Agent.Safety;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using Assignment = LoadHarness.Agent.Assignments.Assignment;
using AssignmentRefusal = LoadHarness.Agent.Assignments.AssignmentRefusal;
using BlockRange = LoadHarness.Protos.BlockRange;
using Destination = LoadHarness.Protos.Destination;
using Revision = LoadHarness.Protos.Revision;
using Schedule = LoadHarness.Protos.Schedule;
using Slice = LoadHarness.Protos.Slice;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>Which assignments are followed, which change nothing, and which are refused in which words.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerAssignmentTests
{
    private static readonly IpAddress _target = IpAddress.From(LoopbackAddress.Next());
    private RunnerFixture _run = null!;

    [SetUp]
    public void SetUp() => _run = new RunnerFixture();

    [TearDown]
    public void TearDown() => _run.Dispose();

    [Test]
    public void Apply_Prepared_ConnectsNothing()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Hold(target.EndPoint.Address, target.EndPoint.Port, 100, 1000) with { Phase = Phase.Prepared, StartNanos = null };

        _run.Apply(hold);
        _run.WaitFor(() => _run.Status?.Phase == Phase.Prepared, "PREPARED");
        Thread.Sleep(300);

        Assert.Multiple(() =>
        {
            Assert.That(target.Accepted, Is.Zero);
            Assert.That(_run.Samples, Is.Empty);
            Assert.That(_run.Drain(hold).Refused, Is.Null);
        });
    }

    [Test]
    public void Apply_SameOrOlderRevision_ChangesNothing()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var first = _run.Hold(target.EndPoint.Address, target.EndPoint.Port, 100, 1000);
        var second = _run.Reach(_run.Next(first, a => a));

        _run.Apply(second with { Schedule = RunnerFixture.Ramp(TimeSpan.Zero, 0, 200, 1000), Share = 200 });
        _run.Apply(first with { Phase = Phase.Drained });
        _run.Apply(second with { Revision = new Revision(0, 1000), Phase = Phase.Drained });
        Thread.Sleep(1500);

        Assert.Multiple(() =>
        {
            Assert.That(_run.Status!.Revision, Is.EqualTo(second.Revision));
            Assert.That(_run.Now.Established, Is.EqualTo(100));
            Assert.That(_run.Statuses.Select(s => s.Phase), Has.None.EqualTo(Phase.Drained));
        });
    }

    [TestCase(long.MinValue)]
    [TestCase(long.MaxValue)]
    [TestCase(-40_000_000_000_000_000)]
    [TestCase(40_000_000_000_000_000)]
    public void Apply_StartInstantYearsAway_IsRefusedAndTheAgentLives(long startNanos)
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Hold(target.EndPoint.Address, target.EndPoint.Port, 10, 1000);

        _run.Apply(hold with { StartNanos = startNanos });
        _run.WaitFor(() => _run.Status?.Refused is not null, "a refusal");
        var refusal = _run.Status!.Refused!;
        _run.Reach(_run.Next(hold, a => a));

        Assert.That((refusal.Field, refusal.Rule), Is.EqualTo(("start_nanos", "range")));
    }

    [Test]
    public void Apply_StartInstantWeeksAway_WaitsForIt()
    {
        var hold = _run.Hold(System.Net.IPAddress.Loopback, 1, 10, 1000);

        _run.Apply(hold with { StartNanos = hold.StartNanos + ((long)TimeSpan.FromDays(60).TotalSeconds * 1_000_000_000) });
        _run.WaitFor(() => _run.Status?.Phase == Phase.Running, "RUNNING");

        Assert.That(_run.Drain(hold).Refused, Is.Null);
    }

    [Test]
    public void Apply_NewerEpoch_IsNewerWhateverItsNumber()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 50, 1000));

        var next = hold with { Revision = new Revision(2, 1), Phase = Phase.Drained };
        _run.Apply(next);

        _run.WaitFor(() => _run.Status is { Phase: Phase.Drained } s && s.Revision == next.Revision, "DRAINED");
        Assert.That(_run.Status!.Refused, Is.Null);
    }

    [Test]
    public void Apply_SeveralThreadsInAnyOrder_EndsWithTheNewest()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Hold(target.EndPoint.Address, target.EndPoint.Port, 50, 1000);
        var revisions = Enumerable.Range(0, 64).Select(_ => _run.Next(hold, a => a)).ToArray();
        new Random(7).Shuffle(revisions);

        Parallel.ForEach(revisions, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _run.Apply);

        var newest = revisions.Max(r => r.Revision);
        _run.WaitFor(() => _run.Status?.Revision == newest && _run.Now.Established == 50, "the newest revision");
        Assert.Multiple(() =>
        {
            Assert.That(_run.Statuses.Select(s => s.Revision), Is.Ordered);
            Assert.That(_run.Statuses.Select(s => s.Refused), Has.All.Null);
            Assert.That(_run.Now.Goal, Is.EqualTo(50));
        });
    }

    [Test]
    public void Apply_AnotherRunWhileBusy_IsRefusedByTheNameOfThisOneWhichGoesOn()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 50, 1000));

        _run.Apply(hold with { RunId = "another" });
        _run.WaitFor(() => _run.Status is { RunId: "another" }, "the answer to the other run");
        var refused = _run.Status!;
        _run.WaitFor(() => _run.Status is { RunId: "run" }, "its own status again");
        _run.Apply(hold with { Revision = new Revision(0, 9), Phase = Phase.Drained });
        Thread.Sleep(300);

        Assert.Multiple(() =>
        {
            Assert.That(refused.Refused, Has.Property("Field").EqualTo("run_id").And.Property("Rule").EqualTo("busy"));
            Assert.That(refused.Refused!.Message, Does.Contain("run run"));
            Assert.That(_run.Status, Has.Property("Phase").EqualTo(Phase.Running).And.Property("Revision").EqualTo(hold.Revision));
            Assert.That(_run.Now.Established, Is.EqualTo(50));
        });
    }

    [Test]
    public void Apply_DrainedOfARunThatIsNotHere_IsDoneAlready()
    {
        _run.Apply(Hold(50) with { RunId = "never seen", Phase = Phase.Drained });

        _run.WaitFor(() => _run.Status is { RunId: "never seen", Phase: Phase.Drained, Refused: null }, "DRAINED");
        Assert.That(_run.Samples, Is.Empty);
    }

    [Test]
    public void Apply_SourceThatTheHostDoesNotHave_IsRefusedWithTheAddressAndTheRemedy()
    {
        var missing = IpAddress.From(System.Net.IPAddress.Parse("203.0.113.7"));

        var refused = Refusal(Hold(50) with { Slice = new Slice([new BlockRange(new IpRange(missing, 3), 10_240, 1)], [], TimeSpan.Zero) });

        Assert.Multiple(() =>
        {
            Assert.That(refused.Field, Is.EqualTo("slice.blocks.sources"));
            Assert.That(refused.Message, Does.Contain("203.0.113.7").And.Contain("ip addr add 203.0.113.7/32").And.Contain("3 of 3 sources"));
        });
    }

    [TestCase(1001, 1000, 50, "share", "max-connections", "--max-connections 1001")]
    [TestCase(1000, 1001, 50, "schedule.points[1].goal", "max-connections", "--max-connections 1001")]
    [TestCase(1000, 1000, 50.5, "schedule.connects_per_second", "max-connect-rate", "--max-connect-rate 51/s")]
    public void Apply_BeyondTheAgentsLimits_IsRefusedWithTheFlagThatAllowsIt(
        long share, long goal, double rate, string field, string rule, string flag)
    {
        using var run = new RunnerFixture(policy: new AgentPolicy(AllowList.Loopback) { MaxConnections = 1000, MaxConnectsPerSecond = 50 });

        run.Apply(run.Hold(_target.ToIPAddress(), 9, 1000, 50) with { Share = share, Schedule = RunnerFixture.Ramp(TimeSpan.Zero, 0, goal, rate) });
        run.WaitFor(() => run.Status?.Refused is not null, "a refusal");

        var refused = run.Status!.Refused!;
        Assert.That((refused.Field, refused.Rule), Is.EqualTo((field, rule)));
        Assert.That(refused.Message, Does.Contain(flag));
    }

    [Test]
    public void Apply_WithinTheAgentsLimits_IsTaken()
    {
        using var run = new RunnerFixture(policy: new AgentPolicy(AllowList.Loopback) { MaxConnections = 1000, MaxConnectsPerSecond = 50 });

        run.Apply(run.Hold(_target.ToIPAddress(), 9, 1000, 50, portBlocks: 4) with { Phase = Phase.Prepared });

        run.WaitFor(() => run.Status?.Phase == Phase.Prepared, "PREPARED");
    }

    [Test]
    public void Apply_TargetOutsideTheAllowList_IsRefusedWithTheFlagThatAllowsIt()
    {
        var outside = IpAddress.From(System.Net.IPAddress.Parse("198.51.100.1"));

        var refused = Refusal(Hold(50) with { Destinations = [new Destination(new IpRange(outside, 1), new(443, 443), "")] });

        Assert.Multiple(() =>
        {
            Assert.That((refused.Field, refused.Rule), Is.EqualTo(("destinations[0]", "allow-list")));
            Assert.That(refused.Message, Does.Contain("--allow"));
        });
    }

    [Test]
    public void Apply_CapabilityThatIsLacking_IsRefusedByName() =>
        Assert.That(Refusal(Hold(50) with { RequiredCapabilities = ["workload.teleport"] }).Message, Does.Contain("workload.teleport"));

    [Test]
    public void Apply_TooManyDestinations_IsRefusedWithTheirCount()
    {
        var refused = Refusal(Hold(50) with { Destinations = [new Destination(new IpRange(_target, 2), new(1, 65535), "")] });

        Assert.That(refused.Message, Does.Contain("131,070").And.Contain("65,536"));
    }

    [Test]
    public void Apply_SliceTooSmallForTheShare_IsRefusedWithTheArithmetic()
    {
        var refused = Refusal(Hold(1000));

        Assert.Multiple(() =>
        {
            Assert.That((refused.Field, refused.Rule), Is.EqualTo(("slice.blocks", "endpoint-space")));
            Assert.That(refused.Message, Does.Contain("256 tuples").And.Contain("1,000"));
        });
    }

    [Test]
    public void Apply_ExcludedPortsLeaveTooFewTuples_IsRefused()
    {
        var hold = Hold(250);

        var refused = Refusal(hold with { Slice = hold.Slice with { ExcludedPorts = [new(10_240, 10_249)] } });

        Assert.That(refused.Message, Does.Contain("246 tuples").And.Contain("250"));
    }

    [Test]
    public void Apply_MoreReactorsThanNewBlocks_IsRefused()
    {
        var refused = Refusal(Hold(60_000) with { Destinations = [new Destination(new IpRange(_target, 1), new(7000, 7999), "")] });

        Assert.That((refused.Field, refused.Rule), Is.EqualTo(("slice.blocks", "descriptors")));
    }

    [Test]
    public void Apply_ChangeThatALiveRunCannotTake_IsRefusedAndTheRunGoesOn()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 50, 1000));

        var destinations = Refusal(_run.Next(hold, a => a with { Destinations = [new Destination(new IpRange(_target, 1), new(7000, 7000), "")] }));
        var rest = Refusal(_run.Next(hold, a => a with { Slice = a.Slice with { Rest = TimeSpan.Zero } }));
        var blocks = Refusal(_run.Next(hold, a => a with { Slice = a.Slice with { Blocks = [new BlockRange(new IpRange(_run.Source, 1), 20_480, 2)] } }));
        var held = _run.Status!.Held;
        var drained = _run.Drain(hold);

        Assert.Multiple(() =>
        {
            Assert.That(destinations.Field, Is.EqualTo("destinations"));
            Assert.That(rest.Field, Is.EqualTo("slice.rest"));
            Assert.That(blocks.Field, Is.EqualTo("slice.blocks"));
            Assert.That(held, Is.EqualTo(50));
            Assert.That(drained.Refused, Is.Null);
            Assert.That(() => target.Count(ConnectionEnd.Fin), Is.EqualTo(50).After(10_000, 10));
        });
    }

    [Test]
    public void Apply_ReactorThatFails_IsReportedAndDoesNotStayHeld()
    {
        // Nobody checks here what the wire would not let through: a schedule without points.
        var hold = Hold(50) with { Schedule = new Schedule([], 1000) };

        _run.Apply(hold);

        _run.WaitFor(() => _run.Status is { Phase: Phase.Drained }, "the end of the run");
        Assert.That(_run.Status!.Findings, Has.One.Matches<LoadHarness.Agent.Preflight.AgentFinding>(f =>
            f is { Subject: "reactor", Severity: Finding.Types.Severity.Error } && f.Message.Contains("failed", StringComparison.Ordinal)));
        Assert.That(() => _run.Reach(_run.Next(hold, a => Hold(1) with { Revision = a.Revision, Schedule = RunnerFixture.Ramp(TimeSpan.Zero, 0, 0, 1) })), Throws.Nothing);
    }

    [Test]
    public void StatusChanged_HandlerThrows_TheRunGoesOn()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        _run.Runner.StatusChanged += () => throw new InvalidOperationException("on purpose");

        _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 50, 1000));

        Assert.That(_run.Status!.Refused, Is.Null);
    }

    [Test]
    public void Apply_DrainedAfterASourceAddressHasGone_IsFollowed()
    {
        using var space = NetworkNamespace.Create();
        space.AddAddress("127.200.0.1/32");
        space.Ip("address", "del", "127.0.0.1/8", "dev", "lo");
        var source = IpAddress.From(System.Net.IPAddress.Parse("127.200.0.1"));
        using var run = space.Enter(() => new RunnerFixture { Source = source });
        using var target = space.Enter(() => new System.Net.Sockets.TcpListener(source.ToIPAddress(), 7000));
        space.Enter(() => Started(target));
        var hold = run.Reach(run.Hold(source.ToIPAddress(), 7000, 50, 1000));

        space.Ip("address", "del", "127.200.0.1/32", "dev", "lo");
        run.Apply(run.Next(hold, a => a with { Schedule = RunnerFixture.Ramp(TimeSpan.Zero, 50, 60, 1000), Share = 60 }));
        run.WaitFor(() => run.Status!.Refused is not null, "the refusal of a change");
        var refused = run.Status!.Refused!;
        var status = run.Drain(hold, TimeSpan.FromSeconds(1));

        Assert.Multiple(() =>
        {
            Assert.That(refused.Message, Does.Contain("127.200.0.1"));
            Assert.That(status.Refused, Is.Null);
            Assert.That(run.Now.Established, Is.Zero);
        });
    }

    private static bool Started(System.Net.Sockets.TcpListener listener)
    {
        listener.Start();
        return true;
    }

    private Assignment Hold(long connections) => _run.Hold(_target.ToIPAddress(), 7000, connections, 1000);

    private AssignmentRefusal Refusal(Assignment assignment)
    {
        _run.Apply(assignment);
        _run.WaitFor(() => _run.Status is { Refused: not null } status && status.Revision == assignment.Revision, "a refusal");
        return _run.Status!.Refused!;
    }
}
