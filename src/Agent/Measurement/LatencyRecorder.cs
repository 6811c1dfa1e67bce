using HdrHistogram;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Measurement;

/// <summary>Latencies of one kind in one interval, in the shared layout. Written by one thread.</summary>
public sealed class LatencyRecorder
{
    // Half the memory of the histograms that they are summed up in: no interval has 2^31 of one value.
    private readonly IntHistogram _values = new(HistogramLayout.LowestMicros, HistogramLayout.HighestMicros, HistogramLayout.SignificantDigits);

    /// <summary>How many.</summary>
    public long Count => _values.TotalCount;

    /// <summary>Of them: above the layout's bounds, and counted at the bound.</summary>
    public long Clamped { get; private set; }

    /// <summary>Records one.</summary>
    /// <param name="micros">Below the layout's lowest it counts as that: the clock ticks no finer.</param>
    public void Record(long micros)
    {
        var clamped = HistogramLayout.Clamp(micros);
        if (clamped < micros)
            Clamped++;
        _values.RecordValue(clamped);
    }

    /// <summary>Records the time from an instant to now.</summary>
    /// <param name="startedMicros">The instant in microseconds, modulo 2^32; less than 71 minutes ago.</param>
    /// <param name="nowNanos">Now, by the same clock.</param>
    public void RecordSince(uint startedMicros, long nowNanos) => Record((uint)(nowNanos / 1000) - startedMicros);

    /// <summary>Adds all of them to a sum.</summary>
    public void AddTo(HistogramBase sum)
    {
        if (Count > 0)
            sum.Add(_values);
    }

    /// <summary>Forgets them.</summary>
    public void Reset()
    {
        Clamped = 0;
        if (Count > 0)
            _values.Reset();
    }
}
