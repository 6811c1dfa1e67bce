using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>The same run again and again, by the agents a1 and a2 on a host each, whose coordinator may be killed and started again.</summary>
internal sealed class TwoAgentRun(FleetBench fleet)
{
    /// <summary>Connections.</summary>
    public const int Goal = 3000;

    /// <summary>From none to the goal.</summary>
    public const int RampSeconds = 4;

    /// <summary>As long as a coordinator needs to start again on a busy machine, and its state to be asked for, and some more.</summary>
    public const int HoldSeconds = 25;

    private const string Target = "10.77.0.6";

    private readonly NetworkNamespace[] _clients = [fleet.Lan.AddHost("10.77.1.1/16"), fleet.Lan.AddHost("10.77.1.2/16")];
    private readonly NetworkNamespace _target = fleet.Lan.AddHost($"{Target}/16");

    /// <summary>The run's name.</summary>
    public string Id { get; private set; } = "";

    /// <summary>Starts what listens at the target and belongs to no run.</summary>
    public ProgramProcess Listen() => fleet.AgentStart(_target, "backend", "--listen", $"{Target}:9000");

    /// <summary>Starts an agent there that is a run's backend; it is called b.</summary>
    public void JoinBackend() => fleet.Agent(_target, "b", "--role backend");

    /// <summary>Starts an agent.</summary>
    /// <param name="number">1 or 2.</param>
    public void Join(int number) => fleet.Agent(_clients[number - 1], $"a{number}", $"--allow {Target}:9000");

    /// <summary>Starts the run, and returns when it gets ready.</summary>
    /// <param name="options">Such as <c>--agents 2</c>.</param>
    public async Task StartAsync(string options)
    {
        var started = await Bench.FinishAsync(await AskAsync(options));
        Assert.That(started.ExitCode, Is.Zero, started.Log);
    }

    /// <summary>Asks for the run, and returns when the coordinator has it.</summary>
    /// <param name="options">Such as <c>--agents 2</c>.</param>
    /// <returns>The program that asks; it ends when the run gets ready.</returns>
    public async Task<ProgramProcess> AskAsync(string options)
    {
        var asking = fleet.User($"run {Target}:9000 -c {Goal} --ramp {RampSeconds}s --hold {HoldSeconds}s {options} --detach");
        // Who has not been answered yet does not ask another coordinator again.
        Id = (await asking.WaitForLineAsync(@"^run (\S+) of ", Bench.Soon)).Groups[1].Value;
        return asking;
    }

    /// <summary>Waits until a number of connections is there, by the clients' kernels.</summary>
    public Task EstablishedAsync(int atLeast) =>
        Bench.EventuallyAsync(() => Tuples().Count >= atLeast, () => $"{Tuples().Count} are established, and not {atLeast}");

    /// <summary>Waits until the run is in a state.</summary>
    public async Task UntilAsync(string state)
    {
        ProgramResult shown = null!;
        await Bench.EventuallyAsync(
            async () => (shown = await fleet.RunAsync($"runs show {Id} --json")).ExitCode == 0 && Json.Parse(shown.Output).Text("state") == state,
            () => $"the run is not {state}:\n{shown.Log}");
    }

    /// <summary>SIGKILL for the coordinator; returns when another one listens.</summary>
    public async Task KillAndServeAsync()
    {
        fleet.Coordinator.Send(Signal.Kill);
        await fleet.Coordinator.WaitForExitAsync(Bench.Soon);
        await fleet.ServeAsync();
    }

    /// <summary>What is ESTABLISHED by the clients' kernels, client end first.</summary>
    public HashSet<string> Tuples() => [.. _clients.SelectMany(c => Ends(c, "( dport = :9000 )")).Select(f => $"{f[^2]} {f[^1]}")];

    /// <summary>What is ESTABLISHED by the target's kernel, client end first.</summary>
    public HashSet<string> ServerTuples() => [.. Ends(_target, "( sport = :9000 )").Select(f => $"{f[^1]} {f[^2]}")];

    /// <summary>Watches the run to its end.</summary>
    /// <returns>Its summary.</returns>
    public async Task<Json> EndAsync()
    {
        await fleet.RunAsync($"runs watch {Id}");
        var report = await fleet.RunAsync($"runs report {Id} --json");
        await TestContext.Out.WriteLineAsync(report.Output);
        return report.Summary();
    }

    private static IEnumerable<string[]> Ends(NetworkNamespace host, string ports) =>
        new SocketStatistics(host).Lines("established", ports).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
