using System.Collections.Immutable;
using System.IO.Compression;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Protos;
using LoadHarness.V1;
using Microsoft.Data.Sqlite;

namespace LoadHarness.Coordinator.Store;

/// <summary>
/// What samples are folded into: a run by the second, its agents, failures and latencies by 10 s. Members may be called from any thread.
/// </summary>
public sealed class FoldTables
{
    // A day of latencies is more than anybody wants in memory at once.
    private const int SecondsTogether = 60 * SampleFold.Length;

    private static readonly string _insertSecond = InsertSecond("run_seconds");
    private static readonly string _insertBackendSecond = InsertSecond("backend_seconds");

    private static string InsertSecond(string table) =>
        $"""
        INSERT INTO {table} (run_id, second, missing, saturated, {MeasureColumns.All})
          VALUES ($1, $2, $3, $4, {MeasureColumns.Parameters(5)})
        ON CONFLICT (run_id, second) DO UPDATE SET missing = excluded.missing, saturated = excluded.saturated, {MeasureColumns.Replace}
        """;

    private static readonly string _insertAgent =
        $"""
        INSERT INTO agent_intervals (run_id, agent_id, from_second, to_millis, cpu_micros, rss_bytes, reactor_lag_max_micros, saturated,
          {MeasureColumns.All}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, {MeasureColumns.Parameters(9)})
        ON CONFLICT (run_id, agent_id, from_second) DO UPDATE SET {MeasureColumns.Merge},
          to_millis = max(to_millis, excluded.to_millis), cpu_micros = cpu_micros + excluded.cpu_micros,
          rss_bytes = max(rss_bytes, excluded.rss_bytes),
          reactor_lag_max_micros = max(reactor_lag_max_micros, excluded.reactor_lag_max_micros),
          saturated = max(saturated, excluded.saturated)
        """;

    private static string SelectSeconds(string table) =>
        $"SELECT second, missing, saturated, {MeasureColumns.All} FROM {table} WHERE run_id = $1 ORDER BY second";

    private static readonly string _selectAgents =
        $"""
        SELECT agent_id, to_millis, cpu_micros, rss_bytes, reactor_lag_max_micros, saturated, {MeasureColumns.All}
        FROM agent_intervals WHERE run_id = $1 ORDER BY from_second, agent_id
        """;

    private readonly string _path;
    private readonly StoreWriter _writer;

    internal FoldTables(string path, StoreWriter writer) => (_path, _writer) = (path, writer);

    /// <summary>Keeps folded measurements in place of the samples, at one stroke: each is in one of them and never in both.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="seconds">Of the clients, new or changed; they replace what is there.</param>
    /// <param name="backendSeconds">Of the backends, likewise.</param>
    /// <param name="intervals">They add to what is there.</param>
    /// <param name="checkpoint">Everything else, as it is with these; it replaces the one before.</param>
    /// <returns>Completes when it is stored; fails with <see cref="StoreException"/>.</returns>
    public Task FoldAsync(
        string runId, ImmutableArray<SecondTotals> seconds, ImmutableArray<SecondTotals> backendSeconds,
        ImmutableArray<FoldedInterval> intervals, byte[] checkpoint)
    {
        // Compressed here and not on the thread that all writes wait for.
        var histograms = intervals
            .SelectMany(i => i.Histograms.Select(h => (i.FromSecond, Kind: (long)h.Key, Bytes: Compress(HistogramLayout.Encode(h.Value)))))
            .ToArray();
        return _writer.EnqueueAsync(commands =>
        {
            foreach (var second in seconds)
                Write(commands, _insertSecond, runId, second);
            foreach (var second in backendSeconds)
                Write(commands, _insertBackendSecond, runId, second);
            CheckpointTable.WriteMeasurements(commands, runId, checkpoint);
            foreach (var interval in intervals)
                Write(commands, runId, interval);
            foreach (var (from, kind, bytes) in histograms)
            {
                commands.Execute(
                    "INSERT INTO run_histograms (run_id, from_second, kind, histogram) VALUES ($1, $2, $3, $4)", runId, from, kind, bytes);
            }
        });
    }

    /// <summary>Drops what is left of a run's samples, and what it would need to go on: it has ended.</summary>
    public Task DropSamplesAsync(string runId) => _writer.EnqueueAsync(s =>
    {
        s.Execute("DELETE FROM samples WHERE run_id = $1", runId);
        s.Execute("DELETE FROM run_checkpoints WHERE run_id = $1", runId);
    });

    /// <summary>A run by the second, in order.</summary>
    public ImmutableArray<SecondTotals> Seconds(string runId) => Query(ReadSecond, SelectSeconds("run_seconds"), runId);

    /// <summary>Its backends by the second, in order.</summary>
    public ImmutableArray<SecondTotals> BackendSeconds(string runId) => Query(ReadSecond, SelectSeconds("backend_seconds"), runId);

    /// <summary>The agents of a run by 10 s, in order.</summary>
    public ImmutableArray<AgentInterval> Agents(string runId) => Query(
        r => new AgentInterval(
            r.GetString(0), TimeSpan.FromMilliseconds(r.GetInt64(1)), MeasureColumns.ReadGauges(r, 6), MeasureColumns.ReadCounters(r, 6),
            TimeSpan.FromMicroseconds(r.GetInt64(2)), r.GetInt64(3), TimeSpan.FromMicroseconds(r.GetInt64(4)), r.GetInt64(5) != 0),
        _selectAgents, runId);

    /// <summary>Failures of a whole run.</summary>
    public ImmutableArray<FailureTally> Failures(string runId) => Query(
        r => new FailureTally(
            (FailureStage)r.GetInt32(0), (FailureParty)r.GetInt32(1), (FailureCause)r.GetInt32(2), r.GetInt32(3), r.GetInt64(4)),
        """
        SELECT stage, party, cause, errno, sum(count) FROM run_failures WHERE run_id = $1
        GROUP BY stage, party, cause, errno ORDER BY sum(count) DESC
        """,
        runId);

    /// <summary>Latencies of a whole run, by kind, in microseconds.</summary>
    public ImmutableDictionary<HistogramKind, HdrHistogram.HistogramBase> Histograms(string runId) =>
        Query(
            r => (Kind: (HistogramKind)r.GetInt32(0), Histogram: HistogramLayout.Decode(Decompress(r.GetFieldValue<byte[]>(1)))),
            "SELECT kind, histogram FROM run_histograms WHERE run_id = $1", runId)
        .GroupBy(h => h.Kind, h => h.Histogram)
        .ToImmutableDictionary(g => g.Key, Merge);

    /// <summary>Latencies of a run by the interval, in order of time; read as they are taken.</summary>
    public IEnumerable<LatencyInterval> Latencies(string runId)
    {
        var end = Query(r => r.IsDBNull(0) ? 0 : r.GetInt32(0) + 1, "SELECT max(second) FROM run_seconds WHERE run_id = $1", runId)[0];
        for (var page = 0; page < end; page += SecondsTogether)
        {
            var rows = Query(
                r => (From: r.GetInt32(0), Kind: (HistogramKind)r.GetInt32(1), Bytes: r.GetFieldValue<byte[]>(2)),
                """
                SELECT from_second, kind, histogram FROM run_histograms
                WHERE run_id = $1 AND from_second >= $2 AND from_second < $3 ORDER BY from_second, kind
                """,
                runId, page, page + SecondsTogether);
            foreach (var interval in rows.GroupBy(r => (r.From, r.Kind), r => r.Bytes))
            {
                var (from, kind) = interval.Key;
                yield return new(
                    kind, TimeSpan.FromSeconds(from), TimeSpan.FromSeconds(Math.Min(from + SampleFold.Length, end)),
                    Merge(interval.Select(b => HistogramLayout.Decode(Decompress(b)))));
            }
        }
    }

    private static SecondTotals ReadSecond(SqliteDataReader r) => new(
        r.GetInt32(0), MeasureColumns.ReadGauges(r, 3), MeasureColumns.ReadCounters(r, 3), r.GetInt32(1), r.GetInt64(2) != 0);

    private static void Write(StoreCommands commands, string insert, string runId, SecondTotals second) => commands.Execute(
        insert,
        [runId, second.Second, second.Missing, second.Saturated ? 1 : 0, .. MeasureColumns.Values(second.Gauges, second.Counters)]);

    private static void Write(StoreCommands commands, string runId, FoldedInterval interval)
    {
        foreach (var agent in interval.Agents)
        {
            commands.Execute(
                _insertAgent,
                [
                    runId, agent.AgentId, interval.FromSecond, (long)agent.To.TotalMilliseconds, (long)agent.Cpu.TotalMicroseconds,
                    agent.RssBytes, (long)agent.ReactorLagMax.TotalMicroseconds, agent.Saturated ? 1 : 0,
                    .. MeasureColumns.Values(agent.Gauges, agent.Counters),
                ]);
        }

        foreach (var failure in interval.Failures)
        {
            commands.Execute(
                "INSERT INTO run_failures (run_id, from_second, stage, party, cause, errno, count) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                runId, interval.FromSecond, (int)failure.Stage, (int)failure.Party, (int)failure.Cause, failure.Errno, failure.Count);
        }

        foreach (var sample in interval.Samples)
        {
            commands.Execute(
                "DELETE FROM samples WHERE run_id = $1 AND agent_id = $2 AND incarnation = $3 AND sequence = $4",
                runId, sample.AgentId, sample.Incarnation, (long)sample.Sequence);
        }
    }

    private static HdrHistogram.HistogramBase Merge(IEnumerable<HdrHistogram.HistogramBase> histograms)
    {
        var merged = HistogramLayout.Create();
        foreach (var histogram in histograms)
            merged.Add(histogram);
        return merged;
    }

    private static byte[] Compress(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var stream = new ZLibStream(compressed, CompressionLevel.Fastest))
            stream.Write(bytes);
        return compressed.ToArray();
    }

    private static byte[] Decompress(byte[] compressed)
    {
        using var stream = new ZLibStream(new MemoryStream(compressed), CompressionMode.Decompress);
        using var bytes = new MemoryStream();
        stream.CopyTo(bytes);
        return bytes.ToArray();
    }

    private ImmutableArray<T> Query<T>(Func<SqliteDataReader, T> read, string sql, params ReadOnlySpan<object?> values)
    {
        using var commands = new StoreCommands(StoreFile.Connect(_path, SqliteOpenMode.ReadOnly));
        return [.. commands.Query(read, sql, values)];
    }
}
