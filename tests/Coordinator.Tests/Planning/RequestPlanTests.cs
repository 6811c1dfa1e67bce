using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;
using WorkloadShare = LoadHarness.Coordinator.Specs.WorkloadShare;

namespace LoadHarness.Coordinator.Tests.Planning;

/// <summary>Connections that end after a number of requests, and requests that are more than can be carried. One source, one destination and 5,000 ports.</summary>
public class RequestPlanTests
{
    private static RunSpec Http(long goal, LoadSpec load, long most, params WorkloadShare[] beside) => Spec(goal, ports: "10000-14999") with
    {
        Workload = [new(1, new WorkloadSpec.Http(new("GET", "/", null, [], default), [new(200, 399)], new(load, TimeSpan.FromSeconds(30), most))), .. beside],
    };

    private static PlanResult Result(RunSpec spec, int cores = 2) =>
        Planner.Plan(spec, Supply(spec, [Agent("a", cores)], Sources(("ns1", "10.0.0.1"))), 1);

    private static RunPlan Plan(RunSpec spec) => Result(spec) is { Plan: { } plan } ? plan : throw new AssertionException(string.Join(' ', Result(spec).Problems));

    private static string Refusal(RunSpec spec, PlanProblemKind kind)
    {
        var problem = Result(spec).Problems.Single();
        Assert.That(problem.Kind, Is.EqualTo(kind));
        return problem.Message;
    }

    [Test]
    public void Plan_OpenModelWithinItsTuples_HoldsWhatRestsToo()
    {
        // 500 requests a second at 10 each end 50 connections a second: 3,000 tuples rest beside 100.
        var plan = Plan(Http(100, new LoadSpec.Open(500), 10));
        Assert.That(plan.Agents[0].Tuples, Is.GreaterThanOrEqualTo(3_100));
        Assert.That(plan.Warnings, Is.Empty);
    }

    [Test]
    public void Plan_OpenModelThatUsesUpItsTuples_SaysTheArithmetic()
    {
        var message = Refusal(Http(100, new LoadSpec.Open(1_000), 10), PlanProblemKind.DoesNotFit);
        Assert.That(message, Does.StartWith(
            "The goal of 100 connections that live 1s on average (1,000/s of requests, 10 a connection, end 100/s) takes 100 tuples and 100/s x 1m = 6,000 more that rest after our FIN "
            + "(TIME-WAIT), 6,100 in all, and there are 5,000. Beside 100 connections 4,900 tuples are left, and these sustain 81.6/s."));
        Assert.That(message, Does.Contain("Cheapest first: --reuse immediate").And.Contain("or more --requests-per-connection; or fewer --requests-per-second; or 2 times the target ports")
            .And.Not.Contain("--close rst").And.Not.Contain("--lifetime").And.Not.Contain("a goal of"));
    }

    [Test]
    public void Plan_OpenModelReusedAtOnce_HasNoCeiling() =>
        Assert.That(Plan(Http(100, new LoadSpec.Open(1_000), 10) with { Rest = TimeSpan.Zero }).ChurnCeiling, Is.Null);

    [Test]
    public void Plan_OpenModelFasterThanTheGentleDefault_AsksForARate()
    {
        var message = Refusal(Http(100, new LoadSpec.Open(20_000), 10) with { Rest = TimeSpan.Zero }, PlanProblemKind.Invalid);
        Assert.That(message, Does.StartWith("100 connections that live 50ms on average (20,000/s of requests, 10 a connection, end 2,000/s) are kept up by 2,000/s, and the run opens 1,000/s at most")
            .And.Contain("and their requests would wait. Give --connect-rate 2,000/s, more --requests-per-connection, fewer --requests-per-second."));
    }

    [Test]
    public void Plan_CountedHeartbeatsThatUseUpTheirTuples_SayThePeriod()
    {
        // Each lives 5 s on average: 4,000 / 5 s x 60 s rest.
        var message = Refusal(Http(4_000, new LoadSpec.Heartbeat(TimeSpan.FromSeconds(10)), 1), PlanProblemKind.DoesNotFit);
        Assert.That(message, Does.Contain("live 5s on average (a request every 10s, 1 a connection)").And.Contain("800/s x 1m = 48,000 more").And.Contain("or a longer --heartbeat"));
    }

    [Test]
    public void Plan_ClosedModelThatMayUseUpItsTuples_WarnsWithTheArithmetic()
    {
        var warning = Plan(Http(100, new LoadSpec.Closed(TimeSpan.Zero), 10)).Warnings.Single();
        Assert.That(warning, Does.StartWith("how often connections end is not known beforehand. At the most that the run opens, 1,000/s, 100 connections and 1,000/s x 1m = 60,000 tuples that rest are "
            + "60,100, and there are 5,000: beyond 81.6/s of ends connections will be missing. Give --reuse immediate"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Plan(Http(100, new LoadSpec.Closed(TimeSpan.Zero), 10) with { ConnectRate = 50 }).Warnings, Is.Empty, "50/s x 60 s fit");
            Assert.That(Plan(Http(100, new LoadSpec.Closed(TimeSpan.Zero), 10) with { Rest = TimeSpan.Zero }).Warnings, Is.Empty, "none rests");
            Assert.That(Plan(Http(100, new LoadSpec.Closed(TimeSpan.Zero), 0)).Warnings, Is.Empty, "none ends");
        }
    }

    [Test]
    public void Plan_ClosedModelThatEndsConnections_GetsTuplesForAsManyAsItOpens() =>
        Assert.That(Plan(Http(100, new LoadSpec.Closed(TimeSpan.Zero), 10) with { ConnectRate = 50 }).Agents[0].Tuples, Is.GreaterThanOrEqualTo(3_100));

    [Test]
    public void Plan_MoreRequestsThanConnectionsCarry_WarnsWithTheTimeOfEach()
    {
        Assert.That(Plan(Http(10, new LoadSpec.Open(200_000), 0)).Warnings, Has.One.StartsWith("the open model leaves each request 50 us until its answer is there"));
        Assert.That(Plan(Http(100, new LoadSpec.Open(200_000), 0)).Warnings, Has.None.StartsWith("the open model"), "500 us may do");
        Assert.That(Plan(Http(100, new LoadSpec.Open(100_000), 0, new WorkloadShare(19, new WorkloadSpec.Hold()))).Warnings,
            Has.One.StartsWith("the open model leaves each request 50 us"), "only 5 of the connections carry requests");
    }

    [TestCase(1_000_000, 2, true)]
    [TestCase(300_000, 2, false)]
    [TestCase(1_000_000, 8, false)]
    public void Plan_MoreRequestsThanAgentsSend_Warns(double rate, int cores, bool warns) => Assert.That(
        Result(Http(4_000, new LoadSpec.Open(rate), 0), cores).Plan!.Warnings.Any(w => w.Contains("they will be the limit", StringComparison.Ordinal)), Is.EqualTo(warns));

    [Test]
    public void Scale_AnOpenModel_EndsNoMoreConnectionsThanBefore()
    {
        var spec = Http(100, new LoadSpec.Open(500), 10);
        var plan = Plan(spec);
        var supply = Supply(spec, [Agent("a")], Sources(("ns1", "10.0.0.1")));
        // 1,900 connections and the 3,000 tuples that rest whatever the goal is.
        var grown = Planner.Scale(spec, plan, new ScaleOrder(plan.RampEnd, 1_900, TimeSpan.FromSeconds(10)), supply);
        Assert.That(grown.Problems, Is.Empty);
        var refused = Planner.Scale(spec, plan, new ScaleOrder(plan.RampEnd, 2_100, TimeSpan.FromSeconds(10)), supply);
        Assert.That(refused.Problems.Single().Message, Does.Contain("2,100 tuples and 50/s x 1m = 3,000 more"));
        Assert.That(Planner.Scale(spec, plan, new ScaleOrder(plan.RampEnd, 0, TimeSpan.FromSeconds(10)), supply).Plan!.Goal, Is.Zero);
    }

    [Test]
    public void Plan_ExtremeRates_NeverThrow()
    {
        foreach (var load in new LoadSpec[] { new LoadSpec.Open(1e9), new LoadSpec.Open(0.001), new LoadSpec.Heartbeat(TimeSpan.FromMilliseconds(10)), new LoadSpec.Closed(TimeSpan.Zero) })
        {
            foreach (var goal in new[] { 1L, 4_000 })
            {
                foreach (var most in new[] { 1L, uint.MaxValue })
                {
                    var result = Result(Http(goal, load, most) with { ConnectRate = 10_000_000 });
                    Assert.That(result.Plan is not null || result.Problems.Length > 0, Is.True);
                    _ = Result(Http(goal, load, most) with { Force = true });
                }
            }
        }
    }
}
