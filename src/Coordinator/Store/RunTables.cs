using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using Microsoft.Data.Sqlite;

namespace LoadHarness.Coordinator.Store;

/// <summary>Runs, what their agents were told and what they measured. Members may be called from any thread.</summary>
public sealed class RunTables
{
    private const string Columns = "id, request_id, spec, state, reason, created_at, started_at, ended_at, plan, summary";

    private readonly string _path;
    private readonly StoreWriter _writer;

    internal RunTables(string path, StoreWriter writer) => (_path, _writer) = (path, writer);

    /// <summary>The newest runs, newest first.</summary>
    /// <param name="atMost">How many.</param>
    public ImmutableArray<RunRow> Newest(int atMost)
    {
        using var commands = new StoreCommands(StoreFile.Connect(_path, SqliteOpenMode.ReadOnly));
        return [.. commands.Query(ReadRun, $"SELECT {Columns} FROM runs ORDER BY id DESC LIMIT $1", atMost)];
    }

    /// <summary>Keeps a run, new or changed.</summary>
    /// <returns>Completes when it is stored; fails with <see cref="StoreException"/>.</returns>
    public Task SaveAsync(RunRow run) => _writer.EnqueueAsync(s => s.Execute(
        $"""
        INSERT INTO runs ({Columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (id) DO UPDATE SET state = excluded.state, reason = excluded.reason, started_at = excluded.started_at,
          ended_at = excluded.ended_at, plan = excluded.plan, summary = excluded.summary
        """,
        run.Id, run.RequestId, run.Spec, run.State, run.Reason, run.CreatedAt.ToUnixTimeMilliseconds(),
        run.StartedAt?.ToUnixTimeMilliseconds(), run.EndedAt?.ToUnixTimeMilliseconds(), run.Plan, run.Summary));

    /// <summary>Forgets a run and everything that belongs to it.</summary>
    public Task DeleteAsync(string runId) => _writer.EnqueueAsync(s => s.Execute("DELETE FROM runs WHERE id = $1", runId));

    /// <summary>Forgets ended runs, the oldest first.</summary>
    /// <param name="keep">As many of the newest runs stay.</param>
    public Task TrimAsync(int keep) => _writer.EnqueueAsync(s => s.Execute(
        "DELETE FROM runs WHERE ended_at IS NOT NULL AND id NOT IN (SELECT id FROM runs ORDER BY id DESC LIMIT $1)", keep));

    /// <summary>Keeps what an agent is about to be told.</summary>
    /// <param name="revision">A new one.</param>
    /// <param name="now">For the record.</param>
    /// <param name="send">
    /// Called when it is stored, in the order of the calls, on the writer's thread; returns at once. When the store cannot write it is
    /// called too, with the reason, and the revision is stored later: a run that cannot be drained is worse than a record that lags
    /// behind, and what fences revisions off, the epoch, was stored when the store was opened.
    /// </param>
    public void AddRevision(RevisionRow revision, DateTimeOffset now, Action<StoreException?> send) => _writer.Enqueue(
        new StoreWrite(
            s => s.Execute(
                "INSERT INTO revisions (run_id, agent_id, epoch, number, written_at, assignment) VALUES ($1, $2, $3, $4, $5, $6)",
                revision.RunId, revision.AgentId, (long)revision.Epoch, (long)revision.Number, now.ToUnixTimeMilliseconds(),
                revision.Assignment),
            outcome => send(outcome.Problem))
        { CannotWait = true });

    /// <summary>Keeps a sample; one that is there stays as it is.</summary>
    /// <returns>Completes when it is stored; fails with <see cref="StoreException"/>.</returns>
    public Task AddSampleAsync(SampleRow sample) => _writer.EnqueueAsync(s => s.Execute(
        "INSERT OR IGNORE INTO samples (run_id, agent_id, incarnation, sequence, to_millis, sample) VALUES ($1, $2, $3, $4, $5, $6)",
        sample.RunId, sample.AgentId, sample.Incarnation, (long)sample.Sequence, (long)sample.To.TotalMilliseconds, sample.Sample));

    /// <summary>What each agent of a run was told last, in the newest epoch first.</summary>
    public ImmutableArray<RevisionRow> LastRevisions(string runId)
    {
        using var commands = new StoreCommands(StoreFile.Connect(_path, SqliteOpenMode.ReadOnly));
        return
        [
            .. commands.Query(ReadRevision,
                """
                SELECT run_id, agent_id, epoch, number, assignment FROM revisions WHERE run_id = $1
                ORDER BY epoch DESC, number DESC, agent_id
                """,
                runId).DistinctBy(r => r.AgentId),
        ];
    }

    /// <summary>Samples of a run that are not folded away yet, in the order of each agent's sequences.</summary>
    public ImmutableArray<SampleRow> Samples(string runId)
    {
        using var commands = new StoreCommands(StoreFile.Connect(_path, SqliteOpenMode.ReadOnly));
        return
        [
            .. commands.Query(ReadSample,
                """
                SELECT run_id, agent_id, incarnation, sequence, to_millis, sample FROM samples
                WHERE run_id = $1 ORDER BY agent_id, incarnation, sequence
                """,
                runId),
        ];
    }

    private static RunRow ReadRun(SqliteDataReader row) => new(
        row.GetString(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4), Time(row.GetInt64(5)),
        row.IsDBNull(6) ? null : Time(row.GetInt64(6)),
        row.IsDBNull(7) ? null : Time(row.GetInt64(7)),
        row.IsDBNull(8) ? null : row.GetString(8),
        row.IsDBNull(9) ? null : row.GetString(9));

    private static RevisionRow ReadRevision(SqliteDataReader row) => new(
        row.GetString(0), row.GetString(1), (ulong)row.GetInt64(2), (ulong)row.GetInt64(3), row.GetFieldValue<byte[]>(4));

    private static SampleRow ReadSample(SqliteDataReader row) => new(
        row.GetString(0), row.GetString(1), row.GetString(2), (ulong)row.GetInt64(3), TimeSpan.FromMilliseconds(row.GetInt64(4)),
        row.GetFieldValue<byte[]>(5));

    private static DateTimeOffset Time(long millis) => DateTimeOffset.FromUnixTimeMilliseconds(millis);
}
