using System.Collections.Immutable;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Reads off the complete seconds of a run what became of its reconnect storms.</summary>
internal static class StormReader
{
    /// <summary>Reads all of them.</summary>
    /// <param name="storms">In order of time.</param>
    /// <param name="seconds">The complete seconds, in order; those before the first storm may be missing.</param>
    /// <param name="drain">When the drain began, elapsed; seconds that end later say nothing of a storm.</param>
    public static ImmutableArray<StormFacts> Read(IReadOnlyList<RunStorm> storms, IEnumerable<SecondTotals> seconds, TimeSpan drain)
    {
        if (storms.Count == 0)
            return [];
        var scans = storms.Select(s => new Scan(s)).ToArray();
        var present = -1;
        foreach (var second in seconds)
        {
            var end = TimeSpan.FromSeconds(second.Second + 1L);
            if (end > drain)
                break;
            while (present + 1 < scans.Length && end > storms[present + 1].At)
                present++;
            if (present >= 0)
                scans[present].Take(second, end);
        }

        return [.. scans.Select(s => s.ToFacts())];
    }

    /// <summary>
    /// Whether a second ends while a storm is on, so that fewer connections are nothing but what was asked for: from its instant until
    /// it has recovered; where it never does, until its last close.
    /// </summary>
    public static bool IsStormy(IEnumerable<StormFacts> storms, double end) =>
        storms.Any(s => end > s.AtSeconds && end < s.AtSeconds + (s.RecoverySeconds ?? s.WithinSeconds));

    private sealed class Scan(RunStorm storm)
    {
        private long _closed;
        private long _opened;
        private long? _lowest;
        private TimeSpan? _recovered;

        // Gauges are read at the end of a second: all agents must be in it, or what is missing might be theirs.
        public void Take(SecondTotals second, TimeSpan end)
        {
            _closed += second.Counters.StormClosed;
            _opened += second.Counters.StormOpened;
            if (_recovered is not null || !second.IsWhole)
                return;
            _lowest = Math.Min(_lowest ?? long.MaxValue, second.Gauges.Established);
            if (end >= storm.End && _closed > 0 && _opened >= _closed && second.Gauges.Established >= storm.Held)
                _recovered = end - storm.At;
        }

        public StormFacts ToFacts() => new(
            storm.Number, SummaryBuilder.Rounded(storm.At.TotalSeconds), storm.Fraction, SummaryBuilder.Rounded(storm.Within.TotalSeconds),
            storm.Close == CloseMethod.Rst ? "rst" : "fin", storm.Held, _closed, _opened,
            _recovered is { } time ? SummaryBuilder.Rounded(time.TotalSeconds) : null, _lowest);
    }
}
