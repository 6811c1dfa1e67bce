using System.Collections.Immutable;
using CsCheck;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;

namespace LoadHarness.Coordinator.Tests.Planning;

public class ScaleTests
{
    private static readonly ImmutableArray<AgentResources> _agents = [Agent("a", 1), Agent("b", 2), Agent("c", 4, "ns2")];

    private static readonly ImmutableDictionary<string, ImmutableArray<IpRange>> _sources =
        Sources(("ns1", "10.1.0.1-10.1.0.4"), ("ns2", "10.1.1.1-10.1.1.3"));

    private static readonly RunSpec _spec = Spec(10_000, "10.0.0.5:1-4") with { Hold = TimeSpan.FromHours(1) };

    private static RunPlan Scaled(RunPlan current, ScaleOrder order, ImmutableArray<AgentResources>? agents = null)
    {
        var result = Planner.Scale(_spec, current, order, Supply(_spec, agents ?? _agents, _sources));
        Assert.That(result.Problems, Is.Empty);
        return result.Plan!;
    }

    private static RunPlan First() => Planned(_spec, _agents, _sources);

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    [Test]
    public void Scale_Up_RaisesSharesFromNowAndKeepsTheEnd()
    {
        var first = First();
        var next = Scaled(first, new ScaleOrder(At(60), 20_000, At(10)));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(next.Revision, Is.EqualTo(2));
            Assert.That(next.Goal, Is.EqualTo(20_000));
            Assert.That(next.Agents.Sum(a => a.Share), Is.EqualTo(20_000));
            Assert.That(next.Schedule.GoalAt(At(60)), Is.EqualTo(10_000));
            Assert.That(next.Schedule.GoalAt(At(65)), Is.EqualTo(15_000));
            Assert.That(next.Schedule.GoalAt(At(70)), Is.EqualTo(20_000));
            Assert.That(next.HoldEnd, Is.EqualTo(first.HoldEnd));
            Assert.That(next.Schedule.ConnectsPerSecond, Is.GreaterThanOrEqualTo(1000));
        }
    }

    [Test]
    public void Scale_WithoutDuration_FollowsTheRate()
    {
        var first = First();
        var next = Scaled(first, new ScaleOrder(At(60), 20_000, null));
        Assert.That(next.RampEnd - At(60), Is.EqualTo(At(10_000 / first.Schedule.ConnectsPerSecond)).Within(At(0.01)));
    }

    [Test]
    public void Scale_DuringTheRamp_StartsWhereTheRampStands()
    {
        var first = First();
        var next = Scaled(first, new ScaleOrder(At(2), 5_000, At(10)));
        Assert.That(next.Schedule.GoalAt(At(2)), Is.EqualTo(first.Schedule.GoalAt(At(2))).Within(_agents.Length));
    }

    [Test]
    public void Scale_ToZeroAndBack_KeepsBlocks()
    {
        var first = First();
        var none = Scaled(first, new ScaleOrder(At(60), 0, At(5)));
        var back = Scaled(none, new ScaleOrder(At(120), 10_000, At(5)));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(none.Agents.Select(a => a.Share), Is.All.Zero);
            Assert.That(none.Agents.Select(a => a.Schedule.ConnectsPerSecond), Is.All.Positive);
            Assert.That(none.Agents.Select(a => a.Slice.BlockCount), Is.EqualTo(first.Agents.Select(a => a.Slice.BlockCount)));
            Assert.That(back.Agents.Sum(a => a.Share), Is.EqualTo(10_000));
        }
    }

    [Test]
    public void Scale_AgentGone_ItsShareMovesAndItsBlocksRest()
    {
        var first = First();
        var next = Scaled(first, new ScaleOrder(At(60), 10_000, null), [_agents[0], _agents[2]]);
        var soon = Scaled(next, new ScaleOrder(At(90), 15_000, null), [_agents[0], _agents[2]]);
        var later = Scaled(soon, new ScaleOrder(At(121), 20_000, null), [_agents[0], _agents[2]]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(next.Agents.Sum(a => a.Share), Is.EqualTo(10_000));
            Assert.That(next.Departed.Select(d => d.Plan.AgentId), Is.EqualTo(new[] { "b" }));
            Assert.That(NobodySharesAnEndpoint(next), Is.True);
            Assert.That(soon.Departed, Has.Length.EqualTo(1));
            Assert.That(NobodySharesAnEndpoint(soon), Is.True);
            Assert.That(later.Departed, Is.Empty, "60 s are over");
        }
    }

    [Test]
    public void Scale_AgentJoins_TakesWhatIsMissingAndNobodyLoses()
    {
        var first = Planned(_spec, [_agents[0], _agents[1]], _sources);
        var next = Scaled(first, new ScaleOrder(At(60), 12_000, null));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(next.Agents.Select(a => a.AgentId), Is.EqualTo(new[] { "a", "b", "c" }));
            Assert.That(next.Agents.Take(2).Select(a => a.Share), Is.EqualTo(first.Agents.Select(a => a.Share)));
            Assert.That(next.Agents[2].Share, Is.EqualTo(2000));
        }
    }

    [Test]
    public void Scale_ReactorsThatStartLater_GetBlocksOfTheirOwn()
    {
        // Eight blocks of 51,200 tuples: by tuples alone two more blocks would do for the four reactors that are added.
        var spec = Spec(10_000, "10.0.0.5:1-200", "10240-12287") with { Hold = TimeSpan.FromHours(1), ConnectRate = 100 };
        var sources = Sources(("ns1", "10.1.0.1"));
        var first = Planned(spec, [Agent("a")], sources);
        var next = Planner.Scale(spec, first, new ScaleOrder(At(200), 100_000, At(3000)), Supply(spec, [Agent("a")], sources)).Plan!;
        var added = AgentCapacity.Reactors(Agent("a"), 100_000) - AgentCapacity.Reactors(Agent("a"), 10_000);
        Assert.That(next.Agents[0].Slice.BlockCount - first.Agents[0].Slice.BlockCount, Is.GreaterThanOrEqualTo(added));
    }

    [TestCase(-1, 10, "out of range")]
    [TestCase(200_000_000, 10, "out of range")]
    [TestCase(20_000, -1, "negative")]
    [TestCase(20_000, 4000, "the hold ends in")]
    public void Scale_WrongOrder_SaysWhy(long goal, double over, string message)
    {
        var result = Planner.Scale(_spec, First(), new ScaleOrder(At(60), goal, At(over)), Supply(_spec, _agents, _sources));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(result.Plan, Is.Null);
            Assert.That(result.Problems[0].Message, Does.Contain(message));
            Assert.That(result.Problems[0].Kind, Is.EqualTo(PlanProblemKind.Invalid));
        }
    }

    [Test]
    public void Scale_AfterTheHold_Refused() =>
        Assert.That(
            Planner.Scale(_spec, First(), new ScaleOrder(TimeSpan.FromHours(2), 1, null), Supply(_spec, _agents, _sources)).Problems[0].Message,
            Does.Contain("the drain"));

    [Test]
    public void Scale_BeyondTheSpace_DoesNotFit() =>
        Assert.That(
            Planner.Scale(_spec, First(), new ScaleOrder(At(60), 5_000_000, At(60)), Supply(_spec, _agents, _sources)).Problems[0].Kind,
            Is.EqualTo(PlanProblemKind.DoesNotFit));

    [Test]
    public void Scale_AnyOrders_KeepsPromises() =>
        Gen.Select(Gen.Long[0, 120_000], Gen.Int[1, 7]).Array[1, 5].Sample(
            steps =>
            {
                var plan = First();
                var now = 60.0;
                foreach (var (goal, who) in steps)
                {
                    var agents = _agents.Where((_, i) => (who & (1 << i)) != 0).ToImmutableArray();
                    var result = Planner.Scale(_spec, plan, new ScaleOrder(At(now), goal, At(3)), Supply(_spec, agents, _sources));
                    if (result.Plan is not { } next || !IsSound(plan, next, goal, now))
                        return false;
                    (plan, now) = (next, now + 20);
                }

                return true;
            },
            iter: 40);

    private static bool IsSound(RunPlan before, RunPlan next, long goal, double now)
    {
        var old = before.Agents.ToDictionary(a => a.AgentId);
        var staying = next.Agents.Where(a => old.ContainsKey(a.AgentId)).ToList();
        var present = staying.Sum(a => old[a.AgentId].Share);
        return next.Agents.Sum(a => a.Share) == goal
            && next.Agents.All(a => a.Tuples >= a.Share)
            && staying.TrueForAll(a => a.Slice.Blocks.Take(old[a.AgentId].Slice.Blocks.Length).SequenceEqual(old[a.AgentId].Slice.Blocks))
            && staying.TrueForAll(a => goal >= present ? a.Share >= old[a.AgentId].Share : a.Share <= old[a.AgentId].Share)
            && NobodySharesAnEndpoint(next)
            && Enumerable.Range(0, 20).All(i =>
            {
                var at = At(now + (i * 0.3));
                return Math.Abs(next.Agents.Sum(a => a.Schedule.GoalAt(at)) - next.Schedule.GoalAt(at)) <= next.Agents.Length;
            });
    }
}
