using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Everything of a timeline that its complete seconds do not say, so that another one can go on from there.</summary>
public sealed record TimelineCheckpoint
{
    /// <summary>Seconds 0 to this, exclusive, are complete.</summary>
    public int CompleteSeconds { get; init; }

    /// <summary>Seconds that have begun and are not complete; with a copy of a timeline all of them.</summary>
    public ImmutableArray<SecondTotals> Open { get; init; } = [];

    /// <summary>By identity.</summary>
    public ImmutableArray<AgentCheckpoint> Agents { get; init; } = [];

    /// <summary>Of the whole run.</summary>
    public ImmutableArray<FailureTally> Failures { get; init; } = [];

    /// <summary>Of the whole run, as <see cref="HistogramLayout.Encode"/> writes them.</summary>
    public ImmutableDictionary<HistogramKind, byte[]> Histograms { get; init; } = ImmutableDictionary<HistogramKind, byte[]>.Empty;

    /// <summary>What the kernels said.</summary>
    public ImmutableArray<NamespaceCheckpoint> Namespaces { get; init; } = [];
}

/// <summary>One agent in a <see cref="TimelineCheckpoint"/>.</summary>
public sealed record AgentCheckpoint
{
    /// <summary>Counters, peaks and the newest of everything; the identity too.</summary>
    public required AgentTotals Totals { get; init; }

    /// <summary>Somebody said when it joined.</summary>
    public bool Told { get; init; }

    /// <summary>The newest second with a sample.</summary>
    public int NewestSecond { get; init; } = -1;

    /// <summary>Which sample the newest values are of.</summary>
    public SampleOrder NewestOrder { get; init; }

    /// <summary>Samples that are in the sums, by process life.</summary>
    public ImmutableDictionary<string, ImmutableArray<IndexSpan>> Sequences { get; init; } =
        ImmutableDictionary<string, ImmutableArray<IndexSpan>>.Empty;

    /// <summary>Seconds whose gauges are in the sums.</summary>
    public ImmutableArray<IndexSpan> Reported { get; init; } = [];

    /// <summary>Seconds whose counters are in the sums.</summary>
    public ImmutableArray<IndexSpan> Covered { get; init; } = [];

    /// <summary>Seconds in which it was there.</summary>
    public ImmutableArray<IndexSpan> Expected { get; init; } = [];

    /// <summary>The newest seconds one by one.</summary>
    public ImmutableArray<SecondCheckpoint> Window { get; init; } = [];
}

/// <summary>One recent second of an agent.</summary>
/// <param name="Second">Elapsed.</param>
/// <param name="Gauges">Null: only counters are known.</param>
/// <param name="Order">Which sample they are of.</param>
/// <param name="Churn">Connections that came and went.</param>
public sealed record SecondCheckpoint(int Second, GaugeValues? Gauges, SampleOrder Order, long Churn);

/// <summary>Half-open: [from, to).</summary>
public readonly record struct IndexSpan(long From, long To);

/// <summary>The kernel view of one network namespace in a <see cref="TimelineCheckpoint"/>.</summary>
public sealed record NamespaceCheckpoint
{
    /// <summary>Its name.</summary>
    public string Name { get; init; } = "";
    public KernelReading? Newest { get; init; }
    public string Error { get; init; } = "";
    public long PeakTimeWait { get; init; }
    public long FirstTimeWait { get; init; }

    /// <summary>Readings whose seconds are not complete.</summary>
    public ImmutableArray<KernelReading> Waiting { get; init; } = [];

    /// <summary>The newest of those that were compared.</summary>
    public ImmutableArray<KernelComparison> Comparisons { get; init; } = [];
    public ImmutableArray<EndpointStates> BySource { get; init; } = [];
    public ImmutableArray<EndpointStates> ByDestination { get; init; } = [];
    public TimeSpan? SocketsAt { get; init; }
    public TimeSpan? SocketsTakenAt { get; init; }

    /// <summary>The earliest counters, and the newest.</summary>
    public CounterReading? Base { get; init; }
    public CounterReading? Last { get; init; }

    /// <summary>The newest counts of orphans.</summary>
    public ImmutableArray<OrphanReading> Orphans { get; init; } = [];
}

/// <summary>Sockets of one endpoint, per state by its number.</summary>
public sealed record EndpointStates(EndpointAddress Endpoint, ImmutableArray<long> Counts);

/// <summary>What a namespace had counted at an instant.</summary>
public sealed record CounterReading(TimeSpan At, TcpCounterValues Values);

/// <summary>Sockets without a process at an instant.</summary>
public readonly record struct OrphanReading(TimeSpan At, long Count);
