using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>One agent over the whole run.</summary>
public sealed record AgentTotals
{
    private const long FewestToDivideBy = 10_000;

    /// <summary>Identity.</summary>
    public required string AgentId { get; init; }

    /// <summary>The namespace it lives in; empty before its first sample.</summary>
    public string NetworkNamespace { get; init; } = "";

    /// <summary>End of its newest sample, elapsed; null before the first one.</summary>
    public TimeSpan? NewestAt { get; init; }

    /// <summary>The newest gauges.</summary>
    public GaugeValues Newest { get; init; } = GaugeValues.Zero;

    /// <summary>The newest sample's counters and how long its interval was: for rates.</summary>
    public CounterValues NewestCounters { get; init; } = CounterValues.Zero;

    /// <summary>Length of the newest interval.</summary>
    public TimeSpan NewestInterval { get; init; }

    /// <summary>What it said of itself last; null before the first sample.</summary>
    public HealthValues? NewestHealth { get; init; }

    /// <summary>Counters over the whole run.</summary>
    public CounterValues Counters { get; init; } = CounterValues.Zero;

    /// <summary>The most connections at the end of an interval.</summary>
    public long PeakEstablished { get; init; }

    /// <summary>CPU time over the run.</summary>
    public TimeSpan Cpu { get; init; }

    /// <summary>The most memory.</summary>
    public long MaxRssBytes { get; init; }

    /// <summary>Its memory without a connection; 0 when it does not say.</summary>
    public long BaseRssBytes { get; init; }

    /// <summary>Its memory when it held <see cref="PeakEstablished"/> for the first time.</summary>
    public long RssBytesAtPeak { get; init; }

    /// <summary>Why it opened nothing more, when it stopped first, and how many connections it held then.</summary>
    public (GrowthStop Why, TimeSpan At, long Established)? Stopped { get; init; }

    /// <summary>The longest time that one of its reactors was late.</summary>
    public TimeSpan ReactorLagMax { get; init; }

    /// <summary>Intervals in which it was the limit.</summary>
    public int SaturatedIntervals { get; init; }

    /// <summary>Opens per second in the newest interval.</summary>
    public double OpensPerSecond => NewestInterval > TimeSpan.Zero ? NewestCounters.Opened / NewestInterval.TotalSeconds : 0;

    /// <summary>CPU in the newest interval, in cores.</summary>
    public double Cores => NewestHealth is { } health && NewestInterval > TimeSpan.Zero ? health.Cpu / NewestInterval : 0;

    /// <summary>
    /// User-space memory that a connection takes over the base, at the peak; null when the agent does not say its base, or held so few that
    /// what the process takes anyway would be counted as theirs.
    /// </summary>
    public double? BytesPerConnection => BaseRssBytes > 0 && PeakEstablished >= FewestToDivideBy
        ? (double)Math.Max(0, RssBytesAtPeak - BaseRssBytes) / PeakEstablished
        : null;
}
