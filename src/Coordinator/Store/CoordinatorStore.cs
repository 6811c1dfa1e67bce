using Microsoft.Data.Sqlite;

namespace LoadHarness.Coordinator.Store;

/// <summary>
/// What a coordinator keeps over its restarts: runs, what agents were told, what they measured, and whose keys they have. One SQLite
/// file in WAL mode; one thread writes, readers have connections of their own. Members may be called from any thread.
/// </summary>
public sealed class CoordinatorStore : IDisposable
{
    private readonly string _path;
    private readonly StoreWriter _writer;
    private readonly Lazy<StoreAgentKeys> _agentKeys;

    private CoordinatorStore(string path, StoreWriter writer, StoreOpening opening)
    {
        (_path, _writer, Id, Epoch, LastWritten, AwayFor) = (path, writer, opening.Id, opening.Epoch, opening.LastWritten, opening.AwayFor);
        _agentKeys = new(() => new StoreAgentKeys(path, writer));
        Runs = new RunTables(path, writer);
        Folds = new FoldTables(path, writer);
        Events = new EventTable(path, writer);
        Checkpoints = new CheckpointTable(path, writer);
    }

    /// <summary>Where its file is.</summary>
    public string Directory => Path.GetDirectoryName(_path)!;

    /// <summary>Names this store for good.</summary>
    public string Id { get; }

    /// <summary>How often it has been opened: grows by one each time, and is kept before this object exists.</summary>
    public ulong Epoch { get; }

    /// <summary>When something was written the last time before it was opened.</summary>
    public DateTimeOffset LastWritten { get; }

    /// <summary>
    /// For how long nothing had been written to it when it was opened, by a clock that nobody can set; null when the machine was started
    /// anew since, or the store is new.
    /// </summary>
    public TimeSpan? AwayFor { get; }

    /// <summary>Why nothing can be written now, in words; null while it can.</summary>
    public string? Problem => _writer.Problem;

    /// <summary>Rows that are not written yet.</summary>
    internal int Waiting => _writer.Waiting;

    /// <summary>Runs and what belongs to them.</summary>
    public RunTables Runs { get; }

    /// <summary>What runs have measured, folded.</summary>
    public FoldTables Folds { get; }

    /// <summary>What happened to runs.</summary>
    public EventTable Events { get; }

    /// <summary>What runs that go on need to go on after a restart.</summary>
    public CheckpointTable Checkpoints { get; }

    /// <summary>Which key each identity is bound to.</summary>
    public StoreAgentKeys AgentKeys => _agentKeys.Value;

    /// <summary>Opens a store; makes it when there is no file.</summary>
    /// <param name="path">The file; its directory exists and is this user's.</param>
    /// <param name="time">What the record says.</param>
    /// <param name="log">For events.</param>
    /// <exception cref="StoreException">It cannot be used; the message says what to do, and the file is as it was.</exception>
    public static CoordinatorStore Open(string path, TimeProvider time, ILogger log) => Open(path, StoreSchema.Present, time, log);

    internal static CoordinatorStore Open(string path, StoreSchema schema, TimeProvider time, ILogger log)
    {
        path = Path.GetFullPath(path);
        var now = time.GetUtcNow();
        var connection = StoreFile.Open(path, schema, now);
        try
        {
            var opening = BeginEpoch(connection, time);
            return new(path, new StoreWriter(connection, path, time, log), opening);
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw new StoreException($"cannot write to the store {path}: {StoreFile.Explain(e, path)}", e);
        }
    }

    /// <summary>Waits until what has been told so far is written.</summary>
    /// <returns>Fails with <see cref="StoreException"/>.</returns>
    public Task FlushAsync() => _writer.EnqueueAsync(_ => { });

    /// <summary>Writes what is queued and closes the file. A store that cannot write is not waited for.</summary>
    public void Dispose() => _writer.Dispose();

    private static StoreOpening BeginEpoch(SqliteConnection connection, TimeProvider time)
    {
        using var transaction = connection.BeginTransaction();
        using var read = connection.CreateCommand();
        read.CommandText = "SELECT store_id, epoch, written_at, written_nanos, boot_id FROM meta";
        using var reader = read.ExecuteReader();
        reader.Read();
        var nanos = StoreClock.Nanos(time) - reader.GetInt64(3);
        var comparable = reader.GetString(4) == BootId.Present && BootId.Present.Length > 0 && nanos >= 0;
        var opening = new StoreOpening(
            reader.GetString(0), (ulong)reader.GetInt64(1) + 1, DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(2)),
            comparable ? new TimeSpan(nanos / TimeSpan.NanosecondsPerTick) : null);
        reader.Close();
        using var write = connection.CreateCommand();
        write.CommandText = "UPDATE meta SET epoch = $epoch, written_at = $now, written_nanos = $nanos, boot_id = $boot";
        write.Parameters.AddWithValue("$epoch", (long)opening.Epoch);
        write.Parameters.AddWithValue("$now", time.GetUtcNow().ToUnixTimeMilliseconds());
        write.Parameters.AddWithValue("$nanos", StoreClock.Nanos(time));
        write.Parameters.AddWithValue("$boot", BootId.Present);
        write.ExecuteNonQuery();
        transaction.Commit();
        return opening;
    }

    private sealed record StoreOpening(string Id, ulong Epoch, DateTimeOffset LastWritten, TimeSpan? AwayFor);
}
