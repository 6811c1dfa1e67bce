namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Ends a run that cannot become anything: nothing was ever established, and all that comes back is failures.</summary>
public static class EarlyAbort
{
    /// <summary>Complete seconds that must have passed since the first failure.</summary>
    public const int DefaultSeconds = 10;

    /// <summary>Judges by complete seconds only.</summary>
    /// <param name="timeline">The run so far.</param>
    /// <param name="seconds">Complete seconds from the first failure on, all of them without a connection.</param>
    /// <returns>Why the run should end; null when it should not.</returns>
    public static string? Judge(Timeline timeline, int seconds = DefaultSeconds)
    {
        if (timeline.Totals.Opened > 0 || timeline.Totals.Failed == 0 || timeline.CompleteSeconds < seconds)
            return null;
        var firstFailure = -1;
        var failed = 0L;
        foreach (var second in timeline.Complete())
        {
            if (second.Gauges.Established > 0)
                return null;
            if (firstFailure < 0 && second.Counters.Failed > 0)
                firstFailure = second.Second;
            failed += second.Counters.Failed;
        }

        if (firstFailure < 0 || timeline.CompleteSeconds - firstFailure < seconds)
            return null;
        var reasons = timeline.Failures.GroupBy(FailureNames.Of).Select(g => (Name: g.Key, Count: g.Sum(f => f.Count)))
            .OrderByDescending(r => r.Count).Take(3).Select(r => $"{r.Name} {r.Count:N0}");
        return $"nothing was established in {timeline.CompleteSeconds} s, and {failed:N0} connects failed ({string.Join(", ", reasons)})";
    }
}
