using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Runs.RunFixture;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>Whole runs with agents that speak the real contract and measure what the test wants.</summary>
public sealed class RunControllerTests
{
    private FleetFixture _fixture = null!;

    [SetUp]
    public async Task SetUp() => _fixture = await FleetFixture.StartAsync();

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    [Test]
    public async Task Run_ObedientAgents_GoesThroughAllStatesToASummary()
    {
        var agents = new[] { await _fixture.AttachAsync("a"), await _fixture.AttachAsync("b") };

        await _fixture.CreateAsync(Spec(1000, agents: 2));
        await _fixture.UntilAsync(RunState.Holding);
        var progress = _fixture.Run().Progress;
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(progress.Established, Is.EqualTo(1000));
            Assert.That((run.State, run.StateReason), Is.EqualTo((RunState.Completed, "")));
            Assert.That(summary.ExitCode(), Is.Zero, run.SummaryJson);
            Assert.That(summary.GetProperty("gaps").GetArrayLength(), Is.Zero);
            Assert.That(summary.GetProperty("notes").GetArrayLength(), Is.Zero);
            Assert.That(summary.GetProperty("run").GetProperty("stages").EnumerateArray().Select(s => s.GetProperty("name").GetString()),
                Is.EqualTo(new[] { "prepare", "ramp", "hold", "drain" }));
            foreach (var agent in agents)
            {
                Assert.That(agent.Assignments.Select(a => a.Phase), Is.EqualTo(new[] { Phase.Prepared, Phase.Running, Phase.Drained }));
                Assert.That(agent.Assignments.Select(a => a.Revision.Number), Is.EqualTo(new[] { 1, 2, 3 }));
                Assert.That(agent.Assignments.Select(a => a.Share), Is.All.EqualTo(500));
            }

            Assert.That(agents[0].Assignments[1].StartNanos, Is.EqualTo(agents[1].Assignments[1].StartNanos));
            Assert.That(
                agents.Select(a => a.Assignments[1].KernelView is null), Is.EqualTo(new[] { false, true }), "one reader a namespace");
            Assert.That(_fixture.Log.Lines, Is.Empty);
        });
    }

    [Test]
    public async Task Run_Ended_FreesItsAgentsForTheNext()
    {
        await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(Spec(10, agents: 1));
        var (first, _) = await _fixture.EndAsync();

        await _fixture.CreateAsync(Spec(20, agents: 1));
        var (second, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(second.Id, Is.Not.EqualTo(first.Id));
            Assert.That(summary.ExitCode(), Is.Zero, second.SummaryJson);
        });
    }

    [Test]
    public async Task Run_AgentsComeLater_WaitsForThemAndSaysSo()
    {
        await _fixture.CreateAsync(Spec(10, agents: 2));
        await _fixture.AttachAsync("a");
        await _fixture.PassAsync(TimeSpan.FromSeconds(2));
        var waiting = _fixture.Run();
        await _fixture.AttachAsync("b");
        var (_, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(waiting.State, Is.EqualTo(RunState.Pending));
            Assert.That(waiting.StateReason, Does.StartWith("1 of 2 agents is there"));
            Assert.That(summary.ExitCode(), Is.Zero);
        });
    }

    [Test]
    public async Task Run_TooFewAgentsInTime_FailsSayingHowMany()
    {
        await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(Spec(10, agents: 2));
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Failed));
            Assert.That(run.StateReason, Does.Contain("1 of 2 agents is there").And.Contain("--ready-timeout"));
            Assert.That(summary.ExitCode(), Is.EqualTo(5));
        });
    }

    [Test]
    public async Task Run_ChildExitsBeforeItIsReady_FailsAtOnceSayingHow()
    {
        await _fixture.CreateAsync(Spec(10, agents: 1));
        _fixture.Host.Agents.ReportExited("agent-1", "exit code 3");
        var (run, _) = await _fixture.EndAsync();

        Assert.That(run.StateReason, Does.Contain("agent-1").And.Contain("exit code 3"));
    }

    [Test]
    public async Task Run_LaggardThatTheRestCanDoWithout_StartsWithoutIt()
    {
        var quick = await _fixture.AttachAsync("quick");
        var slow = await _fixture.AttachAsync("slow");
        slow.Respond = a => a.Phase == Phase.Prepared ? null : FakeAgent.Obey(a);

        await _fixture.CreateAsync(Spec(1000, agents: 2));
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Completed));
            Assert.That(summary.ExitCode(), Is.Zero, run.SummaryJson);
            Assert.That(quick.Assignments.Select(a => a.Share), Is.EqualTo(new[] { 500, 1000, 1000, 1000 }));
            Assert.That(slow.Assignments.Select(a => a.Phase), Is.EqualTo(new[] { Phase.Prepared, Phase.Drained }));
            Assert.That(summary.Notes(), Has.Some.Contains("slow"));
            Assert.That(summary.GetProperty("agents").GetArrayLength(), Is.EqualTo(1));
        });
    }

    [Test]
    public async Task Run_LaggardThatIsNeeded_FailsNamingIt()
    {
        var slow = await _fixture.AttachAsync("slow");
        slow.Respond = _ => null;

        await _fixture.CreateAsync(Spec(1000, agents: 1));
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Failed));
            Assert.That(run.StateReason, Does.Contain("slow (not ready after 10 s)"));
            Assert.That(summary.ExitCode(), Is.EqualTo(5));
        });
    }

    [Test]
    public async Task Run_AgentDiesWhileItPrepares_StartsWithoutItAtOnce()
    {
        await _fixture.AttachAsync("a");
        var dying = await _fixture.AttachAsync("b");
        dying.Respond = _ => null;
        await _fixture.CreateAsync(Spec(1000, agents: 2));
        await _fixture.UntilAsync(RunState.Preparing);
        var before = _fixture.Clock.Nanos;

        _fixture.Host.Agents.ReportExited("b", "signal 9");
        await _fixture.UntilAsync(RunState.Ramping);

        Assert.That(_fixture.Clock.Nanos - before, Is.LessThan(5_000_000_000), "long before the ready timeout");
    }

    [TestCase("address", 2)]
    [TestCase("allow-list", 2)]
    [TestCase("descriptors", 7)]
    [TestCase("internal", 1)]
    public async Task Run_AgentRefuses_FailsWithItsWordsAndTheExitCode(string rule, int exitCode)
    {
        var willing = await _fixture.AttachAsync("willing");
        var refusing = await _fixture.AttachAsync("refusing");
        refusing.Respond = a => a.Phase == Phase.Drained ? FakeAgent.Obey(a) : new AssignmentStatus
        {
            RunId = a.RunId,
            Revision = a.Revision,
            Refused = new() { Field = "slice.blocks.sources", Rule = rule, Message = "this cannot be; do that" },
        };

        await _fixture.CreateAsync(Spec(1000, agents: 2));
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Failed));
            Assert.That(
                run.StateReason,
                Does.Contain("refusing").And.Contain("this cannot be; do that").And.Contain("slice.blocks.sources").And.Contain(rule));
            Assert.That(summary.ExitCode(), Is.EqualTo(exitCode));
            Assert.That(willing.Assignments[^1].Phase, Is.EqualTo(Phase.Drained));
            Assert.That(willing.Assignments.Select(a => a.Phase), Has.None.EqualTo(Phase.Running));
        });
    }

    [Test]
    public async Task Run_TargetRefusesEverything_EndsItselfNamingEndpointAndErrno()
    {
        var agent = await _fixture.AttachAsync("a");
        agent.Measure = (assignment, second, _) =>
        {
            var sample = agent.MakeSample(assignment.RunId, second, 0, failed: 100);
            sample.Failures.Add(new FailureCount
            {
                Reason = new() { Stage = FailureStage.Connect, Party = FailureParty.Target, Cause = FailureCause.Refused },
                Errno = 111,
                Count = 100,
            });
            return sample;
        };

        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 600));
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Failed));
            Assert.That(run.StateReason, Does.Contain("127.0.0.1:9000-9009").And.Contain("ECONNREFUSED").And.Contain("listens"));
            Assert.That(summary.GetProperty("run").GetProperty("reason").GetString(), Is.EqualTo(run.StateReason));
            Assert.That(summary.ExitCode(), Is.EqualTo(4));
            Assert.That(summary.GetProperty("run").GetProperty("durationSeconds").GetDouble(), Is.InRange(5, 20));
            Assert.That(agent.Assignments[^1].Phase, Is.EqualTo(Phase.Drained));
        });
    }

    [Test]
    public async Task Run_LongerThanItMay_DrainsSayingSo()
    {
        var agent = await _fixture.AttachAsync("a");
        agent.Measure = (assignment, second, goal) => agent.MakeSample(assignment.RunId, second, goal / 2, opened: 1);
        var spec = Spec(10, agents: 1, holdSeconds: 3);
        spec.MaxDuration = Google.Protobuf.WellKnownTypes.Duration.FromTimeSpan(TimeSpan.FromSeconds(5));

        await _fixture.CreateAsync(spec);
        var (run, _) = await _fixture.EndAsync();

        // Ramp and hold are exactly as long as it may last: either reason is right, and it must not go on.
        Assert.That(run.State, Is.EqualTo(RunState.Completed));
        Assert.That(agent.Assignments[^1].MaxDuration.ToTimeSpan(), Is.EqualTo(TimeSpan.FromSeconds(5)));
    }
}
