using System.Collections.Immutable;
using CsCheck;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;

namespace LoadHarness.Coordinator.Tests.Planning;

/// <summary>Plans of runs that lose agents, get them back and are joined by others.</summary>
public class LossesTests
{
    private const long Goal = 12_000;

    private static readonly ImmutableArray<AgentResources> _agents =
        [Agent("a", 1), Agent("b", 2), Agent("c", 2), Agent("d", 4, "ns2"), Agent("e", 1, "ns2") with { MaxConnections = 600 }];

    // Small enough that resting blocks are missed: 7 x 4,096 tuples.
    private static readonly ImmutableDictionary<string, ImmutableArray<IpRange>> _sources =
        Sources(("ns1", "10.1.0.1-10.1.0.4"), ("ns2", "10.1.1.1-10.1.1.3"));

    private static readonly RunSpec _spec = Spec(Goal, "10.0.0.5:443", "10240-14335") with { Hold = TimeSpan.FromHours(5), ConnectRate = 1000 };

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    private static ImmutableArray<AgentResources> Those(int mask) => [.. _agents.Where((_, i) => (mask & (1 << i)) != 0)];

    private static RunPlan? GoOn(RunPlan plan, double now, int mask, bool spreads = false, RunSpec? spec = null, params string[] ended) =>
        Planner.Scale(spec ?? _spec, plan, ScaleOrder.GoOn(At(now), Goal, spreads), Supply(spec ?? _spec, Those(mask), _sources) with { Ended = [.. ended] }).Plan;

    private static long ShareOf(RunPlan plan, string agent) => plan.Agents.SingleOrDefault(a => a.AgentId == agent)?.Share ?? 0;

    [Test]
    public void GoOn_AgentLost_TakesShareOverRate()
    {
        var first = Planned(_spec, Those(0b01111), _sources);
        var lost = ShareOf(first, "b");
        var next = GoOn(first, 300, 0b01101)!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(next.Goal, Is.EqualTo(Goal));
            Assert.That(next.Schedule.GoalAt(At(300)), Is.EqualTo(Goal - lost));
            Assert.That((next.RampEnd - At(300)).TotalSeconds, Is.EqualTo(lost / 1000.0).Within(lost / 1000.0 * 0.4), "share / rate, and what uneven growth adds");
            Assert.That(next.Agents.Sum(a => a.Schedule.ConnectsPerSecond), Is.EqualTo(1000).Within(0.01));
            Assert.That(next.HoldEnd, Is.EqualTo(first.HoldEnd));
        }
    }

    [Test]
    public void GoOn_ShortlyBeforeTheEnd_OpensWhatThereIsTimeForAndSaysSo()
    {
        var first = Planned(_spec, Those(0b01111), _sources);
        var next = GoOn(first, (first.HoldEnd - At(1)).TotalSeconds, 0b01101)!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(next.Goal, Is.EqualTo(Goal - ShareOf(first, "b") + 1_000).Within(1));
            Assert.That(next.Cut!.Why[^1], Does.Contain("1,000/s").Or.Contain("1000/s"));
            Assert.That(next.RampEnd, Is.LessThanOrEqualTo(first.HoldEnd));
        }
    }

    [Test]
    public void GoOn_OthersMayNotHoldMore_IsCutInWords()
    {
        ImmutableArray<AgentResources> small = [.. Those(0b111).Select(a => a with { MaxConnections = 5_000 })];
        var sources = Sources(("ns1", "10.1.0.1-10.1.0.40"));
        var first = Planned(_spec, small, sources);
        var next = Planner.Scale(_spec, first, ScaleOrder.GoOn(At(300), Goal), Supply(_spec, [small[0], small[1]], sources)).Plan!;
        Assert.That((next.Goal, next.Cut!.Asked), Is.EqualTo((10_000L, Goal)));
        Assert.That(next.Cut.Why.Single(), Does.Contain("--max-connections"));
    }

    [Test]
    public void GoOn_EndedAgentAndImmediateReuse_ItsBlocksNeedNotRest()
    {
        var spec = _spec with { Rest = TimeSpan.Zero };
        var first = Planned(spec, Those(0b01111), _sources);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(GoOn(first, 300, 0b01101, spec: spec)!.Departed, Has.Length.EqualTo(1), "only silent: its process may be stopped");
            Assert.That(GoOn(first, 300, 0b01101, spec: spec, ended: "b")!.Departed, Is.Empty);
            Assert.That(GoOn(first, 300, 0b01101, ended: "b")!.Departed, Has.Length.EqualTo(1), "tuples rest in this run");
        }
    }

    [Test]
    public void GoOn_JoinInTheRamp_MovesOnlyWhatIsNotOpenYet() =>
        Gen.Select(Gen.Double[0.5, 5], Gen.Int[1, 30], Gen.Int[1, 31]).Sample(
            (now, before, after) =>
            {
                var first = Planned(_spec with { Connections = Goal / 2 }, Those(before | 1), _sources);
                first = first with { Goal = Goal / 2 };
                var result = Planner.Scale(_spec, first, ScaleOrder.GoOn(At(now), Goal / 2, spreads: true), Supply(_spec, Those(before | after | 1), _sources));
                return result.Plan is { } next && next.Goal == Goal / 2
                    && first.Agents.All(a => ShareOf(next, a.AgentId) >= Math.Min(a.Share, a.Schedule.GoalAt(At(now))))
                    && next.Schedule.GoalAt(At(now)) == first.Agents.Sum(a => a.Schedule.GoalAt(At(now)));
            },
            iter: 40);

    [Test]
    public void GoOn_AnySequenceOfLossesReturnsAndJoins_KeepsEveryTupleWithOneAgentAndTheGoal() =>
        Gen.Select(Gen.Int[1, 31], Gen.Int[1, 90]).Array[1, 10].Sample(
            steps =>
            {
                var (plan, now, there) = (Planned(_spec, Those(0b01111), _sources), 300.0, 0b01111);
                var resting = new List<(double Until, RunPlan Part)>();
                foreach (var (mask, wait) in steps)
                {
                    now += wait;
                    resting.RemoveAll(r => r.Until <= now);
                    // Where whole blocks do not suit the agents of a space that is nearly full, the run goes on as it was.
                    if (GoOn(plan, now, mask) is not { } next)
                        continue;
                    resting.AddRange(plan.Agents.Where(a => next.Agents.All(n => n.AgentId != a.AgentId))
                        .Select(a => (now + 60, plan with { Agents = [a], Departed = [] })));
                    if (!IsSound(plan, next, mask & ~there, now, resting.Select(r => r.Part)))
                        return false;
                    (plan, there) = (next, mask);
                }

                return true;
            },
            iter: 60);

    private static bool IsSound(RunPlan before, RunPlan plan, int joined, double now, IEnumerable<RunPlan> resting)
    {
        var issued = Endpoints(plan with { Departed = [] }).Select(e => (e.Network, e.Source, e.Port)).ToHashSet();
        var names = Those(joined).Select(a => a.AgentId).ToHashSet();
        return NobodySharesAnEndpoint(plan)
            && !resting.SelectMany(Endpoints).Any(e => issued.Contains((e.Network, e.Source, e.Port)))
            && plan.Agents.Sum(a => a.Share) == plan.Goal && plan.Goal <= Goal && plan.Goal == Goal == plan.Cut is null
            && plan.Agents.All(a => a.Tuples >= a.Share)
            && before.Agents.Where(a => plan.Agents.Any(n => n.AgentId == a.AgentId)).All(a => ShareOf(plan, a.AgentId) >= a.Share)
            && plan.Agents.Where(a => names.Contains(a.AgentId)).All(a => a.Schedule.GoalAt(At(now)) == 0)
            && Enumerable.Range(0, 60).All(s => plan.Agents.Sum(a => a.Schedule.GoalAt(At(now + s))) <= Goal);
    }
}
