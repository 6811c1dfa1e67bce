using System.Collections.Immutable;
using CsCheck;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;

namespace LoadHarness.Coordinator.Tests.Planning;

public class PlannerTests
{
    private static readonly Gen<(ImmutableArray<AgentResources> Agents, long Goal, string Target)> _runs =
        Gen.Select(Gen.Int[1, 16], Gen.Int[1, 3]).Array[1, 8].Select(Gen.Long[1, 300_000], Gen.Int[1, 20], (agents, goal, ports) => (
            agents.Select((a, i) => Agent($"a{i}", a.Item1, $"ns{a.Item2}")).ToImmutableArray(), goal, $"10.0.0.5:1000-{999 + ports}"));

    private static PlanProblem Problem(RunSpec spec, ImmutableArray<AgentResources> agents, params (string, string)[] sources)
    {
        var result = Planner.Plan(spec, Supply(spec, agents, Sources(sources)), 1);
        Assert.That(result.Plan, Is.Null);
        Assert.That(result.Problems, Has.Length.EqualTo(1), string.Join('\n', result.Problems));
        return result.Problems[0];
    }

    [Test]
    public void Plan_TwoUnequalAgents_SplitsByCores()
    {
        var plan = Planned(Spec(30_000), [Agent("a", 1), Agent("b", 2)], Sources(("ns1", "10.0.0.1")));
        Assert.That(plan.Agents.Select(a => a.Share), Is.EqualTo(new[] { 10_000, 20_000 }));
    }

    [Test]
    public void Plan_NeitherRampNorRate_IsGentle()
    {
        var plan = Planned(Spec(30_000), [Agent("a", 1), Agent("b", 2)], Sources(("ns1", "10.0.0.1")));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.RateIsDefault, Is.True);
            Assert.That(plan.Schedule.ConnectsPerSecond, Is.EqualTo(1500));
            Assert.That(plan.Agents.Max(a => a.Schedule.ConnectsPerSecond), Is.EqualTo(1000).Within(1e-6));
            Assert.That(plan.RampEnd, Is.EqualTo(TimeSpan.FromSeconds(20)));
            Assert.That(plan.HoldEnd, Is.EqualTo(TimeSpan.FromSeconds(80)));
        }
    }

    [Test]
    public void Plan_ManyAgentsByDefault_StaysBelowFiveThousand()
    {
        var agents = Enumerable.Range(0, 12).Select(i => Agent($"a{i}")).ToImmutableArray();
        Assert.That(Planned(Spec(30_000), agents, Sources(("ns1", "10.0.0.1"))).Schedule.ConnectsPerSecond, Is.EqualTo(5000));
    }

    [Test]
    public void Plan_Ramp_ReachesTheGoalAtItsEnd()
    {
        var plan = Planned(Spec(30_000) with { Ramp = TimeSpan.FromSeconds(30) }, [Agent("a")], Sources(("ns1", "10.0.0.1")));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.Schedule.GoalAt(TimeSpan.FromSeconds(15)), Is.EqualTo(15_000));
            Assert.That(plan.Schedule.GoalAt(plan.RampEnd), Is.EqualTo(30_000));
            Assert.That(plan.Schedule.ConnectsPerSecond, Is.GreaterThanOrEqualTo(1000));
        }
    }

    [Test]
    public void Plan_RateThatMakesTheRunTooLong_Refused()
    {
        var problem = Problem(Spec(1000) with { MaxDuration = TimeSpan.FromSeconds(60) }, [Agent("a")], ("ns1", "10.0.0.1"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(problem.Kind, Is.EqualTo(PlanProblemKind.Invalid));
            Assert.That(problem.Message, Does.Contain("--max-duration"));
        }
    }

    [Test]
    public void Plan_OneSourceOneDestination_SaysTheArithmetic()
    {
        var problem = Problem(Spec(100_000), [Agent("a")], ("ns1", "10.0.0.1"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(problem.Kind, Is.EqualTo(PlanProblemKind.DoesNotFit));
            Assert.That(problem.Message,
                Does.Contain("1 source x 60,416 source ports x 1 destination = 60,416; 39,584 are missing"));
            Assert.That(problem.Message, Does.Contain("Cheapest first: 1 more target port (2 in all); or 1 more source (2 in all, --sources)"));
        }
    }

    [Test]
    public void Plan_SharedDescriptorTable_SaysThatDescriptorsDoNotSuffice()
    {
        var problem = Problem(Spec(50_000), [Agent("a") with { PrivateDescriptorTables = false }], ("ns1", "10.0.0.1"));
        Assert.That(problem.Message, Does.Contain("descriptors of 1 agent hold 19,800").And.Contain("2 more agents (3 in all")
            .And.Contain("CLOSE_RANGE_UNSHARE"));
    }

    [Test]
    public void Plan_PrivateDescriptorTables_HoldsManyTimesTheLimit() =>
        Assert.That(
            Planned(Spec(100_000, "10.0.0.5:1-4"), [Agent("a")], Sources(("ns1", "10.0.0.1"))).Agents[0].Slice.BlockCount,
            Is.GreaterThanOrEqualTo(6), "six reactors, a block each");

    [Test]
    public void Plan_NoAgent_SaysSo() =>
        Assert.That(Problem(Spec(1), []).Message, Does.Contain("no agent"));

    [Test]
    public void Plan_NamespaceWithoutSource_NamesTheHost() =>
        Assert.That(Problem(Spec(1), [Agent("a"), Agent("b", network: "ns2")], ("ns1", "10.0.0.1")).Message, Does.Contain("host-ns2"));

    [TestCase("1024-65535", "Give --source-ports 1024-56903")]
    [TestCase("32768-60999", "Give --source-ports 32768-56903")]
    public void Plan_PortsOverAllOfTheEphemeralRange_Refused(string ports, string remedy)
    {
        var problem = Problem(Spec(10, ports: ports), [Agent("a")], ("ns1", "10.0.0.1"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(problem.Kind, Is.EqualTo(PlanProblemKind.Invalid));
            Assert.That(problem.Message, Does.Contain(remedy));
        }
    }

    [Test]
    public void Plan_DefaultPorts_LeaveTheHostItsOwn()
    {
        var agent = Agent("a") with { UnusablePorts = [new PortSpan(8080, 8080), new PortSpan(9999, 9999)] };
        var plan = Planned(Spec(55_000, "127.0.0.1:9000-9009"), [agent], Sources(("ns1", "127.0.0.1")));
        var ports = Endpoints(plan).Select(e => e.Port).ToHashSet();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(ports.Min(), Is.GreaterThanOrEqualTo(1024));
            Assert.That(ports, Does.Not.Contain(8080).And.Not.Contain(9999));
            Assert.That(ports.Any(p => p is >= 9000 and <= 9009), Is.False, "the target's own ports");
            Assert.That(ports.Any(p => p is >= 56904 and <= 60999), Is.False, "the top of the ephemeral range");
        }
    }

    [Test]
    public void Plan_TargetElsewhere_MayUseTheNumbersOfItsPorts()
    {
        var spec = Spec(60_000, "10.9.9.9:9000");
        var plan = Planned(spec, [Agent("a")], Sources(("ns1", "10.0.0.1")));
        Assert.That(Endpoints(plan).Select(e => e.Port), Does.Contain(9000));
    }

    [Test]
    public void Plan_TwoTargetsThatOverlap_CountTuplesOnce()
    {
        var spec = Spec(10) with { Targets = [Target("10.0.0.5:80-81"), Target("10.0.0.5:81-82")] };
        var plan = Planned(spec, [Agent("a")], Sources(("ns1", "10.0.0.1")));
        Assert.That(plan.Destinations,
            Is.EqualTo(new[] { new Destination(new IpRange(Address("10.0.0.5"), 1), new PortSpan(80, 82), "10.0.0.5") }));
    }

    [Test]
    public void Plan_TargetsWithWeights_EachPairOnceWithTheGreaterOne()
    {
        var spec = Spec(10) with { Targets = [Target("10.0.0.5:80-89"), Target("10.0.0.5:82-83,weight=3"), Target("10.0.0.6:80,weight=2")] };
        var plan = Planned(spec, [Agent("a")], Sources(("ns1", "10.0.0.1")));
        Assert.That(plan.Agents[0].Destinations.Select(d => $"{d.Addresses}:{d.Ports} {d.Weight}"), Is.EqualTo(new[]
        {
            "10.0.0.5:80-81 1", "10.0.0.5:82-83 3", "10.0.0.5:84-89 1", "10.0.0.6:80 2",
        }));
    }

    [Test]
    public void Plan_TheWholeSpace_IsUsedToTheLastTuple()
    {
        var plan = Planned(Spec(60_416), [Agent("a", 1), Agent("b", 3), Agent("c", 2)], Sources(("ns1", "10.0.0.1")));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.Agents.Sum(a => a.Share), Is.EqualTo(60_416));
            Assert.That(plan.Agents.Select(a => a.Tuples - a.Share), Is.All.GreaterThanOrEqualTo(0));
        }
    }

    [Test]
    public void Plan_TheLargestSpace_StaysSmallAndQuick()
    {
        var plan = Planned(Spec(100_000_000, "10.9.9.9:1-4") with { ConnectRate = 1e6 },
            [.. Enumerable.Range(0, 30).Select(i => Agent($"a{i}"))],
            Sources(("ns1", "10.0.0.0/18")));
        Assert.That(plan.Agents.Max(a => a.Slice.Blocks.Length), Is.LessThanOrEqualTo(4));
    }

    [Test]
    public void Plan_MoreTuplesThanCanBeUsed_SaysHowMany()
    {
        var problem = Problem(Spec(10, "10.9.9.9:1-50"), [Agent("a")], ("ns1", "10.0.0.0/8"));
        Assert.That(problem.Kind, Is.EqualTo(PlanProblemKind.Invalid));
        Assert.That(problem.Message, Does.Contain("16,777,214 source addresses x 60,416 source ports x 50 destinations on host host-ns1 are "
            + "50,680,608,051,200 tuples, and a run can use 4,294,967,296"));
    }

    [Test]
    public void Plan_PortsWithTheTargetsOwn_RefusedUnlessForced()
    {
        var spec = Spec(10, "127.0.0.1:9000-9001", "8000-12000");
        var problem = Problem(spec, [Agent("a")], ("ns1", "127.0.0.1"));
        var plan = Planned(spec with { Force = true }, [Agent("a")], Sources(("ns1", "127.0.0.1")));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(problem.Kind, Is.EqualTo(PlanProblemKind.Invalid));
            Assert.That(problem.Message, Does.Contain("127.0.0.1:9000-9001").And.Contain("Give --source-ports 9002-12000"));
            Assert.That(Endpoints(plan).Select(e => e.Port), Does.Not.Contain(9000).And.Not.Contain(9001));
        }
    }

    [Test]
    public void Plan_AllEphemeralPortsForced_TakesThem() =>
        Assert.That(Planned(Spec(64_512, ports: "1024-65535") with { Force = true }, [Agent("a")], Sources(("ns1", "10.0.0.1"))).Tuples,
            Is.EqualTo(64_512));

    [Test]
    public void Plan_FamilyThatNoSourceHas_NamesTheTarget() =>
        Assert.That(
            Problem(Spec(10) with { Targets = [Target("10.0.0.5:80"), Target("[2001:db8::5]:80")] }, [Agent("a")], ("ns1", "10.0.0.1")).Message,
            Does.Contain("no source address from which 2001:db8::5 can be reached"));

    [Test]
    public void Plan_SourceFamilyThatNoTargetHas_NamesTheSource()
    {
        var spec = Spec(10) with { Sources = [SourceText.Parse("10.0.0.1").Value, SourceText.Parse("2001:db8::1").Value] };
        Assert.That(Problem(spec, [Agent("a")], ("ns1", "10.0.0.1"), ("ns1", "2001:db8::1")).Message,
            Does.StartWith("--sources 2001:db8::1 is IPv6, and no target is"));
    }

    [Test]
    public void Plan_AnyRun_KeepsItsPromises() =>
        _runs.Sample(
            run =>
            {
                var sources = Sources(("ns1", "10.1.0.1-10.1.0.4"), ("ns2", "10.1.1.1-10.1.1.2"), ("ns3", "10.1.2.1"));
                var result = Planner.Plan(Spec(run.Goal, run.Target), Supply(Spec(run.Goal, run.Target), run.Agents, sources), 7);
                if (result.Plan is not { } plan)
                    return run.Goal > 60_000;
                return plan.Revision == 7
                    && plan.Agents.Sum(a => a.Share) == run.Goal
                    && plan.Agents.All(a => a.Tuples >= a.Share && a.Slice.BlockCount >= 1)
                    && plan.Agents.All(a => a.Schedule.ConnectsPerSecond > 0)
                    && Math.Abs(plan.Agents.Sum(a => a.Schedule.ConnectsPerSecond) - plan.Schedule.ConnectsPerSecond) < 0.01
                    && NobodySharesAnEndpoint(plan)
                    && Enumerable.Range(0, 40).All(i => SumsUp(plan, plan.HoldEnd * i / 37));
            },
            iter: 60);

    private static bool SumsUp(RunPlan plan, TimeSpan elapsed) =>
        Math.Abs(plan.Agents.Sum(a => a.Schedule.GoalAt(elapsed)) - plan.Schedule.GoalAt(elapsed)) <= plan.Agents.Length;
}
