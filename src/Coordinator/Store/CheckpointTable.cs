using Microsoft.Data.Sqlite;

namespace LoadHarness.Coordinator.Store;

/// <summary>What runs that go on need to go on after a restart. Members may be called from any thread.</summary>
public sealed class CheckpointTable
{
    private readonly string _path;
    private readonly StoreWriter _writer;

    internal CheckpointTable(string path, StoreWriter writer) => (_path, _writer) = (path, writer);

    /// <summary>Keeps how a run is conducted; it replaces what is there.</summary>
    /// <returns>Completes when it is stored; fails with <see cref="StoreException"/>.</returns>
    public Task ConductAsync(string runId, byte[] conduct) => _writer.EnqueueAsync(s => s.Execute(
        """
        INSERT INTO run_checkpoints (run_id, conduct) VALUES ($1, $2)
        ON CONFLICT (run_id) DO UPDATE SET conduct = excluded.conduct
        """,
        runId, conduct));

    /// <summary>What was kept of a run; null when there is nothing, or not how it is conducted.</summary>
    public RunCheckpointRow? Of(string runId)
    {
        using var commands = new StoreCommands(StoreFile.Connect(_path, SqliteOpenMode.ReadOnly));
        return commands.Query(
            r => new RunCheckpointRow(r.GetFieldValue<byte[]>(0), r.IsDBNull(1) ? null : r.GetFieldValue<byte[]>(1)),
            "SELECT conduct, measurements FROM run_checkpoints WHERE run_id = $1 AND conduct IS NOT NULL", runId).FirstOrDefault();
    }

    /// <summary>Keeps what a run has measured, in a transaction of its caller; it replaces what is there.</summary>
    internal static void WriteMeasurements(StoreCommands commands, string runId, byte[] measurements) => commands.Execute(
        """
        INSERT INTO run_checkpoints (run_id, measurements) VALUES ($1, $2)
        ON CONFLICT (run_id) DO UPDATE SET measurements = excluded.measurements
        """,
        runId, measurements);
}

/// <summary>What a run needs to go on. The store does not look into it.</summary>
/// <param name="Conduct">How it is conducted.</param>
/// <param name="Measurements">What it has measured beside its seconds and its samples; null: nothing yet.</param>
public sealed record RunCheckpointRow(byte[] Conduct, byte[]? Measurements);
