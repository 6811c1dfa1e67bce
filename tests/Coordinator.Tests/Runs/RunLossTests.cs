using Google.Protobuf.WellKnownTypes;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Runs.RunFixture;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>Runs that lose agents while they go on, and get them back.</summary>
public sealed class RunLossTests
{
    private FleetFixture _fixture = null!;

    [SetUp]
    public async Task SetUp() => _fixture = await FleetFixture.StartAsync();

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    private static RunSpec With(RunSpec spec, AgentLossPolicy onLoss)
    {
        spec.OnAgentLoss = onLoss;
        return spec;
    }

    private static long ShareOf(FakeAgent agent) => (long)(agent.Assignments.LastOrDefault(a => a.Phase == Phase.Running)?.Share ?? 0);

    private void Kill(FakeAgent agent, string how = "signal 9")
    {
        agent.Lively = false;
        _fixture.Host.Agents.ReportExited(agent.Id, how);
    }

    private Task UntilAsync(Func<bool> condition, string what) => _fixture.UntilAsync(condition, Long, what);

    [Test]
    public async Task Loss_ByProof_TheOthersTakeItsShareOverAtTheRunsRate()
    {
        var (left, dying) = (await _fixture.AttachAsync("a"), await _fixture.AttachAsync("b"));
        await _fixture.CreateAsync(Spec(1000, agents: 2, holdSeconds: 20));
        await _fixture.UntilAsync(RunState.Holding);
        var before = left.Assignments[^1].Schedule;

        Kill(dying);
        var (run, summary) = await _fixture.EndAsync();

        var after = left.Assignments.Last(a => a.Phase == Phase.Running).Schedule;
        var (from, to) = (after.Points[0], after.Points[1]);
        Assert.Multiple(() =>
        {
            Assert.That((from.Goal, to.Goal), Is.EqualTo((500UL, 1000UL)));
            Assert.That(500 / (to.Elapsed.ToTimeSpan() - from.Elapsed.ToTimeSpan()).TotalSeconds, Is.EqualTo(550).Within(1), "the rate of the 2 s ramp and a tenth");
            Assert.That(after.Points[^1].Elapsed, Is.EqualTo(before.Points[^1].Elapsed), "the end stays");
            Assert.That(run.State, Is.EqualTo(RunState.Completed));
            Assert.That(run.Progress.Agents.Select(a => (a.AgentId, a.Lost, a.Share)), Is.EqualTo(new[] { ("a", false, 1000UL), ("b", true, 0UL) }));
            Assert.That(summary.GetProperty("agents").EnumerateArray().Select(a => a.GetProperty("lost").GetBoolean()), Is.EqualTo(new[] { false, true }));
            Assert.That(summary.Notes(), Has.Some.Contains("signal 9").And.Contains("goes to the others"));
            Assert.That(run.Events.Select(e => e.Kind), Is.SupersetOf(new[] { "agent-lost", "rebalanced" }));
            Assert.That(summary.ExitCode(), Is.Zero, "the goal stood when the drain began");
        });
    }

    [Test]
    public async Task Loss_Held_IsNotedAndTheRestGoesOn()
    {
        await _fixture.AttachAsync("a");
        var dying = await _fixture.AttachAsync("b");
        await _fixture.CreateAsync(With(Spec(1000, agents: 2, holdSeconds: 8), AgentLossPolicy.Hold));
        await _fixture.UntilAsync(RunState.Holding);

        Kill(dying);
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Completed));
            Assert.That(run.Progress.Agents.Select(a => (a.AgentId, a.Lost)), Is.EqualTo(new[] { ("a", false), ("b", true) }));
            Assert.That(summary.GetProperty("agents")[1].GetProperty("lost").GetBoolean(), Is.True);
            Assert.That(summary.Notes(), Has.Some.Contains("signal 9"));
            Assert.That(summary.ExitCode(), Is.EqualTo(5));
        });
    }

    [Test]
    public async Task Loss_BySilence_ComesAfterLeaseDrainAndMargin()
    {
        await _fixture.AttachAsync("a");
        var silent = await _fixture.AttachAsync("b");
        await _fixture.CreateAsync(Spec(1000, agents: 2, holdSeconds: 100));
        await _fixture.UntilAsync(RunState.Holding);
        silent.Lively = false;

        await _fixture.PassAsync(TimeSpan.FromSeconds(43));
        var before = _fixture.Run().Progress.Agents[1];
        await _fixture.UntilAsync(() => _fixture.Run().Progress.Agents[1].Lost, TimeSpan.FromSeconds(10), "lost");

        var (_, summary) = await _fixture.EndAsync();
        var gap = summary.GetProperty("gaps").EnumerateArray().Single();
        var missing = gap.GetProperty("toSecond").GetInt32() - gap.GetProperty("fromSecond").GetInt32();

        Assert.Multiple(() =>
        {
            Assert.That((before.Lost, before.Stale), Is.EqualTo((false, true)));
            Assert.That(gap.GetProperty("agent").GetString(), Is.EqualTo("b"));
            Assert.That(missing, Is.InRange(38, 49), "what it held until lease and drain were over is missing, not zero");
            Assert.That(summary.GetProperty("result").GetProperty("heldEstablishedMin").GetInt64(), Is.EqualTo(500), "then it held nothing for certain");
        });
    }

    [Test]
    public async Task Loss_EveryAgent_FailsTheRunNamingTheLast()
    {
        var agent = await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 600));
        await _fixture.UntilAsync(RunState.Ramping);

        agent.Lively = false;
        _fixture.Host.Agents.ReportExited("a", "exit code 139");
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Failed));
            Assert.That(run.StateReason, Does.Contain("every agent").And.Contain("exit code 139"));
            Assert.That(summary.ExitCode(), Is.EqualTo(5));
        });
    }

    [Test]
    public async Task Return_OfACutOffAgent_GetsItsNewestAssignmentWhole()
    {
        var agent = await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 30));
        await _fixture.UntilAsync(RunState.Holding);
        await agent.DisposeAsync();

        var again = await _fixture.AttachAsync(agent.Hello);
        await _fixture.UntilAsync(() => again.Assignments.Count > 0, Long, "assigned");

        Assert.That(again.Assignments[0], Is.EqualTo(agent.Assignments[^1]));
    }

    [Test]
    public async Task Return_OfAnAgentThatDrainedByItself_OpensItsShareAgain()
    {
        var agent = await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 30));
        await _fixture.UntilAsync(RunState.Holding);
        var running = agent.Assignments[^1];

        var status = FakeAgent.Obey(running);
        status.Phase = Phase.Drained;
        await agent.SendAsync(new AttachRequest { Status = status });
        await _fixture.UntilAsync(() => agent.Assignments.Count == 3, Long, "told again");
        var (_, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(agent.Assignments[2].Phase, Is.EqualTo(Phase.Running));
            Assert.That(agent.Assignments[2].Revision.Number, Is.EqualTo(running.Revision.Number + 1));
            Assert.That(agent.Assignments[2].StartNanos, Is.EqualTo(running.StartNanos));
            Assert.That(summary.Notes(), Has.Some.Contains("drained by itself"));
        });
    }

    [Test]
    public async Task Loss_WithFail_DrainsAndEndsAsAgentsLost()
    {
        var (left, dying) = (await _fixture.AttachAsync("a"), await _fixture.AttachAsync("b"));
        await _fixture.CreateAsync(With(Spec(1000, agents: 2, holdSeconds: 600), AgentLossPolicy.Fail));
        await _fixture.UntilAsync(RunState.Holding);

        Kill(dying);
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Failed));
            Assert.That(run.StateReason, Does.Contain("agent b was lost").And.Contain("signal 9").And.Contain("--on-agent-loss fail"));
            Assert.That(left.Assignments[^1].Phase, Is.EqualTo(Phase.Drained));
            Assert.That(summary.ExitCode(), Is.EqualTo(5), "whatever the last complete second was like");
        });
    }

    [Test]
    public async Task Loss_OfMoreThanTheOthersMayHold_IsCutInWordsAndFilledByWhoJoins()
    {
        var hello = FakeAgent.MakeHello("a");
        hello.Inventory.MaxConnections = 600;
        await _fixture.AttachAsync(hello);
        var dying = await _fixture.AttachAsync("b");
        await _fixture.CreateAsync(Spec(1000, agents: 2, holdSeconds: 60));
        await _fixture.UntilAsync(RunState.Holding);

        Kill(dying);
        await UntilAsync(() => _fixture.Run().Plan.Goal == 600, "cut");
        var joiner = await _fixture.AttachAsync("c");
        await UntilAsync(() => joiner.Assignments.Count > 0, "c has work");
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(ShareOf(joiner), Is.EqualTo(400));
            Assert.That(run.Plan.Goal, Is.EqualTo(1000));
            Assert.That(run.Events.Select(e => e.Kind), Is.SupersetOf(new[] { "agent-lost", "rebalanced", "agent-joined" }));
            Assert.That(summary.Notes(), Has.Some.Contains("600 of 1,000 fit").And.Some.Contains("agent c joined"));
            Assert.That(summary.ExitCode(), Is.Zero);
        });
    }

    [Test]
    public async Task Return_OfAnotherProcess_WaitsUntilTheFirstOnesConnectionsAreGone()
    {
        var other = await _fixture.AttachAsync("a");
        var first = await _fixture.AttachAsync("b");
        await _fixture.CreateAsync(Spec(1000, agents: 2, holdSeconds: 200));
        await _fixture.UntilAsync(RunState.Holding);
        await first.DisposeAsync();

        var second = await _fixture.AttachAsync("b");
        await _fixture.PassAsync(TimeSpan.FromSeconds(40));
        var early = second.Assignments.Count;
        await UntilAsync(() => ShareOf(other) == 1000, "the other one has all of it");
        await _fixture.PassAsync(TimeSpan.FromSeconds(5));
        var run = _fixture.Run();

        Assert.Multiple(() =>
        {
            Assert.That(early, Is.Zero, "the first process may hold its connections until its lease and its drain are over");
            Assert.That(second.Assignments.Count(a => a.Phase == Phase.Running), Is.Zero, "nothing is missing");
            Assert.That(run.Progress.Agents.Select(a => (a.AgentId, a.Lost, a.Share)), Is.EqualTo(new[] { ("a", false, 1000UL), ("b", false, 0UL) }));
            Assert.That(run.Events.Select(e => e.Kind), Is.SupersetOf(new[] { "agent-lost", "rebalanced", "agent-returned" }));
        });
    }

    [Test]
    public async Task Return_AfterItsShareWasGivenAway_DrainsFirstAndStatesTheExcess()
    {
        var (other, stopped) = (await _fixture.AttachAsync("a"), await _fixture.AttachAsync("b"));
        await _fixture.CreateAsync(Spec(1000, agents: 2, holdSeconds: 200));
        await _fixture.UntilAsync(RunState.Holding);
        stopped.Lively = false;
        stopped.Respond = a => stopped.Lively ? FakeAgent.Obey(a) : null;
        await UntilAsync(() => ShareOf(other) == 1000, "the other one has all of it");

        var told = stopped.Assignments[^1];
        stopped.Lively = true;
        await UntilAsync(() => _fixture.Run().Events.Any(e => e.Kind == "agent-returned"), "back");
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(told.Phase, Is.EqualTo(Phase.Drained), "what it hears first when it wakes");
            Assert.That(summary.Notes(), Has.Some.Contains("up to 500 connections more than the goal"));
            Assert.That(summary.GetProperty("agents").GetArrayLength(), Is.EqualTo(2), "each agent once");
            Assert.That(run.State, Is.EqualTo(RunState.Completed));
        });
    }

    [Test]
    public async Task Return_WithHold_TakesItsShareUpAgain()
    {
        await _fixture.AttachAsync("a");
        var first = await _fixture.AttachAsync("b");
        await _fixture.CreateAsync(With(Spec(1000, agents: 2, holdSeconds: 60), AgentLossPolicy.Hold));
        await _fixture.UntilAsync(RunState.Holding);
        Kill(first);
        await UntilAsync(() => _fixture.Run().Events.Any(e => e.Kind == "agent-lost"), "lost");
        await first.DisposeAsync();

        var second = await _fixture.AttachAsync("b");
        await UntilAsync(() => ShareOf(second) == 500, "its share is its own again");
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.Progress.Agents.Select(a => (a.AgentId, a.Lost, a.Share)), Is.EqualTo(new[] { ("a", false, 500UL), ("b", false, 500UL) }));
            Assert.That(summary.ExitCode(), Is.Zero);
        });
    }

    [Test]
    public async Task Return_WithHold_OfTheOnlyAgent_TheRunWaitedForIt()
    {
        var first = await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(With(Spec(1000, agents: 1, holdSeconds: 200), AgentLossPolicy.Hold));
        await _fixture.UntilAsync(RunState.Holding);
        await first.DisposeAsync();
        await UntilAsync(() => _fixture.Run().Events.Any(e => e.Kind == "agent-lost"), "lost");
        await _fixture.PassAsync(TimeSpan.FromSeconds(10));

        var second = await _fixture.AttachAsync("a");
        await UntilAsync(() => ShareOf(second) == 1000, "its share is its own again");
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Completed));
            Assert.That(summary.ExitCode(), Is.Zero);
        });
    }

    [Test]
    public async Task Loss_WithHold_OfEveryAgentWhoseParentSawItEnd_FailsTheRun()
    {
        var agent = await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(With(Spec(1000, agents: 1, holdSeconds: 600), AgentLossPolicy.Hold));
        await _fixture.UntilAsync(RunState.Holding);

        Kill(agent);
        var (run, _) = await _fixture.EndAsync();

        Assert.That((run.State, run.StateReason), Is.EqualTo((RunState.Failed, "every agent was lost; a: its process has ended: signal 9")));
    }
}
