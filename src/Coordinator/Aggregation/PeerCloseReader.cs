using HdrHistogram;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>
/// Looks at the ages at which the target ended connections. Load ends them at any age; a time-out ends nearly all at one. Whoever
/// takes the one for the other blames the wrong thing.
/// </summary>
internal static class PeerCloseReader
{
    private const long MicrosPerSecond = 1_000_000;
    private const long Fewest = 20;
    private const double LeastPart = 0.8;

    // As far as ages lie from the time-out that they come from: timers of proxies are coarse, and so is the histogram.
    private const double Around = 0.02;

    /// <summary>Reads.</summary>
    /// <param name="ages">In microseconds; null when the target ended none.</param>
    /// <param name="seconds">The complete seconds, in order.</param>
    public static TargetCloseFacts? Read(HistogramBase? ages, IEnumerable<SecondTotals> seconds)
    {
        if (ages is null || ages.TotalCount == 0)
            return null;
        var median = ages.GetValueAtPercentile(50);
        return new TargetCloseFacts(ages.TotalCount, Seconds(median), Cluster(ages), Burst(ages.TotalCount, seconds));
    }

    /// <summary>What to make of it, in words; null when ages do not come together.</summary>
    public static string? Note(TargetCloseFacts? closes)
    {
        if (closes is { Burst: { } burst })
        {
            return $"The target closed {burst.Count:N0} of the {closes.Count:N0} that it closed at once, in second {burst.Second:N0}: that is a restart or a reload of "
                + "the target and not the load (HAProxy: an old process ends with hard-stop-after)"
                + (closes.Cluster is { AgeSeconds: var age } ? $", or else a time-out of {age:0.#} s: a ramp longer than some seconds tells them apart." : ".");
        }

        if (closes is not { Cluster: { } cluster })
            return null;
        var part = $"{cluster.Count:N0} of the {closes.Count:N0} that it closed";
        return cluster.AgeSeconds < 1
            ? $"The target closes connections as soon as they are established ({part}): it accepts them and serves none, as HAProxy does when no server "
                + "of its backend is up."
            : $"The target closes connections at an age of {cluster.AgeSeconds:0.#} s ({part}): that is a time-out of the target and not the load. "
                + "HAProxy: timeout client, server or tunnel; make it longer than the hold, or have the connections say something.";
    }

    private static TargetCloseCluster? Cluster(HistogramBase ages)
    {
        var recorded = ages.RecordedValues().Select(v => (Age: v.ValueIteratedTo, Count: v.CountAtValueIteratedTo)).ToList();
        var needed = Math.Max(Fewest, (long)Math.Ceiling(ages.TotalCount * LeastPart));
        (long Count, long Age) best = default;
        var (first, end, inside) = (0, 0, 0L);
        foreach (var (age, _) in recorded)
        {
            var width = (long)(age * Around) + MicrosPerSecond;
            while (end < recorded.Count && recorded[end].Age <= age + width)
                inside += recorded[end++].Count;
            while (recorded[first].Age < age - width)
                inside -= recorded[first++].Count;
            if (inside > best.Count)
                best = (inside, Middle(recorded, first, inside));
        }

        return best.Count >= needed ? new(Seconds(best.Age), best.Count) : null;
    }

    // Within two seconds, for a moment may lie on both sides of a full one.
    private static TargetCloseBurst? Burst(long total, IEnumerable<SecondTotals> seconds)
    {
        var (before, most) = (0L, (Count: 0L, Second: 0));
        foreach (var second in seconds)
        {
            var closed = second.Counters.ClosedByPeer;
            if (before + closed > most.Count)
                most = (before + closed, before > closed ? second.Second - 1 : second.Second);
            before = closed;
        }

        return most.Count >= Math.Max(Fewest, Math.Ceiling(total * LeastPart)) ? new(most.Second, most.Count) : null;
    }

    // The median of those from an index on.
    private static long Middle(List<(long Age, long Count)> recorded, int first, long count)
    {
        var left = (count + 1) / 2;
        var i = first;
        while ((left -= recorded[i].Count) > 0)
            i++;
        return recorded[i].Age;
    }

    private static double Seconds(long micros) => Math.Round((double)micros / MicrosPerSecond, 1);
}
