using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>
/// A run of a fleet: it belongs to its coordinator, and this process only watches. So it outlives a lost terminal, and a lost connection.
/// </summary>
/// <param name="coordinator">Where.</param>
/// <param name="context">Streams, signals, time.</param>
/// <param name="json">Results as JSON and nothing else.</param>
/// <param name="hlog">Takes the latencies; null: nobody wants them.</param>
internal sealed class RemoteRun(RemoteCoordinator coordinator, CliContext context, bool json, LatencyFile? hlog = null)
{
    /// <summary>How long the end of a run is waited for after the second interruption.</summary>
    private static readonly TimeSpan _endAtOnceGrace = TimeSpan.FromSeconds(10);

    private readonly RunNotes _notes = new();

    /// <summary>Runs, shows and reports.</summary>
    /// <param name="spec">What is wanted.</param>
    /// <param name="detach">Leave the run alone once it is planned.</param>
    public async Task<ExitCode> ExecuteAsync(RunSpec spec, bool detach)
    {
        var interrupts = context.Interrupts;
        interrupts.HangUpDetaches = true;
        using var client = coordinator.Connect();
        // Not given up at the first interruption: a run that was created and that nobody knows of would go on. It is drained instead.
        var run = await client.CreateRunAsync(spec, Guid.NewGuid().ToString(), interrupts.Second);
        context.Error.WriteLine($"run {run.Id} of {coordinator.Url}");

        using var drain = interrupts.First.Register(() => _ = StopAsync(client, run.Id, immediately: false));
        using var end = interrupts.Second.Register(() => _ = StopAsync(client, run.Id, immediately: true));
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(interrupts.HangUp);
        using var giveUpLater = interrupts.Second.Register(() => leave.CancelAfter(_endAtOnceGrace));
        try
        {
            var watch = new LastingWatch(coordinator, client, _notes, context);
            await using var updates = watch.FollowAsync(run.Id, leave.Token).GetAsyncEnumerator(leave.Token);
            var planned = await PlanAsync(run, updates);
            if (detach && !planned.HasEnded)
                return Detached(planned);
            return await ReportAsync(client, await Displays.For(context, _notes).FollowAsync(planned, updates));
        }
        catch (OperationCanceledException) when (leave.IsCancellationRequested)
        {
            Say(interrupts.HangUp.IsCancellationRequested
                ? $"the terminal is lost and run {run.Id} goes on; watch it: {coordinator.Command("watch", run.Id)}"
                : $"run {run.Id} has not ended yet; watch it: {coordinator.Command("watch", run.Id)}");
            return ExitCode.Interrupted;
        }
    }

    private async Task<RunView> PlanAsync(RunView run, IAsyncEnumerator<RunView> updates)
    {
        using var shown = _notes.PassTo(n => context.Error.WriteLine(n.Text));
        var last = run;
        for (var waiting = ""; last is { Plan: null, HasEnded: false } && await updates.MoveNextAsync(); last = updates.Current)
        {
            if (updates.Current is { Plan: null, StateReason: { Length: > 0 } reason } && reason != waiting)
                context.Error.WriteLine(waiting = reason);
        }

        foreach (var line in last.Plan?.Lines ?? [])
            context.Error.WriteLine(line);
        if (last.Plan is not null)
            context.Error.WriteLine();
        return last;
    }

    private ExitCode Detached(RunView run)
    {
        var watch = coordinator.Command("watch", run.Id);
        if (json)
            context.Out.WriteLine(RunJson.Pretty(Of(run, watch)));
        else
            context.Out.WriteLine(run.Id);
        context.Error.WriteLine($"the run goes on by itself; watch it: {watch}");
        return ExitCode.Passed;
    }

    private JsonObject Of(RunView run, string watch) =>
        new() { ["id"] = run.Id, ["coordinator"] = coordinator.Url.ToString(), ["watch"] = watch };

    private async Task<ExitCode> ReportAsync(ControlClient client, RunView run)
    {
        var exitCode = RunReport.Write(run, json, context);
        if (hlog is not null)
            exitCode = ExitCodes.First(exitCode, await hlog.KeepAsync(client, run.Id, context, coordinator.Command("report", run.Id)));
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
            _notes.Add($"{e.Message}; the run goes on; end it later: {coordinator.Command("stop", id)}");
        }
    }

    // The terminal takes nothing any more; who looks for the run finds it beside the sockets of this user's coordinators.
    private void Say(string text)
    {
        context.Error.WriteLine(text);
        try
        {
            context.RuntimeRoot.Ensure();
            var log = Path.Combine(context.RuntimeRoot.Path, "detached.log");
            File.AppendAllText(log, $"{context.Time.GetUtcNow():u} {text}{Environment.NewLine}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or LocalFleet.LocalFleetException)
        {
            // It was worth a try.
        }
    }
}
