using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>Agents of a local fleet that die or stop while a run goes on: their coordinator sees them end.</summary>
[NonParallelizable]
public sealed class AgentLossTests : BenchTest
{
    private const string Target = "127.0.0.1:9000-9009";
    private const int Goal = 20_000;

    [Test]
    public async Task Kill_OneOfFourAtARandomMoment_TheOthersTakeOverAtOnceAndTheTargetNeverSeesMore()
    {
        var random = RandomFaults.Seeded();
        await Bench.BackendAsync(Target);
        await using var target = new TargetWatch(Bench.Namespace, 9000, 9009);
        var run = Bench.LoadHarnessLine($"run {Target} -c {Goal} --agents 4 --connect-rate 5000/s --hold 30s --json");
        await run.RampingAsync();
        await Task.Delay(random.Next(0, 8_000));

        var agents = run.FamilyOf("loadharness-agent");
        ProgramProcess.Send(agents[random.Next(agents.Count)].Pid, Signal.Kill);
        // Before its sockets are closed nothing is missing.
        await run.WaitForLineAsync("was lost after", Bench.Soon);
        await Bench.EventuallyAsync(() => target.Now() == Goal, () => $"{target.Now()} of {Goal} are established");
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(agents, Has.Count.EqualTo(4));
            Assert.That(target.Most, Is.EqualTo(Goal), $"over {target.Samples} samples");
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Number("result.heldEstablishedEnd"), Is.EqualTo(Goal));
            Assert.That(summary.List("agents").Count(a => a.Flag("lost")), Is.EqualTo(1));
            Assert.That(summary.Number("failures.total"), Is.Zero);
            Assert.That(summary.Flag("kernel.agrees"), Is.True, summary.ToString());
            Assert.That(summary.List("events").Select(e => e.Text("kind")), Is.SupersetOf(new[] { "agent-lost", "rebalanced" }));
            Assert.That(summary.Texts("notes"), Has.Some.Contains("signal 9").And.Contains("goes to the others"));
        }
    }

    [Test]
    public async Task Kill_WithFail_DrainsTheOthersAndEndsWith5()
    {
        await Bench.BackendAsync(Target);
        var run = Bench.LoadHarnessLine($"run {Target} -c 4k --agents 4 --ramp 1s --hold 5m --on-agent-loss fail --json");
        await run.HoldingAsync(4_000);

        ProgramProcess.Send(run.FamilyOf("loadharness-agent")[1].Pid, Signal.Kill);
        var ended = await Bench.FinishAsync(run);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.EqualTo(5), ended.Log);
            Assert.That(ended.Summary().Text("run.reason"), Does.Contain("--on-agent-loss fail").And.Contain("signal 9"));
            Assert.That(Bench.Sockets.Established(9000, 9009), Is.Zero);
        }
    }

    [Test]
    public async Task Kill_WithHold_LeavesItsShareOpen()
    {
        await Bench.BackendAsync(Target);
        var run = Bench.LoadHarnessLine($"run {Target} -c 4k --agents 4 --ramp 1s --hold 20s --on-agent-loss hold --json");
        await run.HoldingAsync(4_000);

        ProgramProcess.Send(run.FamilyOf("loadharness-agent")[1].Pid, Signal.Kill);
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.EqualTo(5), ended.Log);
            Assert.That(summary.Number("result.heldEstablishedEnd"), Is.EqualTo(3_000));
            Assert.That(summary.Texts("notes"), Has.Some.Contains("stays open until it is back"));
        }
    }

    [Test]
    public async Task Stop_ForLessThanTheLease_IsNoLossAndNothingIsMissingInTheSums()
    {
        await Bench.BackendAsync(Target);
        var run = Bench.LoadHarnessLine($"run {Target} -c 8k --agents 4 --ramp 2s --hold 25s --json");
        await run.HoldingAsync(8_000);

        var stopped = run.FamilyOf("loadharness-agent")[2].Pid;
        ProgramProcess.Send(stopped, Signal.Stop);
        await Task.Delay(10_000);
        ProgramProcess.Send(stopped, Signal.Continue);
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.List("agents").Any(a => a.Flag("lost")), Is.False);
            Assert.That(summary.Number("result.opened"), Is.EqualTo(8_000), "what was sampled late counts, and nothing was opened again");
            Assert.That(summary.Number("result.closed"), Is.EqualTo(8_000));
            Assert.That(summary.Number("result.heldEstablishedEnd"), Is.EqualTo(8_000));
            Assert.That(summary.List("events").Select(e => e.Text("kind")), Has.None.EqualTo("agent-lost"));
        }
    }
}
