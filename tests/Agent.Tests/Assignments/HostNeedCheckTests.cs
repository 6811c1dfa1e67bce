using System.Collections.Immutable;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Workloads;
using LoadHarness.Protos;
using LoadHarness.V1;
using Assignment = LoadHarness.Agent.Assignments.Assignment;
using Destination = LoadHarness.Protos.Destination;
using Schedule = LoadHarness.Protos.Schedule;
using WorkloadShare = LoadHarness.Agent.Workloads.WorkloadShare;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>The need that follows from an assignment.</summary>
public class HostNeedCheckTests
{
    [TestCase("127.0.0.9", true)]
    [TestCase("10.0.0.1", false)]
    public void NeedOf_Churn_CountsClosesByFin(string target, bool bothEnds)
    {
        var assignment = Of(target) with { Shares = Churn(CloseMethod.Fin) };

        var need = HostNeedCheck.NeedOf(assignment);

        Assert.That((need.Connections, need.BothEnds, need.ClosesPerSecond, need.ConnectsPerSecond), Is.EqualTo((10_000, bothEnds, 2_000.0, 500.0)));
        Assert.That(HostNeedCheck.NeedOf(assignment with { Shares = Churn(CloseMethod.Rst) }).ClosesPerSecond, Is.Zero);
    }

    [Test]
    public void NeedOf_AMix_CountsThePartThatChurns() =>
        Assert.That(HostNeedCheck.NeedOf(Of("10.0.0.1") with { Shares = [new(3, new WorkloadPlan.Hold()), .. Churn(CloseMethod.Fin)] }).ClosesPerSecond, Is.EqualTo(500));

    [Test]
    public void NeedOf_RateAboveTheShare_IsTheShareInASecond() =>
        Assert.That(HostNeedCheck.NeedOf(Of("10.0.0.1") with { Share = 7 }).ConnectsPerSecond, Is.EqualTo(7));

    [Test]
    public void Findings_AHundredTimesThisHost_AreErrors() => Assert.That(
        HostNeedCheck.Findings(Of("127.0.0.1") with { Share = 1_000_000_000 }).Select(f => f.Severity), Has.Member(Finding.Types.Severity.Error));

    private static Assignment Of(string target) => new()
    {
        RunId = "r",
        Revision = new(1, 1),
        StoreId = "s",
        Phase = Phase.Prepared,
        Share = 10_000,
        Slice = new([], [], TimeSpan.Zero),
        Destinations = [new(new(IpAddress.From(System.Net.IPAddress.Parse(target)), 1), new(443, 443), target)],
        Schedule = new Schedule([new(TimeSpan.Zero, 10_000)], 500),
        ConnectTimeout = TimeSpan.FromSeconds(1),
        DrainTimeout = TimeSpan.FromSeconds(1),
        MaxDuration = TimeSpan.FromSeconds(1),
    };

    private static ImmutableArray<WorkloadShare> Churn(CloseMethod close) =>
        [new(1, new WorkloadPlan.Churn(new(LifetimeSpread.Fixed, TimeSpan.FromSeconds(5), default), close))];
}
