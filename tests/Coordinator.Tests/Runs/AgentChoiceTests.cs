using Grpc.Core;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Runs.RunFixture;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>Which agents a run takes, which it waits for, and what it says when there are none.</summary>
public sealed class AgentChoiceTests
{
    private FleetFixture _fixture = null!;

    [SetUp]
    public async Task SetUp() => _fixture = await FleetFixture.StartAsync();

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    [Test]
    public async Task Run_Select_TakesThoseThatCarryEveryLabel()
    {
        var chosen = await AttachAsync("chosen", ("zone", "a"), ("rack", "7"));
        var other = await AttachAsync("other", ("zone", "a"), ("rack", "8"));
        var bare = await AttachAsync("bare");
        var spec = Any(100);
        spec.Select.Add("zone", "a");
        spec.Select.Add("rack", "7");

        await _fixture.CreateAsync(spec);
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(summary.ExitCode(), Is.Zero, run.SummaryJson);
            Assert.That(run.Spec.Select, Is.EqualTo(spec.Select));
            Assert.That(chosen.Assignments[0].Share, Is.EqualTo(100));
            Assert.That(other.Assignments.Concat(bare.Assignments), Is.Empty);
        });
    }

    [Test]
    public async Task Run_NoNumber_TakesEveryIdleClientAndNoBackend()
    {
        var clients = new[] { await AttachAsync("a"), await AttachAsync("b") };
        var backend = FakeAgent.MakeHello("c");
        backend.Role = AgentRole.Backend;
        var accepting = await _fixture.AttachAsync(backend);

        await _fixture.CreateAsync(Any(100));
        await _fixture.EndAsync();

        Assert.That(clients.Select(c => c.Assignments[0].Share), Is.EqualTo(new[] { 50, 50 }));
        Assert.That(accepting.Assignments, Is.Empty);
    }

    [Test]
    public async Task Run_NoNumberAndNobodyThere_IsRefusedAtOnce() =>
        Assert.That(
            await RefusedAsync(Any(10)), Does.Contain("no agent is attached").And.Contain("loadharness-agent join").And.Contain("--agents"));

    [Test]
    public async Task Run_NoNumberAndAllBusy_IsRefusedNamingAgentsAndRuns()
    {
        await AttachAsync("a");
        await AttachAsync("b");
        var first = await _fixture.CreateAsync(Spec(10, agents: 2, holdSeconds: 600));
        await _fixture.UntilAsync(RunState.Holding);

        Assert.That(
            await RefusedAsync(Any(10)), Does.Contain($"a works for run {first.Id}, b works for run {first.Id}").And.Contain("--agents"));
    }

    [Test]
    public async Task Run_NoNumberAndNoLabelThatFits_IsRefusedSayingWhichThereAre()
    {
        await AttachAsync("a", ("zone", "west"));
        await AttachAsync("b");
        var spec = Any(10);
        spec.Select.Add("zone", "east");

        Assert.That(
            await RefusedAsync(spec), Does.Contain("zone=east (--select)").And.Contain("a (zone=west)").And.Contain("b (no label)"));
    }

    [Test]
    public async Task Run_NumberAndLabel_WaitsSayingForWhat()
    {
        await AttachAsync("a", ("zone", "west"));
        var spec = Spec(10, agents: 1);
        spec.Select.Add("zone", "east");
        await _fixture.CreateAsync(spec);
        await _fixture.PassAsync(TimeSpan.FromSeconds(1));
        var waiting = _fixture.Run();
        await AttachAsync("b", ("zone", "east"));
        var (_, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(waiting.State, Is.EqualTo(RunState.Pending));
            Assert.That(waiting.StateReason, Is.EqualTo("0 of 1 agents with zone=east are there and idle; there are: a (zone=west)"));
            Assert.That(summary.ExitCode(), Is.Zero);
        });
    }

    [Test]
    public async Task Run_NumberThatIsBusy_WaitsForTheEndOfTheOtherRun()
    {
        await AttachAsync("a");
        var first = await _fixture.CreateAsync(Spec(10, agents: 1));
        await _fixture.UntilAsync(RunState.Ramping);
        var spec = Spec(20, agents: 1);
        spec.ReadyTimeout.Seconds = 60;
        await _fixture.CreateAsync(spec);
        await _fixture.PassAsync(TimeSpan.FromSeconds(1));
        var waiting = _fixture.Run();
        var (second, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(waiting.StateReason, Does.Contain($"a works for run {first.Id}"));
            Assert.That(summary.ExitCode(), Is.Zero, second.SummaryJson);
        });
    }

    [Test]
    public async Task TwoRuns_InOneNamespace_WorkAtOnceOnDisjointAgentsAndBlocks()
    {
        var agents = new[] { await AttachAsync("a"), await AttachAsync("b") };
        await _fixture.CreateAsync(Spec(5000, agents: 1, holdSeconds: 60));
        await _fixture.UntilAsync(RunState.Holding);
        await _fixture.CreateAsync(Spec(7000, agents: 1, holdSeconds: 20));
        await _fixture.UntilAsync(RunState.Holding);
        var both = (await _fixture.Control.ListRunsAsync(new())).Runs;
        await _fixture.UntilAsync(() => _fixture.Host.Runs.All.TrueForAll(r => r.Ended.IsCompleted), Long, "both ended");

        Assert.Multiple(() =>
        {
            Assert.That(both.Select(r => r.State), Is.All.EqualTo(RunState.Holding));
            Assert.That(both.Select(r => r.Progress.Established), Is.EqualTo(new[] { 7000, 5000 }));
            Assert.That(BlocksOf(agents[0]).Intersect(BlocksOf(agents[1])), Is.Empty);
            Assert.That(_fixture.Host.Runs.All.Select(r => r.Snapshot.Value.Reason), Is.All.Empty);
        });
    }

    [Test]
    public async Task TwoRuns_OneAfterTheOther_UseTheSameBlocks()
    {
        var agent = await AttachAsync("a");
        await _fixture.CreateAsync(Spec(5000, agents: 1));
        await _fixture.EndAsync();
        var first = BlocksOf(agent).ToHashSet();
        await _fixture.CreateAsync(Spec(5000, agents: 1));
        await _fixture.EndAsync();

        Assert.That(agent.Assignments[^1].Slice.Blocks, Is.EqualTo(agent.Assignments[0].Slice.Blocks));
        Assert.That(first, Is.Not.Empty);
    }

    [Test]
    public async Task Run_MoreThanAgentsMayHold_IsRefusedNamingAgentAndFlag()
    {
        await AttachLimitedAsync("a", connections: 100, rate: 0);

        Assert.That(await RefusedAsync(Spec(500, agents: 1)), Does.Contain("a on host-of-a 100").And.Contain("--max-connections"));
    }

    [Test]
    public async Task Run_FasterThanAnAgentMay_IsRefusedNamingAgentAndFlag()
    {
        await AttachLimitedAsync("a", connections: 0, rate: 20);

        Assert.That(
            await RefusedAsync(Spec(500, agents: 1)),
            Does.Contain("Agent a on host host-of-a").And.Contain("20/s").And.Contain("250/s").And.Contain("--max-connect-rate"));
    }

    [Test]
    public async Task Run_Limits_MoveTheShareAndCapTheRate()
    {
        var limited = await AttachLimitedAsync("a", connections: 100, rate: 40);
        var free = await AttachAsync("b");
        var spec = Spec(500, agents: 2);
        spec.Ramp.Seconds = 3;

        await _fixture.CreateAsync(spec);
        await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That((limited.Assignments[0].Share, free.Assignments[0].Share), Is.EqualTo((100, 400)));
            Assert.That(limited.Assignments[0].Schedule.ConnectsPerSecond, Is.LessThanOrEqualTo(40));
        });
    }

    private static RunSpec Any(ulong connections)
    {
        var spec = Spec(connections, agents: 1);
        spec.ClearAgents();
        return spec;
    }

    private async Task<string> RefusedAsync(RunSpec spec)
    {
        var before = _fixture.Host.Runs.All.Count;
        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _fixture.CreateAsync(spec));
        Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.FailedPrecondition));
        Assert.That(_fixture.Host.Runs.All, Has.Count.EqualTo(before));
        return refused.Status.Detail;
    }

    private Task<FakeAgent> AttachAsync(string id, params (string Label, string Value)[] labels)
    {
        var hello = FakeAgent.MakeHello(id);
        foreach (var (label, value) in labels)
            hello.Labels.Add(label, value);
        return _fixture.AttachAsync(hello);
    }

    private Task<FakeAgent> AttachLimitedAsync(string id, ulong connections, double rate)
    {
        var hello = FakeAgent.MakeHello(id);
        (hello.Inventory.MaxConnections, hello.Inventory.MaxConnectsPerSecond) = (connections, rate);
        return _fixture.AttachAsync(hello);
    }

    private static IEnumerable<(string Source, uint Port)> BlocksOf(FakeAgent agent) =>
        from block in agent.Assignments.Last(a => a.Slice is not null).Slice.Blocks
        from offset in Enumerable.Range(0, (int)block.Sources.Count)
        from layer in Enumerable.Range(0, (int)block.PortBlocks)
        select (Convert.ToHexString(block.Sources.First.Span) + "+" + offset, block.FirstPort + (256 * (uint)layer));
}
