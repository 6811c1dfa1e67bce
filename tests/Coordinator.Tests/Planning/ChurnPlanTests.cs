using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.Specs;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Tests.Planning;

/// <summary>One source, one destination and 5,000 ports: 5,000 / (1 s + 60 s) = 81.97 connections a second.</summary>
public class ChurnPlanTests
{
    private static RunSpec Churn(long goal, double lifetime, CloseMethod close = CloseMethod.Fin) =>
        Spec(goal, ports: "10000-14999") with { Workload = Workloads.Churn(TimeSpan.FromSeconds(lifetime), close) };

    private static PlanResult Result(RunSpec spec, int agents = 1) => Planner.Plan(
        spec, Supply(spec, [.. Enumerable.Range(0, agents).Select(i => Agent($"a{i}"))], Sources(("ns1", "10.0.0.1"))), 1);

    private static RunPlan Plan(RunSpec spec, int agents = 1) => Result(spec, agents) is { Plan: { } plan }
        ? plan
        : throw new AssertionException(string.Join(' ', Result(spec, agents).Problems));

    [Test]
    public void Plan_BelowTheCeiling_HoldsWhatRestsToo()
    {
        var plan = Plan(Churn(81, 1));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.ChurnCeiling, Is.EqualTo(5000 / 61.0).Within(1e-9));
            Assert.That(plan.Agents[0].Tuples, Is.GreaterThanOrEqualTo(81 + (81 * 60)));
            Assert.That(plan.Agents[0].Schedule.ConnectsPerSecond, Is.InRange(81, (5000 - 81) / 60.0), "no more than the tuples come back for");
        }
    }

    [Test]
    public void Plan_AboveTheCeiling_SaysTheArithmetic()
    {
        var message = Result(Churn(82, 1)).Problems.Single();
        Assert.That(message.Kind, Is.EqualTo(PlanProblemKind.DoesNotFit));
        Assert.That(message.Message, Does.Contain("82/s x 1m = 4,920 more that rest").And.Contain("5,002 in all, and there are 5,000")
            .And.Contain("82/s, with 81 connections").And.Contain("--reuse immediate"));
    }

    [Test]
    public void Plan_AboveTheCeilingForced_KeepsWhatFits()
    {
        var plan = Plan(Churn(200, 1) with { Force = true });
        Assert.That((plan.Goal, plan.Cut!.Asked, plan.Schedule.GoalAt(plan.RampEnd)), Is.EqualTo((81L, 200L, 81L)));
    }

    [TestCase(CloseMethod.Rst, 60)]
    [TestCase(CloseMethod.Fin, 0)]
    public void Plan_NothingThatRests_HasNoCeiling(CloseMethod close, int rest)
    {
        var plan = Plan(Churn(4900, 10, close) with { Rest = TimeSpan.FromSeconds(rest) });
        Assert.That((plan.ChurnCeiling, plan.Goal), Is.EqualTo(((double?)null, 4900L)));
    }

    [Test]
    public void Plan_LongLives_RestAtMostOnceEach()
    {
        var plan = Plan(Churn(2400, 600) with { Ramp = TimeSpan.FromSeconds(10) });
        Assert.That(plan.Schedule.ConnectsPerSecond, Is.GreaterThan(240), "the ramp is opened at its slope though its connections all end within 10 s");
    }

    [Test]
    public void Plan_FasterThanTheGentleDefault_AsksForARate()
    {
        var spec = Churn(2000, 1, CloseMethod.Rst);
        Assert.That(Result(spec).Problems.Single().Message, Does.Contain("kept up by 2,000/s").And.Contain("1,000/s at most (the gentle default")
            .And.Contain("Give --connect-rate 2,000/s"));
        Assert.That(Plan(spec with { ConnectRate = 2000 }).Schedule.ConnectsPerSecond, Is.EqualTo(2000));
    }

    [Test]
    public void Plan_RampFasterThanTuplesComeBack_Refused() =>
        Assert.That(Result(Churn(81, 1) with { Ramp = TimeSpan.FromSeconds(2) }).Problems.Single().Message, Does.StartWith("--ramp 2s opens and replaces 122/s"));

    [Test]
    public void Plan_SeveralAgents_NobodyRunsOut()
    {
        var plan = Plan(Churn(60, 1), agents: 3);
        Assert.That(plan.Agents.Sum(a => a.Share), Is.EqualTo(60));
        Assert.That(plan.Agents.All(a => a.Share + Math.Min(a.Schedule.ConnectsPerSecond * 60, a.Share * 61) <= a.Tuples + 1e-6), Is.True,
            "in use, and ended within the last minute: each connection 61 times at most");
    }
}
