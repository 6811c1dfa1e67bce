using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The coordinators that a verb means: the one that is named, else those on this machine.</summary>
internal static class Coordinators
{
    /// <summary>Clients of all of them, newest first.</summary>
    /// <exception cref="CliException">There is none.</exception>
    public static IReadOnlyList<ControlClient> Connect(CliContext context, RemoteCoordinator? remote) =>
        remote is null ? LocalCoordinators.Connect(context) : [remote.Connect()];

    /// <summary>The run that is meant, and a client of its coordinator, which the caller disposes.</summary>
    /// <param name="context">Where to look.</param>
    /// <param name="remote">The coordinator that was named; null: this machine's.</param>
    /// <param name="id">A run's identity or the beginning of one; null or empty: the latest run.</param>
    /// <exception cref="CliException">There is no such run.</exception>
    public static async Task<(ControlClient Client, RunView Run)> FindAsync(CliContext context, RemoteCoordinator? remote, string? id)
    {
        if (remote is null)
            return await LocalCoordinators.FindAsync(context, id);
        var client = remote.Connect();
        try
        {
            return (client, await FindAsync(client, id ?? "", context.Interrupts.First));
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private static async Task<RunView> FindAsync(ControlClient client, string id, CancellationToken cancel)
    {
        try
        {
            return await client.GetRunAsync(id, cancel);
        }
        catch (CliException e) when (e.ExitCode == ExitCode.Invalid && id.Length > 0)
        {
            var runs = await client.ListRunsAsync(int.MaxValue, cancel);
            if (runs.Count == 0)
                throw;
            var (_, run) = LocalCoordinators.Choose([.. runs.Select(r => (client, r))], id);
            return await client.GetRunAsync(run.Id, cancel);
        }
    }
}
