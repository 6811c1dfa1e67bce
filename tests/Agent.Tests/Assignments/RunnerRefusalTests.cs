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

/// <summary>Which assignments are refused, and in which words.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerRefusalTests
{
    private static readonly IpAddress _target = IpAddress.From(LoopbackAddress.Next());
    private RunnerFixture _run = null!;

    [SetUp]
    public void SetUp() => _run = new RunnerFixture();

    [TearDown]
    public void TearDown() => _run.Dispose();

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

    private Assignment Hold(long connections) => _run.Hold(_target.ToIPAddress(), 7000, connections, 1000);

    private AssignmentRefusal Refusal(Assignment assignment)
    {
        _run.Apply(assignment);
        _run.WaitFor(() => _run.Status is { Refused: not null } status && status.Revision == assignment.Revision, "a refusal");
        return _run.Status!.Refused!;
    }
}
