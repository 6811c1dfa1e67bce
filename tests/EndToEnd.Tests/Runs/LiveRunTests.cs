using System.Globalization;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Runs;

/// <summary>Steering a run from a second terminal.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class LiveRunTests : BenchTest
{
    private const string Target = "127.0.0.1:9000-9003";

    [Test]
    public async Task Scale_UpThenDownThenToNothing_ConvergesEachTime()
    {
        await Bench.BackendAsync(Target);
        var run = Bench.LoadHarnessLine($"run {Target} -c 2k --agents 2 --ramp 2s --hold 10m --json");
        await run.HoldingAsync(2_000);

        foreach (var goal in new[] { 6_000, 1_000, 0, 3_000 })
        {
            var scaled = await Bench.RunAsync($"runs scale {goal} --over 2s");
            Assert.That(scaled.ExitCode, Is.Zero, scaled.Log);
            await EstablishedAsync(goal);

            // It stays there, for more than a whole second.
            await Task.Delay(2_100);
            Assert.That(Bench.Sockets.Established(9000, 9003), Is.EqualTo(goal));
        }

        var shown = await Bench.ShowOnceKernelSaysAsync(3_000);
        Assert.That(shown.Number("progress.goal"), Is.EqualTo(3_000));

        await Bench.RunAsync("runs stop");
        var ended = await Bench.FinishAsync(run);
        Assert.That(ended.Summary().Number("result.peakEstablished"), Is.GreaterThanOrEqualTo(6_000));
        Assert.That(ended.Summary().Number("failures.total"), Is.Zero);
    }

    [Test]
    public async Task Stop_WhileHolding_DrainsAndReports()
    {
        var backend = await Bench.BackendAsync(Target);
        var run = Bench.LoadHarnessLine($"run {Target} -c 2k --ramp 2s --hold 10m --json");
        await run.HoldingAsync(2_000);

        var stopped = await Bench.RunAsync("runs stop");
        var ended = await Bench.FinishAsync(run, Bench.Soon);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(stopped.ExitCode, Is.Zero, stopped.Log);
            Assert.That(ended.ExitCode, Is.EqualTo(130), "a stopped run was interrupted, by whomever");
            Assert.That(summary.Text("run.state"), Is.EqualTo("stopped").IgnoreCase);
            Assert.That(summary.Flag("result.reached"), Is.True);
            Assert.That(Bench.Sockets.Established(9000, 9003), Is.Zero);
            Assert.That(Bench.Sockets.Count("time-wait", 9000, 9003), Is.GreaterThan(0), "a drain closes with FIN: the client ends rest");
            Assert.That(backend.HasExited, Is.False);
        }
    }

    [Test]
    public async Task Views_OfALiveRun_AgreeWithEachOther()
    {
        await Bench.BackendAsync(Target);
        var run = Bench.LoadHarnessLine($"run {Target} -c 1500 --agents 2 --ramp 2s --hold 10m --name trial");
        await run.HoldingAsync(1_500);
        var id = (await run.WaitForLineAsync(@"^run (\S+?),? ", Bench.Soon)).Groups[1].Value;

        var watch = Bench.LoadHarness("runs", "watch", "--json");
        await watch.WaitForLineAsync("\"established\":1500", Bench.Soon);
        var list = Json.Parse($$"""{ "all": {{(await Bench.RunAsync("runs list --json")).Output}} }""").List("all");
        var agents = Json.Parse($$"""{ "all": {{(await Bench.RunAsync("agents list --json")).Output}} }""").List("all");
        var text = await Bench.RunAsync("runs show");
        await Bench.RunAsync($"runs stop {id} --now");
        var watched = await Bench.FinishAsync(watch, Bench.Soon);
        var ended = await Bench.FinishAsync(run, Bench.Soon);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(list.Select(r => r.Text("id")), Is.EqualTo(new[] { id }));
            Assert.That(list[0].Text("name"), Is.EqualTo("trial"));
            Assert.That(agents.Select(a => a.Text("run")), Is.EqualTo(new[] { id, id }));
            Assert.That(agents.Select(a => a.Number("pid")).Order(), Is.EqualTo(agents.Select(a => a.Number("pid")).Distinct().Order()));
            Assert.That(text.Output, Does.Contain(id).And.Contain("1,500").And.Contain("local-2"));
            Assert.That(watched.Output.TrimEnd().Split('\n').Select(l => Json.Parse(l).Text("id")), Is.All.EqualTo(id));
            Assert.That(ended.Output, Does.Contain("stopped"));
            Assert.That(Bench.Sockets.Established(9000, 9003), Is.Zero);
        }
    }

    [Test]
    public async Task Kill_Loadharness_LeavesNoChildBehind()
    {
        var demo = Bench.LoadHarnessLine("demo -c 2k --hold 5m");
        await demo.HoldingAsync(2_000);
        Assert.That(demo.FamilyOf("loadharness-agent"), Has.Count.EqualTo(3), "two agents and a backend");

        demo.Send(Signal.Kill);

        await Bench.EventuallyAsync(() => demo.Family.Count == 0, () => $"still there: {string.Join("; ", demo.Family)}");
        await Bench.EventuallyAsync(() => Bench.Sockets.Established(9000, 9009) == 0, () => "their connections are still there");
    }

    [Test]
    public async Task Interrupt_Once_DrainsAndReports()
    {
        var demo = Bench.LoadHarnessLine("demo -c 2k --hold 5m --json");
        await demo.HoldingAsync(2_000);

        // The summary's kernel view wants a reading from within the hold.
        var reached = (await Bench.ShowAsync()).Real("progress.elapsedSeconds");
        await Bench.ShowOnceAsync(
            s => s.Has("progress.kernel") && s.Real("progress.elapsedSeconds") - s.Real("progress.kernel.ageSeconds") > reached,
            $"no reading of the kernel since {reached} s");

        // As a terminal does it: to the children as well.
        demo.SendToGroup(Signal.Interrupt);
        var ended = await Bench.FinishAsync(demo, Bench.Soon);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.EqualTo(130), ended.Log);
            Assert.That(summary.Flag("result.reached"), Is.True);
            Assert.That(summary.Flag("kernel.agrees"), Is.True);
            Assert.That(summary.List("agents").Select(a => a.Flag("lost")), Is.All.False, "Ctrl-C reaches the agents too, and they leave it to their coordinator");
            Assert.That(Bench.Sockets.Count("time-wait", 9000, 9009), Is.GreaterThan(0), "drained with FIN");
            Assert.That(demo.Family, Is.Empty);
        }
    }

    [Test]
    public async Task Interrupt_WhileRamping_DrainsAndReports()
    {
        var demo = Bench.LoadHarnessLine("demo -c 60k --ramp 2m --hold 5m --json");
        await demo.RampingAsync();

        demo.SendToGroup(Signal.Interrupt);
        var ended = await Bench.FinishAsync(demo, Bench.Soon);

        Assert.That(ended.ExitCode, Is.EqualTo(130), ended.Log);
        Assert.That(ended.Summary().Flag("result.reached"), Is.False);
        Assert.That(Bench.Sockets.Established(9000, 9009), Is.Zero);
    }

    [Test]
    public async Task Interrupt_Twice_EndsAtOnce()
    {
        var demo = Bench.LoadHarnessLine("demo -c 20k --hold 5m");
        await demo.HoldingAsync(20_000);

        demo.SendToGroup(Signal.Interrupt);
        await demo.WaitForLineAsync("draining", Bench.Soon);
        demo.SendToGroup(Signal.Interrupt);
        var ended = await Bench.FinishAsync(demo, Bench.Soon);

        Assert.That(ended.ExitCode, Is.EqualTo(130), ended.Log);
        Assert.That(demo.Family, Is.Empty);
        Assert.That(Bench.Sockets.Established(9000, 9009), Is.Zero);
    }

    [Test]
    public async Task Kill_OneAgentWhileHolding_IsReportedAsLost()
    {
        await Bench.BackendAsync(Target);
        var run = Bench.LoadHarnessLine($"run {Target} -c 2k --agents 2 --ramp 2s --hold 15s --json");
        await run.HoldingAsync(2_000);
        var victim = run.FamilyOf("loadharness-agent")[0];
        var name = victim.Arguments[victim.Arguments.ToList().IndexOf("--id") + 1];

        ProgramProcess.Send(victim.Pid, Signal.Kill);
        await run.WaitForLineAsync(string.Create(CultureInfo.InvariantCulture, $@"{name}.*{victim.Pid}"), Bench.Soon);
        var ended = await Bench.FinishAsync(run);
        var agents = ended.Summary().List("agents").ToDictionary(a => a.Text("id"), a => a.Flag("lost"));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(agents, Has.Count.EqualTo(2));
            Assert.That(agents[name], Is.True, ended.Log);
            Assert.That(agents.Values.Count(lost => lost), Is.EqualTo(1));
            Assert.That(ended.ExitCode, Is.AnyOf(0, 5), "0 when the other one could take the share over, else 5");
        }
    }

    private Task EstablishedAsync(int goal) => Bench.EventuallyAsync(
        () => Bench.Sockets.Established(9000, 9003) == goal,
        () => $"{Bench.Sockets.Established(9000, 9003)} established, not {goal}");
}
