using System.Text.Json;
using Grpc.Core;
using LoadHarness.Coordinator.Runs;
using LoadHarness.Coordinator.Store;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.Store;
using LoadHarness.V1;
using RunState = LoadHarness.V1.RunState;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>What a coordinator knows of the runs of its earlier lives.</summary>
public sealed class RunHistoryTests
{
    [Test]
    public async Task Start_LongAfterAKillDuringARun_ConcludesItAndSaysWhy()
    {
        await using var before = await FleetFixture.StartAsync();
        await before.AttachAsync("a");
        var run = await before.Control.CreateRunAsync(new() { Spec = RunFixture.Spec(100, 1), RequestId = "q1" });
        await before.UntilAsync(RunState.Holding);

        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath, at: before.Time.GetUtcNow().AddMinutes(10));
        await after.EndAsync();

        var found = after.Run();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(found.Id, Is.EqualTo(run.Id));
            Assert.That(found.State, Is.EqualTo(RunState.Failed));
            Assert.That(found.StateReason, Does.StartWith("the coordinator was gone for 10m").And.Contain("leases (30s)"));
            Assert.That(JsonDocument.Parse(found.SummaryJson).RootElement.GetProperty("result").GetProperty("opened").GetInt64(), Is.Positive);
            Assert.That(found.Spec, Is.EqualTo(run.Spec));
            Assert.That(found.Plan.Lines, Is.Not.Empty);
            Assert.That(found.CreateTime, Is.EqualTo(run.CreateTime));
            Assert.That(after.Host.Agents.Options.Epoch, Is.EqualTo(2));
            Assert.That(after.Host.Agents.Options.StoreId, Is.EqualTo(before.Host.Agents.Options.StoreId));
        }
    }

    [Test]
    public async Task Attach_WithWorkOfARunThatWasCutOff_IsToldToDrain()
    {
        await using var before = await FleetFixture.StartAsync();
        var agent = await before.AttachAsync("a");
        await before.CreateAsync(RunFixture.Spec(100, 1));
        await before.UntilAsync(RunState.Ramping);
        await before.UntilAsync(() => agent.Assignments[^1].Phase == Phase.Running, RunFixture.Long, "running");
        var last = agent.Assignments[^1];
        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath, at: before.Time.GetUtcNow().AddMinutes(10));
        var hello = FakeAgent.MakeHello("a");
        hello.Held = new() { RunId = last.RunId, Revision = last.Revision, StoreId = last.StoreId, Phase = Phase.Running, Held = 100 };

        var back = await after.AttachAsync(hello);
        await after.UntilAsync(() => back.Assignments.Count > 0, RunFixture.Long, "an assignment");

        var drain = back.Assignments[0];
        using (Assert.EnterMultipleScope())
        {
            Assert.That((drain.RunId, drain.Phase, drain.Revision.Epoch), Is.EqualTo((last.RunId, Phase.Drained, 2UL)));
            Assert.That((drain.Slice, drain.Schedule, drain.DrainTimeout), Is.EqualTo((last.Slice, last.Schedule, last.DrainTimeout)));
            Assert.That(drain.Destinations, Is.EqualTo(last.Destinations));
            Assert.That(drain.StoreId, Is.EqualTo(last.StoreId));
        }

        await after.UntilAsync(() => after.Host.Agents.Find("a")!.Status is { Phase: Phase.Drained, Held: 0 }, RunFixture.Long, "drained");
    }

    [Test]
    public async Task CreateRun_RequestOfAnEarlierLife_IsTheSameRun()
    {
        await using var before = await FleetFixture.StartAsync();
        await before.AttachAsync("a");
        var request = new CreateRunRequest { Spec = RunFixture.Spec(100, 1), RequestId = "q1" };
        var run = await before.Control.CreateRunAsync(request);
        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath);

        var again = await after.Control.CreateRunAsync(request);

        Assert.That(again.Id, Is.EqualTo(run.Id));
        Assert.That(after.Host.Runs.All, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Start_WithEndedRuns_ShowsThemWithTheirSummaries()
    {
        await using var before = await FleetFixture.StartAsync();
        await before.AttachAsync("a");
        await before.CreateAsync(RunFixture.Spec(100, 1));
        var (run, _) = await before.EndAsync();
        var sockets = await before.Control.GetRunSocketsAsync(new());
        await before.Host.DisposeAsync();

        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath);

        Assert.That((sockets.RunId, sockets.States.Single().Count), Is.EqualTo((run.Id, 100UL)), "while it is known, as counted before the drain");
        Assert.That((sockets.Sources.Single().Port, sockets.Destinations.Single().Port), Is.EqualTo((0u, 443u)));
        Assert.That(
            async () => await after.Control.GetRunSocketsAsync(new()),
            Throws.TypeOf<RpcException>().With.Property(nameof(RpcException.StatusCode)).EqualTo(StatusCode.FailedPrecondition)
                .And.Message.Contain($"loadharness runs show {run.Id}"));
        var found = after.Run();
        run.Progress = null;
        Assert.That(found, Is.EqualTo(run));
        using var watch = after.Control.WatchRun(new() { Id = run.Id });
        Assert.That(await watch.ResponseStream.MoveNext(CancellationToken.None), Is.True);
        Assert.That(await watch.ResponseStream.MoveNext(CancellationToken.None), Is.False, "nothing more will come");
        Assert.That(
            async () => await after.Control.ScaleRunAsync(new() { Connections = 1 }),
            Throws.TypeOf<RpcException>().With.Property(nameof(RpcException.StatusCode)).EqualTo(StatusCode.FailedPrecondition));
    }

    [Test]
    public async Task Run_ToItsEnd_LeavesFoldedMeasurementsAndNoSamples()
    {
        await using var fixture = await FleetFixture.StartAsync();
        await fixture.AttachAsync("a");
        await fixture.AttachAsync("b");
        await fixture.CreateAsync(RunFixture.Spec(100, 2, holdSeconds: 25));
        var (run, summary) = await fixture.EndAsync();
        await fixture.Host.DisposeAsync();

        using var store = StoreFixture.Open(fixture.StorePath);

        var opened = summary.GetProperty("result").GetProperty("opened").GetInt64();
        var seconds = store.Folds.Seconds(run.Id);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(opened, Is.EqualTo(100));
            Assert.That(seconds.Sum(s => s.Counters.Opened), Is.EqualTo(opened));
            Assert.That(store.Folds.Agents(run.Id).Sum(a => a.Counters.Opened), Is.EqualTo(opened));
            Assert.That(seconds.Select(s => s.Second), Is.EqualTo(Enumerable.Range(0, seconds.Length)));
            Assert.That(seconds.Max(s => s.Gauges.Established), Is.EqualTo(100));
            Assert.That(store.Runs.Samples(run.Id), Is.Empty);
            Assert.That(store.Runs.LastRevisions(run.Id).Select(r => r.AgentId), Is.EquivalentTo(new[] { "a", "b" }));
        }
    }

    [Test]
    public async Task Revisions_All_AreInTheStoreBeforeTheAgentHasThem()
    {
        await using var fixture = await FleetFixture.StartAsync();
        var agent = await fixture.AttachAsync("a");
        var run = await fixture.CreateAsync(RunFixture.Spec(100, 1));
        await fixture.UntilAsync(() => agent.Assignments.Count > 0, RunFixture.Long, "an assignment");

        await using var after = await FleetFixture.StartAsync(storeOf: fixture.DirectoryPath);
        await after.Host.DisposeAsync();
        using var store = StoreFixture.Open(after.StorePath);
        var stored = Assignment.Parser.ParseFrom(store.Runs.LastRevisions(run.Id).Single().Assignment);

        Assert.That(stored.Revision.Number, Is.GreaterThanOrEqualTo(agent.Assignments[0].Revision.Number));
        Assert.That(stored.Slice, Is.EqualTo(agent.Assignments[0].Slice));
    }

    [Test]
    public async Task Start_MoreRunsThanAreKept_ForgetsTheOldest()
    {
        await using var before = await FleetFixture.StartAsync();
        await before.AttachAsync("a");
        await before.CreateAsync(RunFixture.Spec(10, 1));
        await before.EndAsync();
        await before.Host.DisposeAsync();
        using (var store = StoreFixture.Open(before.StorePath))
        {
            var row = store.Runs.Newest(1).Single();
            await Task.WhenAll(Enumerable.Range(0, RunRegistry.MostRuns + 5).Select(i => store.Runs.SaveAsync(row with { Id = $"2027-{i:00000}" })));
        }

        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath);
        await after.Host.DisposeAsync();

        using var left = StoreFixture.Open(after.StorePath);
        var ids = left.Runs.Newest(5000).Select(r => r.Id).ToArray();
        Assert.That((ids.Length, ids[^1]), Is.EqualTo((RunRegistry.MostRuns, "2027-00005")));
    }
}
