using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using Microsoft.Data.Sqlite;

namespace LoadHarness.Coordinator.Store;

/// <summary>What happened to runs. Members may be called from any thread.</summary>
public sealed class EventTable
{
    private readonly string _path;
    private readonly StoreWriter _writer;

    internal EventTable(string path, StoreWriter writer) => (_path, _writer) = (path, writer);

    /// <summary>Keeps an event.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="number">1, 2, 3, ... of the run; a number that is there stays as it is.</param>
    /// <param name="happened">It.</param>
    /// <returns>Completes when it is stored; fails with <see cref="StoreException"/>.</returns>
    public Task AddAsync(string runId, int number, RunEvent happened) => _writer.EnqueueAsync(s => s.Execute(
        "INSERT OR IGNORE INTO run_events (run_id, number, elapsed_millis, kind, agent_id, message) VALUES ($1, $2, $3, $4, $5, $6)",
        runId, number, (long)happened.Elapsed.TotalMilliseconds, happened.Kind, happened.AgentId, happened.Message));

    /// <summary>All of a run, oldest first.</summary>
    public ImmutableArray<RunEvent> Of(string runId)
    {
        using var commands = new StoreCommands(StoreFile.Connect(_path, SqliteOpenMode.ReadOnly));
        return
        [
            .. commands.Query(
                r => new RunEvent(TimeSpan.FromMilliseconds(r.GetInt64(0)), r.GetString(1), r.GetString(2), r.GetString(3)),
                "SELECT elapsed_millis, kind, agent_id, message FROM run_events WHERE run_id = $1 ORDER BY number", runId),
        ];
    }
}
