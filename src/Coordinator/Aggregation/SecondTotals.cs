namespace LoadHarness.Coordinator.Aggregation;

/// <summary>The sums over all agents in one second of a run.</summary>
/// <param name="Second">k: the interval [k, k + 1) of elapsed time.</param>
/// <param name="Gauges">Read at its end, summed over the agents that reported them.</param>
/// <param name="Counters">Deltas.</param>
/// <param name="Missing">Agents that were expected to report and whose gauges are not in <paramref name="Gauges"/>.</param>
/// <param name="Saturated">Whether an agent was the limit.</param>
public sealed record SecondTotals(int Second, GaugeValues Gauges, CounterValues Counters, int Missing, bool Saturated)
{
    /// <summary>Every agent that was expected is in the sums.</summary>
    public bool IsWhole => Missing == 0;
}

/// <summary>What became of a sample.</summary>
public enum SampleOutcome
{
    /// <summary>It is in the sums.</summary>
    Added,

    /// <summary>It was there already; nothing changed.</summary>
    Duplicate,

    /// <summary>Its times make no sense for this run; nothing changed.</summary>
    OutOfRange,
}
