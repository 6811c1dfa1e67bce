using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Runs.RunFixture;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>Runs that are scaled or stopped while they go on.</summary>
public sealed class RunChangesTests
{
    private FleetFixture _fixture = null!;

    [SetUp]
    public async Task SetUp() => _fixture = await FleetFixture.StartAsync();

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    [TestCase(1500u)]
    [TestCase(300u)]
    [TestCase(0u)]
    public async Task Scale_UnderLoad_RampsToTheNewGoalAndKeepsTheEnd(uint goal)
    {
        var agents = new[] { await _fixture.AttachAsync("a"), await _fixture.AttachAsync("b") };
        await _fixture.CreateAsync(Spec(1000, agents: 2, holdSeconds: 20));
        await _fixture.UntilAsync(RunState.Holding);
        var end = _fixture.Run().Plan.DrainFrom;

        var scaled = await _fixture.Control.ScaleRunAsync(
            new() { Connections = goal, Over = Duration.FromTimeSpan(TimeSpan.FromSeconds(3)) });
        var state = scaled.State;
        await _fixture.UntilAsync(RunState.Holding);
        var established = _fixture.Run().Progress.Established;
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(state, Is.EqualTo(RunState.Ramping));
            Assert.That(scaled.Plan.DrainFrom, Is.EqualTo(end));
            Assert.That(established, Is.EqualTo(goal));
            Assert.That(run.State, Is.EqualTo(RunState.Completed));
            Assert.That(summary.GetProperty("run").GetProperty("stages").EnumerateArray().Select(s => s.GetProperty("name").GetString()),
                Is.EqualTo(new[] { "prepare", "ramp", "hold", "scale", "hold", "drain" }));
            Assert.That(
                agents.Sum(a => (long)a.Assignments.Last(x => x.Phase == Phase.Running).Schedule.Points[^1].Goal), Is.EqualTo(goal));
        });
    }

    [Test]
    public async Task Scale_ToMoreThanFits_IsRefusedInWordsAndChangesNothing()
    {
        var agent = await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(Spec(1000, agents: 1));
        await _fixture.UntilAsync(RunState.Holding);

        var refused = await Assert.ThrowsAsync<RpcException>(
            async () => await _fixture.Control.ScaleRunAsync(new() { Connections = 99_000_000 }));

        Assert.Multiple(() =>
        {
            Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.FailedPrecondition));
            Assert.That(refused.Status.Detail, Does.Contain("99,000,000"));
            Assert.That(agent.Assignments, Has.Count.EqualTo(2));
            Assert.That(_fixture.Run().State, Is.EqualTo(RunState.Holding));
        });
    }

    [Test]
    public async Task Scale_NotUnderLoad_SaysWhenItCanBe()
    {
        await _fixture.CreateAsync(Spec(1000, agents: 1));

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _fixture.Control.ScaleRunAsync(new() { Connections = 5 }));

        Assert.Multiple(() =>
        {
            Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.FailedPrecondition));
            Assert.That(refused.Status.Detail, Does.Contain("pending").And.Contain("ramping or holding"));
        });
    }

    [Test]
    public async Task Stop_UnderLoad_Drains()
    {
        var agent = await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 600));
        await _fixture.UntilAsync(RunState.Holding);

        await _fixture.Control.StopRunAsync(new());
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Stopped));
            Assert.That(summary.ExitCode(), Is.EqualTo(130));
            Assert.That(agent.Assignments[^1].Phase, Is.EqualTo(Phase.Drained));
            Assert.That(agent.Assignments[^1].DrainTimeout.ToTimeSpan(), Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(10)));
        });
    }

    [Test]
    public async Task Stop_Immediately_GivesNoTimeToDrain()
    {
        var agent = await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 600));
        await _fixture.UntilAsync(RunState.Holding);

        await _fixture.Control.StopRunAsync(new() { Immediately = true });
        await _fixture.EndAsync();

        Assert.That(agent.Assignments[^1].DrainTimeout.ToTimeSpan(), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public async Task Stop_ImmediatelyWhileDraining_CutsTheDrainShort()
    {
        var agent = await _fixture.AttachAsync("a");
        agent.Respond = a => a.Phase == Phase.Drained && a.DrainTimeout.ToTimeSpan() > TimeSpan.Zero ? null : FakeAgent.Obey(a);
        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 600));
        await _fixture.UntilAsync(RunState.Holding);
        await _fixture.Control.StopRunAsync(new());
        await _fixture.UntilAsync(RunState.Draining);

        await _fixture.Control.StopRunAsync(new() { Immediately = true });
        var (run, _) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Stopped));
            Assert.That(
                agent.Assignments.TakeLast(2).Select(a => a.DrainTimeout.ToTimeSpan() > TimeSpan.Zero), Is.EqualTo(new[] { true, false }));
        });
    }

    [Test]
    public async Task Stop_Pending_EndsWithoutAgents()
    {
        await _fixture.CreateAsync(Spec(1000, agents: 1));

        await _fixture.Control.StopRunAsync(new());
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Stopped));
            Assert.That(summary.ExitCode(), Is.EqualTo(130));
        });
    }

    [Test]
    public async Task Drain_AgentThatNeverConfirms_EndsAtTheDeadlineAndSaysSo()
    {
        var agent = await _fixture.AttachAsync("a");
        agent.Respond = a => a.Phase == Phase.Drained ? null : FakeAgent.Obey(a);
        await _fixture.CreateAsync(Spec(1000, agents: 1));

        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Completed));
            Assert.That(summary.Notes(), Has.Some.Contains("agent a did not confirm").And.Some.Contains("ss -tn"));
        });
    }

    [Test]
    public async Task Samples_SentAgain_CountOnce()
    {
        var agent = await _fixture.AttachAsync("a");
        agent.Measure = (_, _, _) => null;
        var run = await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 30));
        await _fixture.UntilAsync(RunState.Ramping);
        await _fixture.PassAsync(TimeSpan.FromSeconds(4));

        var samples = Enumerable.Range(0, 3).Select(s => agent.MakeSample(run.Id, s, established: 100, opened: 100)).ToArray();
        foreach (var sample in samples.Concat(samples).Concat(samples))
            await agent.UploadAsync(sample);
        var last = await agent.UploadAsync(samples[0]);
        await _fixture.UntilAsync(() => _fixture.Run().Progress?.Opened > 200, Long, "three seconds complete");

        Assert.Multiple(() =>
        {
            Assert.That(_fixture.Run().Progress.Opened, Is.EqualTo(300));
            Assert.That(last, Is.EqualTo(3), "everything is acknowledged");
        });
    }

    [Test]
    public async Task Samples_Malformed_AreLeftOutWithAFindingAndHurtNobodyElse()
    {
        var broken = await _fixture.AttachAsync("broken");
        await _fixture.AttachAsync("sound");
        broken.Measure = (assignment, second, goal) =>
        {
            var sample = broken.MakeSample(assignment.RunId, second, goal, opened: second == 0 ? goal : 0);
            var noHistogram = Google.Protobuf.ByteString.CopyFromUtf8("not one");
            if (second == 1)
                sample.Histograms.Add(new HistogramDelta { Kind = HistogramKind.Connect, Encoded = noHistogram });
            return sample;
        };

        await _fixture.CreateAsync(Spec(1000, agents: 2));
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Completed));
            Assert.That(summary.Notes(), Has.One.Contains("broken").And.One.Contains("sample.histograms[Connect]"));
            Assert.That(summary.GetProperty("gaps").EnumerateArray().Single().GetProperty("agent").GetString(), Is.EqualTo("broken"));
            Assert.That(summary.GetProperty("result").GetProperty("peakEstablished").GetInt64(), Is.EqualTo(1000));
        });
    }
}
