using System.Collections.Immutable;
using System.Text.Json;
using LoadHarness.Coordinator.Store;

namespace LoadHarness.Coordinator.Runs;

/// <summary>The runs of earlier lives of the coordinator, as they were found when it started.</summary>
internal static partial class RunHistory
{
    /// <summary>Reads them. Those that went on when the coordinator ended are ended: nobody conducts them any more.</summary>
    /// <param name="store">Where they are.</param>
    /// <param name="atMost">How many, the newest.</param>
    /// <param name="log">For events.</param>
    /// <returns>Newest first, each with the id of the request that made it.</returns>
    public static ImmutableArray<(PastRun Run, string RequestId)> Read(CoordinatorStore store, int atMost, ILogger log)
    {
        var runs = ImmutableArray.CreateBuilder<(PastRun, string)>();
        foreach (var row in store.Runs.Newest(atMost))
        {
            var ended = row.EndedAt is null ? End(store, row) : row;
            try
            {
                runs.Add((new PastRun(RunRecord.FromRow(ended)), row.RequestId));
            }
            catch (Exception e) when (e is JsonException or ArgumentException or NotSupportedException)
            {
                LogUnreadable(log, row.Id, e.Message);
            }
        }

        _ = store.Runs.TrimAsync(atMost);
        return runs.ToImmutable();
    }

    private static RunRow End(CoordinatorStore store, RunRow row)
    {
        var ended = row with
        {
            State = nameof(RunState.Failed),
            Reason = $"the coordinator ended at {store.LastWritten:yyyy-MM-dd HH:mm:ss} UTC during this run; "
                + "its agents drain when they attach again, or else when their leases end",
            EndedAt = store.LastWritten,
        };
        _ = store.Runs.SaveAsync(ended);
        _ = store.Folds.DropSamplesAsync(row.Id);
        return ended;
    }

    [LoggerMessage(1211, LogLevel.Warning, "Run {RunId} in the store cannot be read: {Problem}")]
    private static partial void LogUnreadable(ILogger log, string runId, string problem);
}
