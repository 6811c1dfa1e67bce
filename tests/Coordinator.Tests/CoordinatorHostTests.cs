using Grpc.Core;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.Runs;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Runs.RunFixture;

namespace LoadHarness.Coordinator.Tests;

public sealed class CoordinatorHostTests
{
    [Test]
    public async Task StopAsync_RunGoesOn_DrainsItFirst()
    {
        await using var fixture = await FleetFixture.StartAsync();
        var agent = await fixture.AttachAsync("a");
        await fixture.CreateAsync(Spec(100, agents: 1, holdSeconds: 600));
        await fixture.UntilAsync(RunState.Holding);
        var run = fixture.Host.Runs.All[0];

        var stopping = fixture.Host.StopAsync();
        await fixture.UntilAsync(() => run.Ended.IsCompleted, Long, "ended");
        await stopping.WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Multiple(() =>
        {
            Assert.That(run.Snapshot.Value.State, Is.EqualTo(Coordinator.Runs.RunState.Stopped));
            Assert.That(run.Snapshot.Value.Reason, Does.Contain("coordinator was stopped"));
            Assert.That(agent.Assignments[^1].Phase, Is.EqualTo(Phase.Drained));
            Assert.That(File.Exists(fixture.CredentialPath), Is.False);
        });
        await agent.Detached.WaitAsync(TimeSpan.FromSeconds(60));
    }

    [Test]
    public async Task CreateRun_CoordinatorIsDraining_IsRefusedInWords()
    {
        await using var fixture = await FleetFixture.StartAsync();
        var agent = await fixture.AttachAsync("a");
        await fixture.CreateAsync(Spec(100, agents: 1, holdSeconds: 600));
        await fixture.UntilAsync(RunState.Holding);
        // It takes its time: the clock stands still.
        agent.Respond = assignment => assignment.Phase == Phase.Drained ? null : FakeAgent.Obey(assignment);
        var stopping = fixture.Host.StopAsync();

        var refusal = await Assert.ThrowsAsync<RpcException>(() => fixture.CreateAsync(Spec(100, agents: 1)));
        await fixture.UntilAsync(() => stopping.IsCompleted, Long, "stopped");

        Assert.That(refusal!.StatusCode, Is.EqualTo(StatusCode.Unavailable));
        Assert.That(refusal.Status.Detail, Does.Contain("takes no more runs"));
    }

    [Test]
    public async Task DisposeAsync_RunGoesOn_EndsWithoutWaitingForIt()
    {
        var fixture = await FleetFixture.StartAsync();
        await fixture.AttachAsync("a");
        await fixture.CreateAsync(Spec(100, agents: 1, holdSeconds: 600));
        await fixture.UntilAsync(RunState.Holding);
        var run = fixture.Host.Runs.All[0];

        await fixture.DisposeAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(60));

        Assert.That(run.Snapshot.Value.State, Is.EqualTo(Coordinator.Runs.RunState.Failed));
    }

    [Test]
    public async Task WatchRun_CoordinatorEnds_IsToldSo()
    {
        await using var fixture = await FleetFixture.StartAsync();
        await fixture.CreateAsync(Spec(100, agents: 1));
        using var watch = fixture.Control.WatchRun(new());
        await watch.ResponseStream.MoveNext(CancellationToken.None);

        var stopping = fixture.Host.StopAsync();
        await fixture.UntilAsync(() => stopping.IsCompleted, Long, "stopped");
        Run? last = null;
        while (await watch.ResponseStream.MoveNext(CancellationToken.None))
            last = watch.ResponseStream.Current;

        Assert.That(last?.State, Is.EqualTo(RunState.Stopped), "the run's end reaches its watchers before the coordinator goes");
    }
}
