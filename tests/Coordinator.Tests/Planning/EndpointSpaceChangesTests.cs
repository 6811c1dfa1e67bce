using System.Collections.Immutable;
using CsCheck;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;

namespace LoadHarness.Coordinator.Tests.Planning;

/// <summary>Blocks that go back and come again, sources that go and come back, goals that are cut.</summary>
public class EndpointSpaceChangesTests
{
    private static readonly ImmutableArray<AgentResources> _agents =
    [
        Agent("a", 1) with { CanRetire = true }, Agent("b", 2) with { CanRetire = true }, Agent("c", 4, "ns2") with { CanRetire = true },
    ];

    private static readonly ImmutableDictionary<string, ImmutableArray<IpRange>> _sources =
        Sources(("ns1", "10.1.0.1-10.1.0.4"), ("ns2", "10.1.1.1-10.1.1.3"));

    private static readonly RunSpec _spec = Spec(200_000, "10.0.0.5:1-4") with { Hold = TimeSpan.FromHours(5), ConnectRate = 1000 };

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static PlanSupply SupplyOf(ImmutableArray<AgentResources>? agents = null, params (string Network, string Source)[] gone) =>
        Supply(_spec, agents ?? _agents, _sources) with
        {
            Gone = gone.GroupBy(g => g.Network).ToImmutableDictionary(g => g.Key, g => g.Select(s => Address(s.Source)).ToImmutableHashSet()),
        };

    private static RunPlan Scaled(RunPlan plan, double now, long goal, PlanSupply? supply = null, bool mayCut = false)
    {
        var result = Planner.Scale(_spec, plan, new ScaleOrder(At(now), goal, At(10), mayCut), supply ?? SupplyOf());
        Assert.That(result.Problems, Is.Empty);
        return result.Plan!;
    }

    private static ImmutableArray<BlockRange> Retiring(AgentPlan agent) => [.. agent.Slice.Blocks.Where(b => b.Retiring)];

    [Test]
    public void Scale_FarDown_RetiresWhatIsNoLongerNeededAndRecallsItFirst()
    {
        var first = Planned(_spec, _agents, _sources);
        var down = Scaled(first, 300, 2000);
        var up = Scaled(down, 400, 200_000);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(down.Agents.Select(a => Retiring(a).Length), Is.All.Positive);
            Assert.That(down.Agents.All(a => a.Tuples >= a.Share * 2), Is.True, "share, as many resting");
            Assert.That(down.Agents.Select(a => a.Slice.BlockCount), Is.EqualTo(first.Agents.Select(a => a.Slice.BlockCount)));
            Assert.That(up.Agents.SelectMany(a => Retiring(a)), Is.Empty);
            Assert.That(up.Blocks, Is.GreaterThanOrEqualTo(first.Blocks));
        }
    }

    [Test]
    public void Reclaim_EmptyBlocks_MayBeIssuedAgain()
    {
        var down = Scaled(Planned(_spec, _agents, _sources), 300, 2000);
        var empty = down.Agents.ToDictionary(a => a.AgentId, Retiring);
        var next = Planner.Reclaim(down, empty)!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(next.Revision, Is.EqualTo(down.Revision + 1));
            Assert.That(next.Agents.SelectMany(a => Retiring(a)), Is.Empty);
            Assert.That(next.Tuples, Is.EqualTo(down.Tuples));
            Assert.That(Planner.Reclaim(next, empty), Is.Null, "once");
            Assert.That(Scaled(next, 400, 200_000).Agents.Sum(a => a.Share), Is.EqualTo(200_000));
        }
    }

    [Test]
    public void Reclaim_BlocksInUse_AreLeftAlone()
    {
        var first = Planned(_spec, _agents, _sources);
        Assert.That(Planner.Reclaim(first, first.Agents.ToDictionary(a => a.AgentId, a => a.Slice.Blocks)), Is.Null);
    }

    [Test]
    public void Scale_AgentThatCannotRetire_KeepsItsBlocks()
    {
        ImmutableArray<AgentResources> old = [.. _agents.Select(a => a with { CanRetire = false })];
        var down = Scaled(Planned(_spec, old, _sources), 300, 2000, SupplyOf(old));
        Assert.That(down.Agents.SelectMany(a => Retiring(a)), Is.Empty);
    }

    [Test]
    public void Scale_SourceGone_ItsTuplesCountNoMoreAndComeBack()
    {
        var first = Planned(_spec, _agents, _sources);
        var without = Scaled(first, 300, 200_000, SupplyOf(null, ("ns1", "10.1.0.2")), mayCut: true);
        var again = Scaled(without, 400, 200_000, SupplyOf(), mayCut: true);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((without.Goal, without.Cut), Is.EqualTo((200_000L, (GoalCut?)null)));
            Assert.That(without.Agents.All(a => a.Tuples >= a.Share), Is.True);
            Assert.That(without.Agents.Where(a => a.NetworkNamespace == "ns1").Sum(a => a.Tuples),
                Is.LessThan(again.Agents.Where(a => a.NetworkNamespace == "ns1").Sum(a => a.Tuples)));
            Assert.That(NobodySharesAnEndpoint(without) && NobodySharesAnEndpoint(again), Is.True);
        }
    }

    [Test]
    public void Scale_EverySourceOfAHostGone_TheOthersCarryWhatTheyCan()
    {
        var first = Planned(_spec, _agents, _sources);
        var without = Scaled(
            first, 300, 1_500_000, SupplyOf(null, ("ns2", "10.1.1.1"), ("ns2", "10.1.1.2"), ("ns2", "10.1.1.3")), mayCut: true);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(without.Cut!.Asked, Is.EqualTo(1_500_000));
            Assert.That(without.Goal, Is.InRange(900_000, 60_416 * 16));
            Assert.That(without.Agents.Single(a => a.AgentId == "c").Share, Is.Zero);
            Assert.That(without.Agents.Sum(a => a.Share), Is.EqualTo(without.Goal));
        }
    }

    [Test]
    public void Plan_MoreThanFitsForced_TakesWhatFitsAndKeepsTheArithmetic()
    {
        var spec = Spec(100_000) with { Force = true };
        var plan = Planned(spec, [Agent("a"), Agent("b", 3)], Sources(("ns1", "10.0.0.1")));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.Goal, Is.EqualTo(60_416));
            Assert.That(plan.Cut!.Asked, Is.EqualTo(100_000));
            Assert.That(plan.Cut.Why.Single(), Does.Contain("60,416"));
        }
    }

    [Test]
    public void Plan_MoreThanTheAgentsMayForced_StaysWithinTheirLimits()
    {
        var spec = Spec(50_000) with { Force = true };
        var plan = Planned(spec, [Agent("a") with { MaxConnections = 1000, MaxConnectsPerSecond = 50 }], Sources(("ns1", "10.0.0.1")));
        Assert.That((plan.Goal, plan.Schedule.ConnectsPerSecond), Is.EqualTo((1000L, 50.0)));
    }

    [Test]
    public void Join_OneMoreAgent_MovesNoShareOfTheOthers() =>
        Gen.Select(Gen.Long[1, 300_000], Gen.Int[1, 16]).Sample(
            (goal, cores) =>
            {
                var before = Planned(_spec with { Connections = goal }, [_agents[0], _agents[1]], _sources);
                var joined = Scaled(before, 400, goal, SupplyOf([_agents[0], _agents[1], Agent("d", cores)]));
                var left = Scaled(joined, 500, goal, SupplyOf([_agents[0], _agents[1]]));
                return joined.Agents.Take(2).Select(a => a.Share).SequenceEqual(before.Agents.Select(a => a.Share))
                    && left.Agents.Sum(a => a.Share) == goal;
            },
            iter: 30);

    [Test]
    public void Changes_InAnyOrder_NeverGiveATupleToTwo() =>
        Gen.Select(Gen.Long[0, 400_000], Gen.Int[1, 7], Gen.Int[0, 15], Gen.Bool).Array[1, 6].Sample(
            steps =>
            {
                var (plan, now) = (Planned(_spec, _agents, _sources), 300.0);
                foreach (var (goal, who, gone, reclaim) in steps)
                {
                    var there = _agents.Where((_, i) => (who & (1 << i)) != 0).ToImmutableArray();
                    var sources = Enumerable.Range(1, 4).Where(i => (gone & (1 << (i - 1))) != 0).Select(i => ("ns1", $"10.1.0.{i}")).ToArray();
                    var result = Planner.Scale(_spec, plan, new ScaleOrder(At(now), goal, At(3), MayCut: true), SupplyOf(there, sources));
                    // Whole blocks may not suit the agents of a space that is nearly full: then the run goes on with the plan that it has.
                    if (result.Plan is not { } next)
                    {
                        if (result.Problems.Any(p => !p.Message.Contains("cannot be cut into blocks", StringComparison.Ordinal)))
                            return false;
                        now += 20;
                        continue;
                    }

                    if (!IsSound(next, goal, sources.Select(s => Address(s.Item2)).ToHashSet()))
                        return false;
                    if (reclaim && Planner.Reclaim(next, next.Agents.ToDictionary(a => a.AgentId, Retiring)) is { } reclaimed)
                        next = reclaimed;
                    (plan, now) = (next, now + 20);
                }

                return true;
            },
            iter: 60);

    private static bool IsSound(RunPlan plan, long asked, HashSet<IpAddress> gone) =>
        plan.Agents.Sum(a => a.Share) == plan.Goal
        && (plan.Goal == asked || (plan.Cut?.Asked == asked && plan.Goal < asked))
        && plan.Agents.All(a => a.Tuples >= a.Share)
        && plan.Agents.All(a => Endpoints(plan with { Agents = [Live(a)], Departed = [] }).Count(e => !gone.Contains(e.Source)) * 4L == a.Tuples)
        && NobodySharesAnEndpoint(plan);

    private static AgentPlan Live(AgentPlan agent) =>
        agent with { Slice = agent.Slice with { Blocks = [.. agent.Slice.Blocks.Where(b => !b.Retiring)] } };
}
