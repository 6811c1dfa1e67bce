using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The coordinators that serve on this machine for this user, and the run that a verb means.</summary>
internal static class LocalCoordinators
{
    private const string Remedy = "start one with 'loadharness run' or 'loadharness demo'";

    /// <summary>Clients of all of them, newest first.</summary>
    /// <exception cref="CliException">There is none.</exception>
    public static IReadOnlyList<ControlClient> Connect(CliContext context)
    {
        var live = context.RuntimeRoot.FindLive();
        if (live.Count == 0)
        {
            throw new CliException(ExitCode.Unreachable,
                $"no run is going on here (no coordinator in {context.RuntimeRoot.Path}); {Remedy}");
        }

        return [.. live.Select(TryConnect).OfType<ControlClient>()];
    }

    /// <summary>All runs, newest first, each with its coordinator. One that does not answer is left out as long as another does.</summary>
    /// <param name="clients">Of the coordinators.</param>
    /// <param name="atMost">How many of each.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="CliException">None answers.</exception>
    public static async Task<IReadOnlyList<(ControlClient Client, RunView Run)>> RunsAsync(
        IEnumerable<ControlClient> clients, int atMost, CancellationToken cancel)
    {
        var runs = new List<(ControlClient, RunView Run)>();
        CliException? failure = null;
        foreach (var client in clients)
        {
            try
            {
                runs.AddRange((await client.ListRunsAsync(atMost, cancel)).Select(run => (client, run)));
            }
            catch (CliException e) when (e.ExitCode == ExitCode.Unreachable)
            {
                failure = e;
            }
        }

        return runs.Count == 0 && failure is not null ? throw failure : [.. runs.OrderByDescending(r => r.Run.Created)];
    }

    /// <summary>The run that is meant, and a client of its coordinator, which the caller disposes.</summary>
    /// <param name="context">Where to look.</param>
    /// <param name="id">A run's identity or the beginning of one; null or empty: the latest run.</param>
    /// <exception cref="CliException">There is no such run.</exception>
    public static async Task<(ControlClient Client, RunView Run)> FindAsync(CliContext context, string? id)
    {
        var clients = Connect(context);
        var found = Choose(await RunsAsync(clients, int.MaxValue, context.Interrupts.First), id);
        foreach (var other in clients.Where(c => c != found.Client))
            other.Dispose();
        // A list has neither summaries nor events.
        return (found.Client, await found.Client.GetRunAsync(found.Run.Id, context.Interrupts.First));
    }

    /// <summary>A run that has ended can be looked at and nothing else.</summary>
    /// <param name="run">It.</param>
    /// <param name="verb">What its user wants to do with it.</param>
    /// <exception cref="CliException">It has ended.</exception>
    public static void RequireGoingOn(RunView run, string verb)
    {
        if (run.HasEnded)
            throw new CliException(ExitCode.Invalid, $"run {run.Id} has ended ({LiveView.Wording.State(run.State)}): there is nothing to {verb}");
    }

    internal static (T Client, RunView Run) Choose<T>(IReadOnlyList<(T Client, RunView Run)> runs, string? id)
    {
        if (runs.Count == 0)
            throw new CliException(ExitCode.Unreachable, $"no run is going on here; {Remedy}");
        if (string.IsNullOrEmpty(id))
            return runs[0];
        var exact = runs.Where(r => r.Run.Id == id).ToList();
        var matches = exact.Count > 0 ? exact : [.. runs.Where(r => r.Run.Id.StartsWith(id, StringComparison.Ordinal))];
        if (matches.Count == 1)
            return matches[0];
        var known = string.Join(", ", runs.Take(10).Select(r => r.Run.Id));
        throw new CliException(ExitCode.Invalid, matches.Count == 0
            ? $"{id}: there is no such run here; there are: {known}. Leave it out for the latest."
            : $"{id}: more than one run begins like that; there are: {known}. Write more of it.");
    }

    private static ControlClient? TryConnect(RunPaths paths)
    {
        try
        {
            return ControlClient.For(paths);
        }
        catch (CliException) when (!File.Exists(paths.Credential))
        {
            return null;
        }
    }
}
