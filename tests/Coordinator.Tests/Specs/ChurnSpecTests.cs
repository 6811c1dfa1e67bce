using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;
using WorkloadShare = LoadHarness.Coordinator.Specs.WorkloadShare;

namespace LoadHarness.Coordinator.Tests.Specs;

/// <summary>How fast connections end by plan, whatever ends them.</summary>
public class ChurnSpecTests
{
    private static readonly WorkloadSpec _hold = new WorkloadSpec.Hold();

    private static RunSpec Spec(long connections, params WorkloadShare[] workload) => new() { Targets = [], Connections = connections, Workload = [.. workload] };

    private static WorkloadSpec Http(LoadSpec load, long most) => new WorkloadSpec.Http(new("GET", "/", null, [], default), [], new(load, TimeSpan.FromSeconds(30), most));

    private static WorkloadSpec Lives(double seconds, CloseMethod close = CloseMethod.Fin) =>
        new WorkloadSpec.Churn(new(LifetimeSpread.Fixed, TimeSpan.FromSeconds(seconds), TimeSpan.FromSeconds(seconds)), close);

    [Test]
    public void Of_OpenModel_EndsAsManyAsItHasRequestsFor()
    {
        // 1,000 requests a second at 10 a connection end 100 connections a second, however many there are.
        var spec = Spec(500, new WorkloadShare(1, Http(new LoadSpec.Open(1000), 10)));
        Assert.That(spec.Churn, Is.EqualTo(new ChurnSpec(TimeSpan.FromSeconds(5), CloseMethod.Fin)));
        Assert.That((spec with { Connections = 50 }).Churn!.Lifetime, Is.EqualTo(TimeSpan.FromSeconds(0.5)));
    }

    [Test]
    public void Of_CountedHeartbeats_LiveOnePeriodLessHalf() =>
        Assert.That(Spec(500, new WorkloadShare(1, Http(new LoadSpec.Heartbeat(TimeSpan.FromSeconds(30)), 3))).Churn!.Lifetime, Is.EqualTo(TimeSpan.FromSeconds(75)));

    [Test]
    public void Of_ClosedModel_IsNotKnownBeforehand()
    {
        var spec = Spec(500, new WorkloadShare(1, Http(new LoadSpec.Closed(TimeSpan.Zero), 3)));
        Assert.That((spec.Churn, spec.EndsAreUnforeseen), Is.EqualTo(((ChurnSpec?)null, true)));
        Assert.That(Spec(500, new WorkloadShare(1, new WorkloadSpec.Churn(null, CloseMethod.Peer))).EndsAreUnforeseen, Is.True);
        Assert.That(Spec(500, new WorkloadShare(1, Http(new LoadSpec.Closed(TimeSpan.Zero), 0))).EndsAreUnforeseen, Is.False);
    }

    [Test]
    public void Of_AMix_AddsUpWhatEndsEachSecond()
    {
        // 80 of 100 connections end every 10 s each (8/s), and requests end 2/s.
        var spec = Spec(100, new WorkloadShare(4, Lives(10, CloseMethod.Rst)), new WorkloadShare(1, Http(new LoadSpec.Open(20), 10)));
        Assert.That(spec.Churn, Is.EqualTo(new ChurnSpec(TimeSpan.FromSeconds(10), CloseMethod.Fin)));
    }

    [Test]
    public void Of_ResetsAmongHeldOnes_LeaveNothing() =>
        Assert.That(Spec(100, new WorkloadShare(9, _hold), new WorkloadShare(1, Lives(10, CloseMethod.Rst))).Churn, Is.EqualTo(new ChurnSpec(TimeSpan.FromSeconds(100), CloseMethod.Rst)));

    [Test]
    public void Of_RequestsThatEndNothing_IsNone() => Assert.That(
        Spec(100, new WorkloadShare(1, _hold), new WorkloadShare(1, Http(new LoadSpec.Open(1e9), 0))).Churn, Is.Null);

    [Test]
    public void Of_MoreEndsThanTicks_StaysAboveZero() =>
        Assert.That(Spec(1, new WorkloadShare(1, Http(new LoadSpec.Open(1e9), 1))).Churn!.Lifetime.Ticks, Is.EqualTo(1));
}
