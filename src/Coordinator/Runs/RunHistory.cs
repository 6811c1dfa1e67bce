using System.Collections.Immutable;
using System.Text.Json;
using LoadHarness.Coordinator.Store;

namespace LoadHarness.Coordinator.Runs;

/// <summary>The runs of earlier lives of the coordinator, as they were found when it started.</summary>
internal static partial class RunHistory
{
    /// <summary>
    /// Reads them. Those that went on when the coordinator ended go on; one that had not come so far that there would be anything to go on
    /// with is ended.
    /// </summary>
    /// <param name="environment">What they share.</param>
    /// <param name="atMost">How many, the newest.</param>
    /// <returns>Newest first, each with the id of the request that made it; those that go on are not started.</returns>
    public static ImmutableArray<(IRun Run, string RequestId)> Read(RunEnvironment environment, int atMost)
    {
        var (store, log) = (environment.Store, environment.Log);
        var runs = ImmutableArray.CreateBuilder<(IRun, string)>();
        foreach (var row in store.Runs.Newest(atMost))
        {
            try
            {
                runs.Add((
                    row.EndedAt is not null ? new PastRun(RunRecord.FromRow(row))
                    : GoOn(environment, row) ?? (IRun)new PastRun(RunRecord.FromRow(End(store, row))),
                    row.RequestId));
            }
            catch (Exception e) when (e is JsonException or ArgumentException or NotSupportedException)
            {
                LogUnreadable(log, row.Id, e.Message);
            }
        }

        _ = store.Runs.TrimAsync(atMost);
        RunRecord.SecretsOf(store).KeepOnly(runs.Where(r => r.Item1 is RunController).Select(r => r.Item1.RunId).ToHashSet(StringComparer.Ordinal));
        return runs.ToImmutable();
    }

    private static RunController? GoOn(RunEnvironment environment, RunRow row)
    {
        try
        {
            var record = new RunRecord(row.RequestId, environment.Store, environment.Registry.Clock.Time);
            return KeptRun.Read(environment.Store, row) is { } kept ? RunController.Resume(kept, record, environment) : null;
        }
        catch (Exception e)
        {
            LogNotResumed(environment.Log, e, row.Id);
            return null;
        }
    }

    private static RunRow End(CoordinatorStore store, RunRow row)
    {
        var what = row.State == nameof(RunState.Pending)
            ? "while this run waited for its agents, who were told nothing of it; start it again"
            : "during this run; its agents drain when they attach again, or else when their leases end";
        var ended = row with
        {
            State = nameof(RunState.Failed),
            Reason = $"the coordinator ended at {store.LastWritten:yyyy-MM-dd HH:mm:ss} UTC {what}",
            EndedAt = store.LastWritten,
        };
        _ = store.Runs.SaveAsync(ended);
        _ = store.Folds.DropSamplesAsync(row.Id);
        return ended;
    }

    [LoggerMessage(1211, LogLevel.Warning, "Run {RunId} in the store cannot be read: {Problem}")]
    private static partial void LogUnreadable(ILogger log, string runId, string problem);

    [LoggerMessage(1212, LogLevel.Error, "Run {RunId} cannot go on: what was kept of it cannot be used")]
    private static partial void LogNotResumed(ILogger log, Exception e, string runId);
}
