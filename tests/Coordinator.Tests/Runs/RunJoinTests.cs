using Google.Protobuf.WellKnownTypes;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Runs.RunFixture;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>Agents that attach while a run goes on.</summary>
public sealed class RunJoinTests
{
    private FleetFixture _fixture = null!;

    [SetUp]
    public async Task SetUp() => _fixture = await FleetFixture.StartAsync();

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    private static long ShareOf(FakeAgent agent) => (long)(agent.Assignments.LastOrDefault(a => a.Phase == Phase.Running)?.Share ?? 0);

    private void Kill(FakeAgent agent)
    {
        agent.Lively = false;
        _fixture.Host.Agents.ReportExited(agent.Id, "signal 9");
    }

    private Task UntilAsync(Func<bool> condition, string what) => _fixture.UntilAsync(condition, Long, what);

    [Test]
    public async Task Join_NothingMissingOrIgnored_StaysIdle([Values] bool isMissing)
    {
        var hello = FakeAgent.MakeHello("a");
        hello.Inventory.MaxConnections = isMissing ? 600UL : 1000UL;
        var heir = await _fixture.AttachAsync(hello);
        var dying = await _fixture.AttachAsync("b");
        var spec = Spec(1000, agents: 2, holdSeconds: 30);
        spec.OnAgentJoin = isMissing ? AgentJoinPolicy.Ignore : AgentJoinPolicy.Fill;
        await _fixture.CreateAsync(spec);
        await _fixture.UntilAsync(RunState.Holding);
        Kill(dying);
        // Who comes before the other has taken over what he can finds something missing.
        await UntilAsync(() => heir.Assignments[^1].Share == hello.Inventory.MaxConnections, "a has as much of b's share as it may");
        var joiner = await _fixture.AttachAsync("c");
        var (run, _) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(joiner.Assignments, Is.Empty);
            Assert.That(run.Plan.Goal, Is.EqualTo(isMissing ? 600UL : 1000UL));
        });
    }

    [Test]
    public async Task Join_InTheRamp_TakesWhatIsNotOpenYetAndNoScheduleFalls()
    {
        var first = await _fixture.AttachAsync("a");
        var spec = Spec(10_000, agents: 1, holdSeconds: 10);
        spec.Ramp = Duration.FromTimeSpan(TimeSpan.FromSeconds(40));
        spec.ClearAgents();
        await _fixture.CreateAsync(spec);
        await _fixture.UntilAsync(RunState.Ramping);
        await _fixture.PassAsync(TimeSpan.FromSeconds(10));
        var joiner = await _fixture.AttachAsync("b");
        await UntilAsync(() => joiner.Assignments.Count > 0, "b has work");
        var (run, summary) = await _fixture.EndAsync();

        var schedule = first.Assignments.Last(a => a.Phase == Phase.Running).Schedule;
        Assert.Multiple(() =>
        {
            Assert.That(ShareOf(first) + ShareOf(joiner), Is.EqualTo(10_000));
            Assert.That(ShareOf(joiner), Is.InRange(2_000, 5_000));
            Assert.That(schedule.Points[0].Goal, Is.InRange(2_900UL, 3_800UL), "where the ramp stands 2 s later");
            Assert.That(schedule.Points.Select(p => p.Goal), Is.Ordered);
            Assert.That(summary.GetProperty("result").GetProperty("peakEstablished").GetInt64(), Is.EqualTo(10_000));
            Assert.That(run.Events.Single(e => e.Kind == "agent-joined").AgentId, Is.EqualTo("b"));
        });
    }

    [Test]
    public async Task Join_RefusesItsAssignment_IsLeftOutAndTheRunGoesOn()
    {
        await _fixture.AttachAsync("a");
        var dying = await _fixture.AttachAsync("b");
        var spec = Spec(100_000, agents: 2, holdSeconds: 60);
        spec.SourcePorts = "20000-32767";
        await _fixture.CreateAsync(spec);
        await _fixture.UntilAsync(RunState.Holding);
        // Half of the blocks rest: something is missing.
        Kill(dying);
        await UntilAsync(() => _fixture.Run().Plan.Goal < 100_000, "cut");
        var joiner = await _fixture.AttachAsync(FakeAgent.MakeHello("c", "boot/2"));
        joiner.Respond = a => Refused(a);
        await UntilAsync(() => joiner.Assignments.Any(a => a.Phase == Phase.Drained), "c is let go");
        await _fixture.PassAsync(TimeSpan.FromSeconds(3));

        Assert.Multiple(() =>
        {
            Assert.That(_fixture.Run().State, Is.AnyOf(RunState.Holding, RunState.Ramping));
            Assert.That(joiner.Assignments.Count(a => a.Phase == Phase.Running), Is.EqualTo(1), "it is not asked again");
            Assert.That(_fixture.Run().Events.Select(e => e.Message), Has.Some.Contains("did not join").And.Some.Contains("no such thing"));
        });
    }

    [Test]
    public async Task Loss_OfEveryAgent_IdleOnesTakeTheShareOver()
    {
        var first = await _fixture.AttachAsync("a");
        var spec = Spec(1000, agents: 1, holdSeconds: 200);
        spec.ClearAgents();
        await _fixture.CreateAsync(spec);
        await _fixture.UntilAsync(RunState.Holding);
        var idle = await _fixture.AttachAsync("b");
        first.Lively = false;
        await UntilAsync(() => ShareOf(idle) == 1000, "b has all of it");
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Completed));
            Assert.That(run.Events.Select(e => e.Kind), Is.SupersetOf(new[] { "agent-lost", "rebalanced", "agent-joined" }));
            Assert.That(run.Progress.Agents.Select(a => (a.AgentId, a.Lost, a.Share)), Is.EqualTo(new[] { ("a", true, 0UL), ("b", false, 1000UL) }));
            Assert.That(summary.ExitCode(), Is.Zero);
        });
    }

    [Test]
    public async Task Loss_OfTheOnlyAgent_ItsNextProcessTakesTheShareOver()
    {
        var first = await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 200));
        await _fixture.UntilAsync(RunState.Holding);
        await first.DisposeAsync();
        var second = await _fixture.AttachAsync("a");
        await UntilAsync(() => ShareOf(second) == 1000, "the next process has all of it");
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Completed));
            Assert.That(run.Plan.Goal, Is.EqualTo(1000));
            Assert.That(summary.Notes(), Has.Some.Contains("nobody is left to take its share"));
            Assert.That(summary.GetProperty("agents").GetArrayLength(), Is.EqualTo(1), "each agent once");
            Assert.That(summary.ExitCode(), Is.Zero);
        });
    }

    [Test]
    public async Task Loss_OfEveryAgent_NobodyComesInTime_Fails()
    {
        var first = await _fixture.AttachAsync("a");
        var spec = Spec(1000, agents: 1, holdSeconds: 600);
        spec.ReadyTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(20));
        await _fixture.CreateAsync(spec);
        await _fixture.UntilAsync(RunState.Holding);
        await first.DisposeAsync();
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.StateReason, Does.StartWith("every agent was lost; a: not heard for").And.Contain("within 20s (--ready-timeout)"));
            Assert.That(summary.GetProperty("target").GetProperty("connections").GetInt64(), Is.EqualTo(1000));
            Assert.That(summary.ExitCode(), Is.EqualTo(5));
        });
    }

    private static AssignmentStatus Refused(Assignment assignment)
    {
        var status = FakeAgent.Obey(assignment);
        if (assignment.Phase == Phase.Drained)
            return status;
        (status.Phase, status.Refused) = (Phase.Unspecified, new() { Field = "slice", Rule = "test", Message = "no such thing" });
        return status;
    }
}
