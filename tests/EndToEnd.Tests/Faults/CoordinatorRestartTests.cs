using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>The coordinator is killed while a run goes on and started again within the lease: no connection of the run closes.</summary>
[NonParallelizable]
public sealed class CoordinatorRestartTests : FleetTest
{
    private const string Target = "10.77.0.6";
    private const string Ports = "( dport = :9000 )";
    private const int Goal = 3000;

    private readonly int _seed = Environment.TickCount;
    private NetworkNamespace[] _clients = null!;
    private ProgramProcess _backend = null!;

    [Test]
    public async Task Kill_InTheRamp_GoesOnWithEveryConnection()
    {
        var run = await StartAsync("--ramp 10s --hold 6s");
        await Bench.EventuallyAsync(() => Tuples().Count > 0, () => "nothing was opened");
        await Task.Delay(Moment(6000));
        var before = Tuples();

        await KillAndServeAsync();

        ExpectAllThere(before);
        ExpectUndisturbed(await EndAsync(run), 10, 6);
    }

    [Test]
    public async Task Kill_InTheHold_GoesOnWithEveryConnection()
    {
        var run = await StartAsync("--ramp 2s --hold 16s");
        await Bench.EventuallyAsync(() => Tuples().Count == Goal, () => $"{Tuples().Count} are established");
        await Task.Delay(Moment(8000));
        var before = Tuples();

        await KillAndServeAsync();

        Assert.That(Tuples(), Is.EquivalentTo(before));
        var shown = await Fleet.RunAsync($"runs report {run} --json");
        Assert.That(shown.ExitCode, Is.Zero, shown.Log);
        Assert.That(shown.Summary().Text("run.state"), Is.EqualTo("holding"), "so far");
        ExpectUndisturbed(await EndAsync(run), 2, 16);
    }

    [Test]
    public async Task Kill_InTheDrain_FinishesIt()
    {
        var run = await StartAsync("--ramp 2s --hold 3s");
        await Bench.EventuallyAsync(() => Tuples().Count == Goal, () => $"{Tuples().Count} are established");
        // Whoever does not read closes nothing: so the drain lasts.
        _backend.Send(Signal.Stop);
        await Bench.EventuallyAsync(() => State(run) == "draining", () => State(run));
        await Task.Delay(Moment(2000));

        await KillAndServeAsync();
        _backend.Send(Signal.Continue);

        var summary = await EndAsync(run);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Text("run.state"), Is.EqualTo("completed"));
            Assert.That(summary.Number("result.opened"), Is.EqualTo(Goal));
            Assert.That(summary.Number("result.closed"), Is.EqualTo(Goal));
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(Goal));
            Assert.That(Tuples(), Is.Empty);
        }
    }

    private async Task<string> StartAsync(string options)
    {
        await TestContext.Out.WriteLineAsync($"seed {_seed}");
        _clients = [Fleet.Lan.AddHost("10.77.1.1/16"), Fleet.Lan.AddHost("10.77.1.2/16")];
        await Fleet.ServeAsync();
        _backend = Fleet.AgentStart(Fleet.Lan.AddHost($"{Target}/16"), "backend", "--listen", $"{Target}:9000");
        Fleet.Agent(_clients[0], "a1", $"--allow {Target}:9000");
        Fleet.Agent(_clients[1], "a2", $"--allow {Target}:9000");
        await Fleet.IdleAsync("a1", "a2");
        var started = await Fleet.RunAsync($"run {Target}:9000 -c {Goal} {options} --detach");
        Assert.That(started.ExitCode, Is.Zero, started.Log);
        return Json.Parse((await Fleet.RunAsync("runs list --json")).Output).Elements.Single().Text("id");
    }

    private TimeSpan Moment(int atMostMillis) => TimeSpan.FromMilliseconds(new Random(_seed).Next(atMostMillis));

    private async Task KillAndServeAsync()
    {
        Fleet.Coordinator.Send(Signal.Kill);
        await Fleet.Coordinator.WaitForExitAsync(Bench.Soon);
        await Fleet.ServeAsync();
    }

    private HashSet<string> Tuples() => [.. _clients.SelectMany(c => new SocketStatistics(c).Lines("established", Ports)
        .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Select(f => $"{f[^2]} {f[^1]}"))];

    private string State(string run) =>
        Json.Parse(Bench.FinishAsync(Fleet.User($"runs show {run} --json")).GetAwaiter().GetResult().Output).Text("state");

    private void ExpectAllThere(HashSet<string> before) => Assert.That(before.Except(Tuples()), Is.Empty, "closed meanwhile");

    private async Task<Json> EndAsync(string run)
    {
        await Bench.FinishAsync(Fleet.User($"runs watch {run}"), TimeSpan.FromSeconds(60));
        var report = await Fleet.RunAsync($"runs report {run} --json");
        await TestContext.Out.WriteLineAsync(report.Output);
        return report.Summary();
    }

    private static void ExpectUndisturbed(Json summary, int ramp, int hold)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Text("run.state"), Is.EqualTo("completed"));
            Assert.That(summary.Flag("result.reached"), Is.True);
            Assert.That(summary.Number("result.peakEstablished"), Is.EqualTo(Goal));
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(Goal));
            Assert.That(summary.Number("result.opened"), Is.EqualTo(Goal));
            Assert.That(summary.Number("result.closed"), Is.EqualTo(Goal));
            Assert.That(summary.Number("result.aborted"), Is.Zero);
            Assert.That(summary.Number("result.closedByPeer"), Is.Zero);
            Assert.That(summary.Number("failures.total"), Is.Zero);
            Assert.That(summary.Number("latency.connect.count"), Is.EqualTo(Goal));
            Assert.That(summary.Number("kernel.established"), Is.EqualTo(Goal));
            Assert.That(summary.Flag("kernel.agrees"), Is.True);
            Assert.That(summary.Number("exitCode"), Is.Zero);
            Assert.That(summary.List("gaps"), Is.Empty, "agents kept what they measured meanwhile");
            Assert.That(summary.List("events").Select(e => e.Text("kind")), Does.Contain("coordinator-restarted").And.Not.Contain("agent-lost"));
            Assert.That(summary.List("run.stages").Select(s => s.Text("name")), Is.EqualTo(["prepare", "ramp", "hold", "drain"]));
            Assert.That(summary.Real("run.durationSeconds"), Is.GreaterThanOrEqualTo(ramp + hold));
        }
    }
}
