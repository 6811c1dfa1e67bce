using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Sentences that a reader should know before believing the numbers.</summary>
internal static class SummaryNotes
{
    // As the report names them.
    private static readonly (HistogramKind Kind, string Name)[] _latencies =
    [
        (HistogramKind.Connect, "connect"), (HistogramKind.TlsHandshake, "tls"), (HistogramKind.Request, "request"),
        (HistogramKind.RequestService, "service"), (HistogramKind.TimeToFirstByte, "1st byte"),
    ];

    /// <summary>What a summary has to say.</summary>
    public static IEnumerable<string> Of(SummaryInput input, ResultFacts result, ImmutableArray<StormFacts> storms, TargetCloseFacts? closes)
    {
        if (result.Confirmed is { } confirmed && confirmed < result.PeakEstablished)
            yield return Unconfirmed(confirmed, result.PeakEstablished);
        if (PeerCloseReader.Note(closes) is { } timeout)
            yield return timeout;
        foreach (var storm in storms.Where(s => s.RecoverySeconds is null))
            yield return NotRecovered(storm);
        if (FewestInHold(input, storms) is { } least && least < input.Goal)
        {
            yield return $"The goal was reached and not held throughout: {least:N0} of {input.Goal:N0} connections were the fewest; "
                + $"the target closed {result.ClosedByPeer:N0}, and {result.Reopened:N0} were reopened.";
        }

        var lost = input.Agents.Where(a => a.Lost).ToList();
        if (lost.Count > 0)
        {
            var names = string.Join(", ", lost.Take(5).Select(a => a.Id));
            yield return $"{lost.Count:N0} of {input.Agents.Length:N0} agents were lost ({names}) "
                + $"with shares of {lost.Sum(a => a.Assigned):N0} connections.";
        }

        foreach (var failure in input.Timeline.Failures.Where(f => f.Cause == FailureCause.Other && f.Errno != 0).Take(5))
            yield return $"{FailureNames.Of(failure)} was errno {failure.Errno}, {failure.Count:N0} times.";
        foreach (var (kind, name) in _latencies)
        {
            if (input.Timeline.Histogram(kind)?.GetCountAtValue(HistogramLayout.HighestMicros) is > 0 and var longest)
                yield return $"{longest:N0} of the latencies ({name}) were an hour or longer and count as an hour, the most that is kept.";
        }
    }

    /// <summary>The fewest connections in the holds of the goal; a run that was scaled may hold other goals too, on purpose.</summary>
    private static long? FewestInHold(SummaryInput input, ImmutableArray<StormFacts> storms)
    {
        var holds = input.Stages.Where(s => s.Name == StageSpan.Hold && s.To == input.Goal).ToList();
        return input.Timeline.Complete().Where(s => s.IsWhole && !StormReader.IsStormy(storms, s.Second + 1) && holds.Exists(h => IsInside(TimeSpan.FromSeconds(s.Second + 1L), h)))
            .Min(s => (long?)s.Gauges.Established);
    }

    private static string NotRecovered(StormFacts storm) => storm.Closed == 0
        ? $"Reconnect storm {storm.Number} of second {storm.AtSeconds:0} closed nothing: no agent heard of it in time."
        : $"The connections did not come back after reconnect storm {storm.Number} of second {storm.AtSeconds:0} before the next storm, a change of the "
            + $"goal or the drain: {storm.Closed:N0} were closed, {storm.Opened:N0} opened again, and {storm.LowestEstablished:N0} of {storm.Held:N0} were the fewest.";

    private static bool IsInside(TimeSpan at, StageSpan stage) => at > stage.Start && at <= stage.Start + stage.Duration;

    private static string Unconfirmed(long confirmed, long established) => confirmed == 0
        ? $"None of the {established:N0} connections was greeted: the target accepts them and sends nothing by itself (then leave --expect-greeting out), or "
            + "it accepts none, and they are ESTABLISHED in its accept queue."
        : $"{confirmed:N0} of {established:N0} connections were accepted by the target; "
        + $"the other {established - confirmed:N0} are ESTABLISHED in its accept queue: "
        + "the target reached its own limit (HAProxy: maxconn; else its descriptors or its backlog).";
}
