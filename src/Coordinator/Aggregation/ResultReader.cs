using System.Collections.Immutable;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Reads the result of a run off its complete seconds.</summary>
internal static class ResultReader
{
    /// <summary>Reads.</summary>
    public static ResultFacts Read(SummaryInput input, ImmutableArray<StormFacts> storms)
    {
        var drain = SummaryBuilder.DrainStart(input).TotalSeconds;
        var scan = new Scan(input.Goal, drain, storms);
        foreach (var second in input.Timeline.Complete())
            scan.Take(second);

        var totals = input.Timeline.Totals;
        return new ResultFacts
        {
            Reached = scan.ReachedAt is not null,
            ReachedAfterSeconds = scan.ReachedAt,
            PeakEstablished = scan.Peak,
            HeldEstablishedMin = scan.HeldMin,
            HeldEstablishedEnd = scan.HeldEnd,
            HeldMissingSeconds = scan.HeldMissing,
            Confirmed = scan.Confirmed,
            Opened = totals.Opened,
            ClosedByPeer = totals.ClosedByPeer,
            Reopened = totals.Reopened,
            OpenRatePeak = scan.OpenPeak,
            OpenRateMean = OpenRateMean(input, scan.ReachedAt, drain),
            Closed = totals.Closed,
            Aborted = totals.Aborted,
            HoldOpenRateMean = scan.HoldRate(scan.HoldOpened),
            HoldCloseRateMean = scan.HoldRate(scan.HoldClosed),
            Resumed = input.Timeline.Histogram(HistogramKind.TlsHandshake) is { TotalCount: > 0 } ? totals.Resumed : null,
        };
    }

    private static double OpenRateMean(SummaryInput input, int? reachedAt, double drain)
    {
        var ramp = input.Stages.FirstOrDefault(s => s.Name == StageSpan.Ramp);
        var until = reachedAt ?? (ramp is null ? drain : (ramp.Start + ramp.Duration).TotalSeconds);
        var opened = input.Timeline.Complete().TakeWhile(s => s.Second < until).Sum(s => s.Counters.Opened);
        return until > 0 ? SummaryBuilder.Rounded(opened / until) : 0;
    }

    private sealed class Scan(long goal, double drain, ImmutableArray<StormFacts> storms)
    {
        public int? ReachedAt { get; private set; }

        public long Peak { get; private set; }

        public long? HeldMin { get; private set; }

        public long? HeldEnd { get; private set; }

        public int HeldMissing { get; private set; }

        public long? Confirmed { get; private set; }

        public double OpenPeak { get; private set; }

        public long HoldOpened { get; private set; }

        public long HoldClosed { get; private set; }

        private int HoldSeconds { get; set; }

        /// <summary>A sum over the whole seconds of the hold, for each of them; null when there was none.</summary>
        public double? HoldRate(long sum) => HoldSeconds > 0 ? SummaryBuilder.Rounded((double)sum / HoldSeconds) : null;

        public void Take(SecondTotals second)
        {
            var established = second.Gauges.Established;
            Peak = Math.Max(Peak, established);
            OpenPeak = Math.Max(OpenPeak, second.Counters.Opened);
            // Gauges are read at the end of a second: one that ends after the drain began says nothing of the hold. A target at
            // its limit greets those that waited as soon as others are closed.
            if (second.Second + 1 > drain)
                return;
            if (second.Gauges.Confirmed is { } confirmed)
                Confirmed = Math.Max(Confirmed ?? 0, confirmed);
            if (ReachedAt is not null)
            {
                HoldSeconds++;
                HoldOpened += second.Counters.Opened;
                HoldClosed += second.Counters.Closed + second.Counters.ClosedByPeer;
            }

            if (ReachedAt is null && established >= goal)
                ReachedAt = second.Second + 1;
            if (ReachedAt is null)
                return;
            if (!second.IsWhole)
            {
                HeldMissing++;
                return;
            }

            HeldEnd = established;
            // What a storm takes away was asked for; it has its own numbers.
            if (!StormReader.IsStormy(storms, second.Second + 1))
                HeldMin = Math.Min(HeldMin ?? long.MaxValue, established);
        }
    }
}
