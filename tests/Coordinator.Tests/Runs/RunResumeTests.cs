using System.Text.Json;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;
using RunState = LoadHarness.V1.RunState;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>Runs that go on after their coordinator was killed.</summary>
public sealed class RunResumeTests
{
    [Test]
    public async Task Start_AfterAKillInTheRamp_GoesOnToTheEnd()
    {
        await using var before = await FleetFixture.StartAsync();
        var agent = await before.AttachAsync("a");
        await before.CreateAsync(RunFixture.Spec(100, 1));
        await before.UntilAsync(RunState.Ramping);
        await before.UntilAsync(() => agent.Assignments[^1].Phase == Phase.Running, RunFixture.Long, "running");
        var last = agent.Assignments[^1];

        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath, at: before.Time.GetUtcNow().AddSeconds(3));
        Assert.That(after.Run().State, Is.EqualTo(RunState.Ramping));
        var back = await after.AttachAsync(Holding(agent, last, 50));
        await after.UntilAsync(() => back.Assignments.Count > 0, RunFixture.Long, "an assignment");

        var told = back.Assignments[0];
        using (Assert.EnterMultipleScope())
        {
            Assert.That((told.RunId, told.Phase, told.Revision.Epoch), Is.EqualTo((last.RunId, Phase.Running, 2UL)));
            Assert.That((told.Slice, told.Schedule, told.StartNanos), Is.EqualTo((last.Slice, last.Schedule, last.StartNanos)));
            Assert.That(told.Destinations, Is.EqualTo(last.Destinations));
            Assert.That(told.KernelView, Is.EqualTo(last.KernelView));
        }

        var (run, summary) = await after.EndAsync();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.State, Is.EqualTo(RunState.Completed), run.StateReason);
            Assert.That(summary.GetProperty("events").EnumerateArray().Select(e => e.GetProperty("kind").GetString()), Does.Contain("coordinator-restarted"));
            Assert.That(summary.GetProperty("result").GetProperty("reached").GetBoolean(), Is.True);
        }
    }

    [Test]
    public async Task Start_AfterAKillInTheDrain_CountsBySourceAreThoseOfTheHold()
    {
        await using var before = await FleetFixture.StartAsync();
        var agent = await before.AttachAsync("a");
        await before.CreateAsync(RunFixture.Spec(100, 1));
        await before.UntilAsync(RunState.Holding);
        (agent.Lively, agent.Respond) = (false, a => a.Phase == Phase.Drained ? null : FakeAgent.Obey(a));
        await before.UntilAsync(RunState.Draining);
        await agent.UploadAsync(agent.MakeDrainingSample(agent.Assignments[^1], 30));

        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath, at: before.Time.GetUtcNow().AddSeconds(1));
        var (_, summary) = await after.EndAsync();

        Assert.That(summary.GetProperty("kernel").GetProperty("bySource").GetProperty("127.0.0.1").GetInt64(), Is.EqualTo(100));
    }

    [Test]
    public async Task Start_AfterTheMachineWasStartedAnew_TakesTheTimeFromAnAgent()
    {
        await using var before = await FleetFixture.StartAsync();
        var agent = await before.AttachAsync("a");
        await before.CreateAsync(RunFixture.Spec(100, 1));
        await before.UntilAsync(RunState.Holding);
        var last = agent.Assignments[^1];
        // Its clock says less than when the store was written.
        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath);
        var hello = Holding(agent, last, 100);
        hello.Held.ElapsedNanos = 3_000_000_000;

        var back = await after.AttachAsync(hello);
        var attachedNanos = after.Clock.Nanos;
        await after.UntilAsync(() => back.Assignments.Count > 0, RunFixture.Long, "an assignment");

        Assert.That(back.Assignments[0].Phase, Is.EqualTo(Phase.Running));
        Assert.That(back.Assignments[0].StartNanos, Is.EqualTo(attachedNanos - 3_000_000_000).Within(500_000_000));
        var (run, summary) = await after.EndAsync();
        Assert.That(run.State, Is.EqualTo(RunState.Completed), run.StateReason);
        Assert.That(summary.GetProperty("run").GetProperty("durationSeconds").GetDouble(), Is.InRange(6, 12));
    }

    [Test]
    public async Task Start_AfterAKillWhileItWaitsForAgents_WaitsAgainAndRuns()
    {
        await using var before = await FleetFixture.StartAsync();
        await before.AttachAsync("a");
        var run = await before.CreateAsync(RunFixture.Spec(100, 2));
        Assert.That(run.State, Is.EqualTo(RunState.Pending), "one of two is there");

        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath, at: before.Time.GetUtcNow().AddSeconds(3));
        await after.AttachAsync("a");
        await after.PassAsync(TimeSpan.FromSeconds(2));
        Assert.That(after.Run().State, Is.EqualTo(RunState.Pending));
        await after.AttachAsync("b");

        var (ended, summary) = await after.EndAsync();
        using (Assert.EnterMultipleScope())
        {
            Assert.That((ended.Id, ended.State), Is.EqualTo((run.Id, RunState.Completed)), ended.StateReason);
            Assert.That(summary.GetProperty("result").GetProperty("opened").GetInt64(), Is.EqualTo(100));
            Assert.That(summary.GetProperty("agents").GetArrayLength(), Is.EqualTo(2));
            Assert.That(summary.GetProperty("events")[0].GetProperty("kind").GetString(), Is.EqualTo("coordinator-restarted"));
        }
    }

    [Test]
    public async Task Start_LongAfterAKillWhileItWaitsForAgents_FailsInWords()
    {
        await using var before = await FleetFixture.StartAsync();
        await before.AttachAsync("a");
        await before.CreateAsync(RunFixture.Spec(100, 2));

        // It was to wait for 10 s.
        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath, at: before.Time.GetUtcNow().AddSeconds(11));

        Assert.That(after.Run().State, Is.EqualTo(RunState.Failed));
        Assert.That(after.Run().StateReason, Does.StartWith("the coordinator ended at").And.Contain("waited for its agents").And.Contain("start it again"));
    }

    [Test]
    public async Task Start_WhileItWaitsForAgentsThatDoNotCome_NamesThemAndEnds()
    {
        await using var before = await FleetFixture.StartAsync();
        await before.AttachAsync("a");
        await before.CreateAsync(RunFixture.Spec(100, 2));

        await using var after = await FleetFixture.StartAsync(storeOf: before.DirectoryPath, at: before.Time.GetUtcNow().AddSeconds(3));
        await after.AttachAsync("a");
        var (ended, _) = await after.EndAsync();

        Assert.That((ended.State, ended.StateReason), Is.EqualTo((RunState.Failed, "1 of 2 agents is there and idle within 10 s (--ready-timeout)")));
        Assert.That(after.Log.Lines, Is.EqualTo(new[] { $"Warning 1204 Run {ended.Id} goes on as Pending after a restart of the coordinator; 2 agents are waited for " }));
    }

    private static Hello Holding(FakeAgent agent, Assignment last, ulong held)
    {
        var hello = agent.Hello.Clone();
        hello.Held = new() { RunId = last.RunId, Revision = last.Revision, StoreId = last.StoreId, Phase = last.Phase, Held = held };
        return hello;
    }
}
