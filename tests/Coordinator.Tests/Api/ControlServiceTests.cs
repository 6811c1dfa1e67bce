using Google.Protobuf.WellKnownTypes;
using Google.Rpc;
using Grpc.Core;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.Runs;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Runs.RunFixture;

namespace LoadHarness.Coordinator.Tests.Api;

public sealed class ControlServiceTests
{
    private FleetFixture _fixture = null!;

    [SetUp]
    public async Task SetUp() => _fixture = await FleetFixture.StartAsync();

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    [Test]
    public async Task CreateRun_SeveralWrongFields_NamesThemAllInOneBadRequest()
    {
        var spec = new RunSpec
        {
            Targets = { "127.0.0.1:70000" },
            Connections = 0,
            ConnectsPerSecond = -3,
            Sources = { "10.0.0.300" },
            SourcePorts = "9-8",
            Agents = 0,
            Hold = Duration.FromTimeSpan(TimeSpan.FromSeconds(-1)),
        };

        var refused = await RefusedAsync(() => _fixture.Control.CreateRunAsync(new() { Spec = spec }));

        var violations = ViolationsOf(refused);
        Assert.Multiple(() =>
        {
            Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.InvalidArgument));
            Assert.That(violations.Select(v => v.Field), Is.SupersetOf(
                new[] { "--target", "--connections", "--connect-rate", "--sources", "--source-ports", "--agents", "--hold" }));
            Assert.That(violations.Select(v => v.Description), Has.Some.Contains("70000"));
            Assert.That(_fixture.Host.Runs.All, Is.Empty);
        });
    }

    [Test]
    public async Task CreateRun_NoSpec_IsABadRequest()
    {
        var refused = await RefusedAsync(() => _fixture.Control.CreateRunAsync(new()));

        Assert.That(ViolationsOf(refused).Select(v => v.Field), Does.Contain("--target").And.Contains("--connections"));
    }

    [Test]
    public async Task CreateRun_DurationThatIsNone_NamesIt()
    {
        var spec = Spec(10, agents: 1);
        spec.Hold = new Duration { Seconds = 1, Nanos = -5 };

        var refused = await RefusedAsync(() => _fixture.Control.CreateRunAsync(new() { Spec = spec }));

        Assert.That(ViolationsOf(refused).Single().Field, Is.EqualTo("hold"));
    }

    [Test]
    public async Task CreateRun_MoreThanTheAgentsHold_IsAFailedPreconditionAndNoRun()
    {
        await _fixture.AttachAsync("a");

        var refused = await RefusedAsync(() => _fixture.Control.CreateRunAsync(new() { Spec = Spec(90_000_000, agents: 1) }));

        Assert.Multiple(() =>
        {
            Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.FailedPrecondition));
            Assert.That(refused.Status.Detail, Does.Contain("90,000,000"));
            Assert.That(_fixture.Host.Runs.All, Is.Empty);
            Assert.That(_fixture.Host.Agents.Find("a")!.Run, Is.Null, "the agent is free again");
        });
    }

    [Test]
    public async Task CreateRun_SameRequestTwice_MakesOneRun()
    {
        var request = new CreateRunRequest { Spec = Spec(10, agents: 1), RequestId = Guid.NewGuid().ToString() };

        var runs = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _fixture.Control.CreateRunAsync(request).ResponseAsync));

        Assert.Multiple(() =>
        {
            Assert.That(runs.Select(r => r.Id).Distinct(), Has.Exactly(1).Items);
            Assert.That(_fixture.Host.Runs.All, Has.Count.EqualTo(1));
        });
    }

    [Test]
    public async Task CreateRun_Defaults_AreFilledIn()
    {
        var run = await _fixture.Control.CreateRunAsync(new() { Spec = new() { Targets = { "tcp://127.0.0.1:80" }, Connections = 5, Agents = 1 } });

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Pending));
            Assert.That(run.Spec.Hold.Seconds, Is.EqualTo(60));
            Assert.That(run.Spec.ReadyTimeout.Seconds, Is.EqualTo(60));
            Assert.That(run.Spec.ConnectTimeout.Seconds, Is.EqualTo(10));
            Assert.That(run.Spec.MaxDuration.Seconds, Is.EqualTo(24 * 3600));
            Assert.That(run.Spec.OpeningCase, Is.EqualTo(RunSpec.OpeningOneofCase.None));
            Assert.That(run.CreateTime.ToDateTimeOffset(), Is.EqualTo(_fixture.Time.GetUtcNow()).Within(TimeSpan.FromSeconds(1)));
        });
    }

    [Test]
    public async Task UnknownRun_EveryCall_IsNotFound()
    {
        var control = _fixture.Control;
        var calls = new Func<AsyncUnaryCall<Run>>[]
        {
            () => control.GetRunAsync(new() { Id = "nope" }),
            () => control.ScaleRunAsync(new() { Id = "nope", Connections = 1 }),
            () => control.ReconnectRunAsync(new() { Id = "nope", Fraction = 1 }),
            () => control.StopRunAsync(new() { Id = "nope" }),
            () => control.GetRunAsync(new()),
        };
        foreach (var call in calls)
            Assert.That((await RefusedAsync(call)).StatusCode, Is.EqualTo(StatusCode.NotFound));

        using var watch = control.WatchRun(new() { Id = "nope" });
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await watch.ResponseStream.MoveNext(CancellationToken.None));
        Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.NotFound));
    }

    [Test]
    public async Task ListRuns_Pages_AreNewestFirst()
    {
        var ids = new List<string>();
        for (var i = 0; i < 5; i++)
            ids.Insert(0, (await _fixture.CreateAsync(Spec(10, agents: 1))).Id);

        var first = await _fixture.Control.ListRunsAsync(new() { PageSize = 3 });
        var second = await _fixture.Control.ListRunsAsync(new() { PageSize = 3, PageToken = first.NextPageToken });

        Assert.Multiple(() =>
        {
            Assert.That(first.Runs.Concat(second.Runs).Select(r => r.Id), Is.EqualTo(ids));
            Assert.That(second.NextPageToken, Is.Empty);
            Assert.That(_fixture.Run().Id, Is.EqualTo(ids[0]), "no id means the latest");
        });
    }

    [Test]
    public async Task WatchRun_FromBeforeTheStart_SeesEveryStateOnceAndTheSummaryLast()
    {
        await _fixture.CreateAsync(Spec(10, agents: 1));
        using var watch = _fixture.Control.WatchRun(new());
        var seen = new List<Run>();
        var watching = Task.Run(async () =>
        {
            await foreach (var run in watch.ResponseStream.ReadAllAsync())
            {
                lock (seen)
                    seen.Add(run);
            }
        });
        await _fixture.UntilAsync(() => SeenCount() > 3, Long, "an update each second while nothing changes");
        await _fixture.AttachAsync("a");
        // A watcher that is late sees the newest state only: time waits for it.
        foreach (var state in new[] { RunState.Ramping, RunState.Holding })
        {
            await _fixture.UntilAsync(state);
            Assert.That(() => LastSeen(), Is.EqualTo(state).After(60_000, 10));
        }

        await _fixture.EndAsync();
        await watching.WaitAsync(TimeSpan.FromSeconds(60));

        Assert.Multiple(() =>
        {
            var states = seen.Select(r => r.State).ToArray();
            Assert.That(states, Is.Ordered);
            Assert.That(states[0], Is.EqualTo(RunState.Pending));
            Assert.That(states[^1], Is.EqualTo(RunState.Completed));
            Assert.That(states, Is.SupersetOf(new[] { RunState.Ramping, RunState.Holding }));
            Assert.That(seen[^1].SummaryJson, Is.Not.Empty);
            Assert.That(seen.Select(r => r.Progress?.Elapsed.Seconds ?? 0), Is.Ordered);
        });

        RunState LastSeen()
        {
            lock (seen)
                return seen[^1].State;
        }

        int SeenCount()
        {
            lock (seen)
                return seen.Count;
        }
    }

    [Test]
    public async Task WatchRun_WatcherThatNeverReads_DelaysNobody()
    {
        await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(Spec(10, agents: 1));
        using var stuck = _fixture.Control.WatchRun(new());

        var (run, _) = await _fixture.EndAsync();

        Assert.That(run.State, Is.EqualTo(RunState.Completed));
    }

    [Test]
    public async Task ScaleRun_WithoutAGoal_IsABadRequest()
    {
        await _fixture.CreateAsync(Spec(10, agents: 1));

        var refused = await RefusedAsync(() => _fixture.Control.ScaleRunAsync(new()));

        Assert.That(ViolationsOf(refused).Single().Field, Is.EqualTo("connections"));
    }

    [Test]
    public async Task ScaleRun_NegativeTime_IsInvalid()
    {
        await _fixture.CreateAsync(Spec(10, agents: 1));

        var refused = await RefusedAsync(
            () => _fixture.Control.ScaleRunAsync(new() { Connections = 5, Over = Duration.FromTimeSpan(TimeSpan.FromSeconds(-3)) }));

        Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.InvalidArgument));
    }

    [Test]
    public async Task StopRun_EndedRun_StaysAsItIs()
    {
        await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(Spec(10, agents: 1));
        await _fixture.EndAsync();

        var run = await _fixture.Control.StopRunAsync(new());

        Assert.That(run.State, Is.EqualTo(RunState.Completed));
    }

    [Test]
    public async Task ListAgents_IdleBusyAndGone_ShowsEach()
    {
        var hello = FakeAgent.MakeHello("busy");
        hello.Labels.Add("zone", "west");
        await _fixture.AttachAsync(hello);
        var run = await _fixture.CreateAsync(Spec(10, agents: 1, holdSeconds: 600));
        await _fixture.UntilAsync(RunState.Holding);
        await _fixture.AttachAsync("idle");
        var gone = await _fixture.AttachAsync("gone");
        await gone.DisposeAsync();
        await _fixture.UntilAsync(() => _fixture.Host.Agents.Find("gone")!.Session is null, Long, "gone");

        var agents = (await _fixture.Control.ListAgentsAsync(new())).Agents;

        Assert.Multiple(() =>
        {
            Assert.That(
                agents.Select(a => (a.Id, a.RunId, a.Connected)),
                Is.EqualTo(new[] { ("busy", run.Id, true), ("gone", "", false), ("idle", "", true) }));
            Assert.That(agents[0].Labels["zone"], Is.EqualTo("west"));
            Assert.That(agents[0].Inventory, Is.EqualTo(hello.Inventory));
        });
    }

    private static async Task<RpcException> RefusedAsync(Func<AsyncUnaryCall<Run>> call) =>
        (await Assert.ThrowsAsync<RpcException>(async () => await call()))!;

    private static IReadOnlyList<BadRequest.Types.FieldViolation> ViolationsOf(RpcException error)
    {
        var status = Google.Rpc.Status.Parser.ParseFrom(error.Trailers.GetValueBytes("grpc-status-details-bin"));
        Assert.That(status.Code, Is.EqualTo((int)StatusCode.InvalidArgument));
        return status.Details.Single().Unpack<BadRequest>().FieldViolations;
    }
}
