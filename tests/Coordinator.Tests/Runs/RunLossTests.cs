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

        Assert.That((before.Lost, before.Stale), Is.EqualTo((false, true)));
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
}
