using System.Collections.Immutable;
using System.Net;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Cli;

/// <summary>
/// A run with its coordinator in this process and its agents as children. From the first call on it is a client of the
/// control API like any other.
/// </summary>
/// <param name="context">Streams, signals, time.</param>
/// <param name="session">The coordinator and its children.</param>
/// <param name="json">Results as JSON and nothing else.</param>
/// <param name="hlog">Takes the latencies; null: nobody wants them.</param>
internal sealed class LocalRun(CliContext context, LocalSession session, bool json, LatencyFile? hlog = null)
{
    /// <summary>How long agents have to reset their connections after the second interruption.</summary>
    private static readonly TimeSpan _endAtOnceGrace = TimeSpan.FromSeconds(2);

    /// <summary>Last words of a child that are shown.</summary>
    public const int TailLines = 12;

    private static readonly IpAddress _loopback = IpAddress.From(IPAddress.Loopback);
    private static readonly IpAddress _loopbackV6 = IpAddress.From(IPAddress.IPv6Loopback);

    private readonly RunNotes _notes = new();

    /// <summary>The number of agents for a goal on this machine.</summary>
    public static int DefaultAgents(long connections)
    {
        var limits = HostLimits.Read();
        return LocalAgentCount.For(connections, limits.Cores, limits.Descriptors, limits.PrivateDescriptorTables);
    }

    /// <summary>Starts a coordinator for one run.</summary>
    public static async Task<LocalSession> StartSessionAsync(CliContext context) =>
        await LocalSession.StartAsync(
            context.RuntimeRoot, AgentProgram.Locate(), context.StartCoordinator, context.Time, context.Interrupts.First);

    /// <summary>Starts the agents of a spec, and its backend.</summary>
    /// <param name="session">Whose children they are.</param>
    /// <param name="spec">With its number of agents.</param>
    public static async Task StartChildrenAsync(LocalSession session, RunSpec spec)
    {
        await session.StartAgentsAsync(spec.Agents ?? 1, Destinations(spec), [.. spec.Provision.Select(p => p.Cidr)]);
        if (spec.Backends > 0)
            await session.StartBackendAsync(BackendAddresses(spec), spec.BackendListen);
    }

    /// <summary>Runs, shows and reports.</summary>
    /// <param name="spec">With its number of agents.</param>
    public async Task<ExitCode> ExecuteAsync(RunSpec spec)
    {
        var interrupts = context.Interrupts;
        session.Died += Explain;
        using var client = ControlClient.For(session.Paths);
        await StartChildrenAsync(session, spec);
        var run = await client.CreateRunAsync(spec, Guid.NewGuid().ToString(), interrupts.First);
        context.Error.WriteLine($"run {run.Id}, {Wording.Count(spec.Agents ?? 1)} agent{(spec.Agents == 1 ? "" : "s")} on this machine");

        using var drain = interrupts.First.Register(() => _ = StopAsync(client, run.Id, immediately: false));
        using var end = interrupts.Second.Register(() => _ = StopAsync(client, run.Id, immediately: true));
        using var giveUp = new CancellationTokenSource();
        using var giveUpLater = interrupts.Second.Register(() => giveUp.CancelAfter(_endAtOnceGrace));
        var last = await FollowAsync(client, run, giveUp.Token);
        return await ReportAsync(client, last);
    }

    private async Task<RunView> FollowAsync(ControlClient client, RunView run, CancellationToken giveUp)
    {
        var last = run;
        try
        {
            await using var updates = client.WatchRunAsync(run.Id, giveUp).GetAsyncEnumerator(giveUp);
            while (last is { Plan: null, HasEnded: false } && await updates.MoveNextAsync())
                last = updates.Current;
            foreach (var line in last.Plan?.Lines ?? [])
                context.Error.WriteLine(line);
            if (last.Plan is not null)
                context.Error.WriteLine();
            return await Displays.For(context, _notes).FollowAsync(last, updates);
        }
        catch (OperationCanceledException) when (giveUp.IsCancellationRequested)
        {
            await session.KillChildrenAsync();
            return last;
        }
    }

    private async Task<ExitCode> ReportAsync(ControlClient client, RunView run)
    {
        var exitCode = RunReport.Write(run, json, context);
        if (hlog is not null)
            exitCode = ExitCodes.First(exitCode, await hlog.KeepAsync(client, run.Id, context, again: null));
        return context.Interrupts.First.IsCancellationRequested ? ExitCodes.First(ExitCode.Interrupted, exitCode) : exitCode;
    }

    private async Task StopAsync(ControlClient client, string id, bool immediately)
    {
        _notes.Add(immediately ? "ending at once" : "draining; once more (Ctrl-C) ends at once");
        try
        {
            await client.StopRunAsync(id, immediately, CancellationToken.None);
        }
        catch (CliException e)
        {
            _notes.Add(e.Message);
        }
    }

    private void Explain(ChildProcess child, ChildExit exit) =>
        _notes.Add($"{exit.Name} (process {exit.Pid}) has ended by itself: {exit.How}", [.. child.Tail(TailLines)]);

    /// <summary>A backend of a local run is for this host alone: it listens on loopback, over IPv6 when a target is there.</summary>
    private static IEnumerable<IpAddress> BackendAddresses(RunSpec spec) =>
        spec.Targets.SelectMany(t => t.Addresses).Where(a => a == _loopbackV6).Take(1).Prepend(_loopback);

    private static ImmutableArray<Destination> Destinations(RunSpec spec) =>
    [
        .. from target in spec.Targets
           from address in target.Addresses
           from ports in target.Ports
           select new Destination(new IpRange(address, 1), ports, target.Host),
    ];
}
