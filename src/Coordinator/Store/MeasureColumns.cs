using LoadHarness.Coordinator.Aggregation;
using Microsoft.Data.Sqlite;

namespace LoadHarness.Coordinator.Store;

/// <summary>The columns that gauges and counters have in every table, in one order.</summary>
internal static class MeasureColumns
{
    private static readonly string[] _gauges =
    [
        "goal", "connecting", "handshaking", "established", "confirmed", "closing", "resting_tuples", "free_tuples", "established_max",
        "requests_in_flight", "requests_waiting",
    ];

    private static readonly string[] _counters =
    [
        "scheduled", "offered", "opened", "failed", "not_offered", "reopened", "closed_by_peer", "closed", "skipped_tuples",
        "dropped_ports", "bytes_received", "bytes_sent", "aborted", "drain_paused_millis", "storm_closed", "storm_opened",
        "resumed", "requests_scheduled", "requests_offered", "requests_completed", "requests_failed", "requests_not_offered",
    ];

    /// <summary>For INSERT and SELECT.</summary>
    public static string All { get; } = string.Join(", ", [.. _gauges, .. _counters]);

    /// <summary>How many.</summary>
    public static int Count => _gauges.Length + _counters.Length;

    /// <summary>For ON CONFLICT: the newer row counts as it is.</summary>
    public static string Replace { get; } = string.Join(", ", _gauges.Concat(_counters).Select(c => $"{c} = excluded.{c}"));

    /// <summary>For ON CONFLICT: counters add up, gauges are those of the later sample.</summary>
    public static string Merge { get; } = string.Join(", ",
    [
        .. _gauges.Select(c => $"{c} = CASE WHEN excluded.to_millis >= to_millis THEN excluded.{c} ELSE {c} END"),
        .. _counters.Select(c => $"{c} = {c} + excluded.{c}"),
    ]);

    /// <summary>Placeholders.</summary>
    /// <param name="from">The number of the first.</param>
    public static string Parameters(int from) => string.Join(", ", Enumerable.Range(from, Count).Select(i => $"${i}"));

    /// <summary>The values, in the order of <see cref="All"/>.</summary>
    public static object?[] Values(GaugeValues g, CounterValues c) =>
    [
        g.Goal, g.Connecting, g.Handshaking, g.Established, g.Confirmed, g.Closing, g.RestingTuples, g.FreeTuples, g.EstablishedMax,
        g.RequestsInFlight, g.RequestsWaiting,
        c.Scheduled, c.Offered, c.Opened, c.Failed, c.NotOffered, c.Reopened, c.ClosedByPeer, c.Closed, c.SkippedTuples, c.DroppedPorts,
        c.BytesReceived, c.BytesSent, c.Aborted, c.DrainPausedMillis, c.StormClosed, c.StormOpened,
        c.Resumed, c.RequestsScheduled, c.RequestsOffered, c.RequestsCompleted, c.RequestsFailed, c.RequestsNotOffered,
    ];

    /// <summary>Reads gauges.</summary>
    /// <param name="row">A row with <see cref="All"/>.</param>
    /// <param name="at">The index of the first column.</param>
    public static GaugeValues ReadGauges(SqliteDataReader row, int at) => new()
    {
        Goal = row.GetInt64(at),
        Connecting = row.GetInt64(at + 1),
        Handshaking = row.GetInt64(at + 2),
        Established = row.GetInt64(at + 3),
        Confirmed = row.IsDBNull(at + 4) ? null : row.GetInt64(at + 4),
        Closing = row.GetInt64(at + 5),
        RestingTuples = row.GetInt64(at + 6),
        FreeTuples = row.GetInt64(at + 7),
        EstablishedMax = row.GetInt64(at + 8),
        RequestsInFlight = row.GetInt64(at + 9),
        RequestsWaiting = row.GetInt64(at + 10),
    };

    /// <summary>Reads counters.</summary>
    /// <inheritdoc cref="ReadGauges"/>
    public static CounterValues ReadCounters(SqliteDataReader row, int at)
    {
        at += _gauges.Length;
        return new()
        {
            Scheduled = row.GetInt64(at),
            Offered = row.GetInt64(at + 1),
            Opened = row.GetInt64(at + 2),
            Failed = row.GetInt64(at + 3),
            NotOffered = row.GetInt64(at + 4),
            Reopened = row.GetInt64(at + 5),
            ClosedByPeer = row.GetInt64(at + 6),
            Closed = row.GetInt64(at + 7),
            SkippedTuples = row.GetInt64(at + 8),
            DroppedPorts = row.GetInt64(at + 9),
            BytesReceived = row.GetInt64(at + 10),
            BytesSent = row.GetInt64(at + 11),
            Aborted = row.GetInt64(at + 12),
            DrainPausedMillis = row.GetInt64(at + 13),
            StormClosed = row.GetInt64(at + 14),
            StormOpened = row.GetInt64(at + 15),
            Resumed = row.GetInt64(at + 16),
            RequestsScheduled = row.GetInt64(at + 17),
            RequestsOffered = row.GetInt64(at + 18),
            RequestsCompleted = row.GetInt64(at + 19),
            RequestsFailed = row.GetInt64(at + 20),
            RequestsNotOffered = row.GetInt64(at + 21),
        };
    }
}
