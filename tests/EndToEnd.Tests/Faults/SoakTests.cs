using System.Diagnostics;
using System.Globalization;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>
/// One run under one fault after another at random moments: whatever happens, the target never sees more than the goal, the goal
/// is back before the next fault, and the report tells of every one. LOADHARNESS_SEED repeats a sequence; it is written to the test's output.
/// </summary>
[NonParallelizable]
public sealed class SoakTests : FleetTest
{
    private const string Target = "10.77.0.6";
    private const int Goal = 2_000;
    // Longer than a coordinator takes to start on a busy machine.
    private const string Lease = "30s";
    private const string ClientEnds = "( dport = :9000 )";

    // Lease, drain deadline and margin of a silent agent, and the time to open its share again.
    private static readonly TimeSpan _recovery = TimeSpan.FromMinutes(3);

    private readonly Dictionary<string, (NetworkNamespace Host, ProgramProcess Process)> _agents = [];
    private NetworkNamespace _target = null!;
    private Random _random = null!;

    [Test]
    [TestCase(0)]
    [TestCase(3600, Category = "Long")]
    public async Task Run_UnderRandomFaults_IsBackAtItsGoalAfterEachAndNeverAboveIt(int atLeastSeconds)
    {
        _random = RandomFaults.Seeded();
        await StartAsync();
        var faults = new (string Name, Func<Task> Strike)[]
        {
            ("kill an agent and start it again", KillAgentAsync),
            ("stop an agent for a while", StopAgentAsync),
            ("cut an agent off for a while", CutOffAsync),
            ("kill the coordinator and start it again", KillCoordinatorAsync),
            ("a reconnect storm", StormAsync),
        };
        var begun = Stopwatch.StartNew();
        await using var watch = new TargetWatch(_target, 9000, 9000);

        do
        {
            _random.Shuffle(faults);
            foreach (var (name, strike) in faults)
            {
                await Task.Delay(_random.Next(500, 2_500));
                await TestContext.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{begun.Elapsed.TotalSeconds,7:0.0} s  {name}"));
                await strike();
                await BackAtGoalAsync(name);
            }
        }
        while (begun.Elapsed.TotalSeconds < atLeastSeconds);

        // The last reading of a kernel counts, and in the seconds of a fault an agent's own count may be missing.
        var undisturbed = 0.0;
        await ReportedAsync("how long the run has gone on", r => (undisturbed = r.Real("run.durationSeconds")) > 0);
        await ReportedAsync("that the kernels agree", r =>
            r.Flag("kernel.agrees") && r.Real("run.durationSeconds") - r.Real("kernel.ageSeconds") > undisturbed + 1);
        await Fleet.RunAsync("runs stop");
        await Fleet.RunAsync("runs watch");
        var ended = await Fleet.RunAsync("runs report --json");
        var summary = ended.Summary();
        var kinds = summary.List("events").Select(e => e.Text("kind")).ToHashSet();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(watch.Most, Is.EqualTo(Goal), "the most server ends that were ever established");
            Assert.That(summary.Number("result.peakEstablished"), Is.EqualTo(Goal));
            Assert.That(summary.Number("result.closedByPeer"), Is.Zero);
            Assert.That(summary.Flag("kernel.agrees"), Is.True, ended.Log);
            Assert.That(kinds, Is.SupersetOf(new[] { "agent-returned", "coordinator-restarted", "storm", "recovered" }), ended.Log);
            Assert.That(Tuples(), Is.Empty, "client ends that are left");
        }
    }

    // Two agents share a host and its endpoint space, two have one of their own each.
    private async Task StartAsync()
    {
        _agents.Clear();
        await Fleet.ServeAsync("--lease", Lease);
        _target = Fleet.Lan.AddHost($"{Target}/16");
        Fleet.AgentStart(_target, "backend", "--listen", $"{Target}:9000");
        var shared = Fleet.Lan.AddHost("10.77.1.1/16");
        var hosts = new[] { shared, shared, Fleet.Lan.AddHost("10.77.1.3/16"), Fleet.Lan.AddHost("10.77.1.4/16") };
        for (var i = 0; i < hosts.Length; i++)
            StartAgent($"a{i + 1}", hosts[i]);
        await Fleet.IdleAsync([.. _agents.Keys]);
        var started = await Fleet.RunAsync($"run {Target}:9000 -c {Goal} --agents 4 --connect-rate 2000 --hold 24h --max-duration 48h --detach");
        Assert.That(started.ExitCode, Is.Zero, started.Log);
        await BackAtGoalAsync("the ramp");
    }

    private void StartAgent(string id, NetworkNamespace host) => _agents[id] = (host, Fleet.Agent(host, id, $"--allow {Target}:9000"));

    private async Task KillAgentAsync()
    {
        var id = AnyAgent();
        var (host, process) = _agents[id];
        process.Send(Signal.Kill);
        await process.WaitForExitAsync(Bench.Soon);
        await Task.Delay(_random.Next(0, 3_000));
        StartAgent(id, host);
    }

    private async Task StopAgentAsync()
    {
        var (_, process) = _agents[AnyAgent()];
        process.Send(Signal.Stop);
        await Task.Delay(_random.Next(1_000, 7_000));
        process.Send(Signal.Continue);
    }

    // Only towards the coordinator: what it loads, it still reaches.
    private async Task CutOffAsync()
    {
        var (host, _) = _agents[AnyAgent()];
        var before = Tuples();
        host.Ip("route", "add", "blackhole", $"{FleetBench.Address}/32");
        await Task.Delay(_random.Next(1_000, 6_000));
        host.Ip("route", "del", "blackhole", $"{FleetBench.Address}/32");
        Assert.That(Tuples(), Is.EquivalentTo(before), "no connection is closed for want of the coordinator");
    }

    private async Task KillCoordinatorAsync()
    {
        var before = Tuples();
        Fleet.Coordinator.Send(Signal.Kill);
        await Fleet.Coordinator.WaitForExitAsync(Bench.Soon);
        await Task.Delay(_random.Next(0, 3_000));
        await Fleet.ServeAsync("--lease", Lease);
        await Fleet.AttachedAsync([.. _agents.Keys]);
        Assert.That(Tuples(), Is.EquivalentTo(before), "no connection is closed for want of the coordinator");
    }

    private async Task StormAsync()
    {
        var before = Tuples();
        var storm = await Fleet.RunAsync("runs reconnect --fraction 10% --within 500ms --close rst");
        Assert.That(storm.ExitCode, Is.Zero, storm.Log);
        await Bench.EventuallyAsync(
            () => Tuples().Intersect(before).Count() <= Goal * 9 / 10, () => $"{Tuples().Intersect(before).Count()} connections are still the same");
        await ReportedAsync("the storm's recovery", r => r.List("events").Select(e => e.Text("kind")).Last(k => k is "storm" or "recovered") == "recovered");
    }

    private string AnyAgent() => _agents.Keys.ElementAt(_random.Next(_agents.Count));

    private async Task BackAtGoalAsync(string after)
    {
        await Bench.EventuallyAsync(
            async () => Tuples().Count == Goal && await HoldsAsync(),
            () => $"{Tuples().Count} of {Goal} connections are established long after this: {after}",
            _recovery);
        Assert.That(Tuples(), Is.Unique);
        // An agent that is not heard yet would have no part in a storm.
        await Fleet.AttachedAsync([.. _agents.Keys]);
    }

    private async Task ReportedAsync(string what, Func<Json, bool> isSo)
    {
        ProgramResult report = null!;
        await Bench.EventuallyAsync(
            async () => (report = await Fleet.RunAsync("runs report --json")).ExitCode == 0 && isSo(report.Summary()),
            () => $"the report does not say {what}:\n{report.Log}");
    }

    private async Task<bool> HoldsAsync()
    {
        var shown = await Fleet.RunAsync("runs show --json");
        return shown.ExitCode == 0 && Json.Parse(shown.Output).Text("state") == "holding";
    }

    private List<string> Tuples() =>
    [
        .. _agents.Values.Select(a => a.Host).Distinct().SelectMany(h => new SocketStatistics(h).Lines("established", ClientEnds))
            .Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2..4])),
    ];
}
