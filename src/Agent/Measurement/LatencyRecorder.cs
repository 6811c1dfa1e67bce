using HdrHistogram;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Measurement;

/// <summary>
/// Latencies of one kind in one interval, in the shared layout. To record one is to count one up: HdrHistogram's own classes check and
/// virtualize, which costs more. Written by one thread.
/// </summary>
public sealed class LatencyRecorder
{
    // Half the memory of the histograms that they are summed up in: no interval has 2^31 of one value.
    private readonly int[] _counts = new int[HistogramLayout.Buckets];

    /// <summary>How many.</summary>
    public long Count { get; private set; }

    /// <summary>Of them: above the layout's bounds, and counted at the bound.</summary>
    public long Clamped { get; private set; }

    /// <summary>Records one.</summary>
    /// <param name="micros">Below the layout's lowest it counts as that: the clock ticks no finer.</param>
    public void Record(long micros)
    {
        if (micros > HistogramLayout.HighestMicros)
            Clamped++;
        Count++;
        _counts[HistogramLayout.BucketOf(HistogramLayout.Clamp(micros))]++;
    }

    /// <summary>Records the time from an instant to now.</summary>
    /// <param name="startedMicros">The instant in microseconds, modulo 2^32; less than 71 minutes ago.</param>
    /// <param name="nowNanos">Now, by the same clock.</param>
    public void RecordSince(uint startedMicros, long nowNanos) => Record((uint)(nowNanos / 1000) - startedMicros);

    /// <summary>Adds all of them to a sum in the shared layout.</summary>
    public void AddTo(HistogramBase sum)
    {
        if (Count == 0)
            return;
        for (var bucket = 0; bucket < _counts.Length; bucket++)
        {
            if (_counts[bucket] is > 0 and var count)
                sum.RecordValueWithCount(HistogramLayout.ValueOf(bucket), count);
        }
    }

    /// <summary>Forgets them.</summary>
    public void Reset()
    {
        if (Count > 0)
            Array.Clear(_counts);
        (Count, Clamped) = (0, 0);
    }
}
