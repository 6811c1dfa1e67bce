using System.Collections.Immutable;
using HdrHistogram;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>
/// What one agent measured in one interval, as aggregation takes it. Merging is idempotent by (agent, incarnation, sequence).
/// </summary>
public sealed record AgentSample
{
    /// <summary>The agent's identity.</summary>
    public required string AgentId { get; init; }

    /// <summary>The process life that measured it.</summary>
    public required string Incarnation { get; init; }

    /// <summary>The network namespace that the agent lives in.</summary>
    public required string NetworkNamespace { get; init; }

    /// <summary>1, 2, 3, ... per incarnation.</summary>
    public required ulong Sequence { get; init; }

    /// <summary>Start of the interval, elapsed.</summary>
    public required TimeSpan From { get; init; }

    /// <summary>End of the interval, elapsed; gauges were read then.</summary>
    public required TimeSpan To { get; init; }

    /// <summary>Read at <see cref="To"/>.</summary>
    public required GaugeValues Gauges { get; init; }

    /// <summary>Deltas over the interval.</summary>
    public required CounterValues Counters { get; init; }

    /// <summary>Failures by reason and errno.</summary>
    public ImmutableArray<FailureTally> Failures { get; init; } = [];

    /// <summary>Histogram deltas, in the shared layout, in microseconds.</summary>
    public ImmutableDictionary<HistogramKind, HistogramBase> Histograms { get; init; } =
        ImmutableDictionary<HistogramKind, HistogramBase>.Empty;

    /// <summary>The agent about itself.</summary>
    public required HealthValues Health { get; init; }

    /// <summary>A new reading of the kernel view, if this sample has one.</summary>
    public KernelReading? Kernel { get; init; }

    /// <summary>Sockets by source and by destination, if this sample has them.</summary>
    public SocketTally? Sockets { get; init; }
}

/// <summary>In connections or tuples; see sample.proto.</summary>
public sealed record GaugeValues
{
    public long Goal { get; init; }
    public long Connecting { get; init; }
    public long Handshaking { get; init; }
    public long Established { get; init; }

    /// <summary>Null when the workload expects no greeting.</summary>
    public long? Confirmed { get; init; }
    public long Closing { get; init; }
    public long RestingTuples { get; init; }
    public long FreeTuples { get; init; }
    public long EstablishedMax { get; init; }
    public long RequestsInFlight { get; init; }
    public long RequestsWaiting { get; init; }

    /// <summary>Nothing.</summary>
    public static GaugeValues Zero { get; } = new();

    /// <summary>Sums field by field; confirmed is null only when it is null on both sides.</summary>
    public static GaugeValues operator +(GaugeValues a, GaugeValues b) => Combine(a, b, 1);

    /// <summary>Takes a part of a sum out again.</summary>
    public static GaugeValues operator -(GaugeValues a, GaugeValues b) => Combine(a, b, -1);

    private static GaugeValues Combine(GaugeValues a, GaugeValues b, int sign) => new()
    {
        Goal = a.Goal + (sign * b.Goal),
        Connecting = a.Connecting + (sign * b.Connecting),
        Handshaking = a.Handshaking + (sign * b.Handshaking),
        Established = a.Established + (sign * b.Established),
        Confirmed = a.Confirmed is null && b.Confirmed is null ? null : (a.Confirmed ?? 0) + (sign * (b.Confirmed ?? 0)),
        Closing = a.Closing + (sign * b.Closing),
        RestingTuples = a.RestingTuples + (sign * b.RestingTuples),
        FreeTuples = a.FreeTuples + (sign * b.FreeTuples),
        EstablishedMax = a.EstablishedMax + (sign * b.EstablishedMax),
        RequestsInFlight = a.RequestsInFlight + (sign * b.RequestsInFlight),
        RequestsWaiting = a.RequestsWaiting + (sign * b.RequestsWaiting),
    };
}

/// <summary>Deltas; see sample.proto.</summary>
public sealed record CounterValues
{
    public long Scheduled { get; init; }
    public long Offered { get; init; }
    public long Opened { get; init; }
    public long Failed { get; init; }
    public long NotOffered { get; init; }
    public long Reopened { get; init; }
    public long ClosedByPeer { get; init; }
    public long Closed { get; init; }
    public long SkippedTuples { get; init; }
    public long DroppedPorts { get; init; }
    public long BytesReceived { get; init; }
    public long BytesSent { get; init; }

    /// <summary>Of <see cref="Closed"/>: by RST.</summary>
    public long Aborted { get; init; }
    public long DrainPausedMillis { get; init; }

    /// <summary>Of <see cref="Closed"/>: by a reconnect storm.</summary>
    public long StormClosed { get; init; }

    /// <summary>Of <see cref="Opened"/>: in the place of one that a reconnect storm closed.</summary>
    public long StormOpened { get; init; }

    /// <summary>Of <see cref="Opened"/>: by a TLS handshake that resumed an earlier session.</summary>
    public long Resumed { get; init; }
    public long RequestsScheduled { get; init; }
    public long RequestsOffered { get; init; }
    public long RequestsCompleted { get; init; }
    public long RequestsFailed { get; init; }
    public long RequestsNotOffered { get; init; }

    /// <summary>Nothing.</summary>
    public static CounterValues Zero { get; } = new();

    /// <summary>Connections that came or went.</summary>
    public long Churn => Opened + Closed + ClosedByPeer;

    /// <summary>Sums field by field.</summary>
    public static CounterValues operator +(CounterValues a, CounterValues b) => new()
    {
        Scheduled = a.Scheduled + b.Scheduled,
        Offered = a.Offered + b.Offered,
        Opened = a.Opened + b.Opened,
        Failed = a.Failed + b.Failed,
        NotOffered = a.NotOffered + b.NotOffered,
        Reopened = a.Reopened + b.Reopened,
        ClosedByPeer = a.ClosedByPeer + b.ClosedByPeer,
        Closed = a.Closed + b.Closed,
        SkippedTuples = a.SkippedTuples + b.SkippedTuples,
        DroppedPorts = a.DroppedPorts + b.DroppedPorts,
        BytesReceived = a.BytesReceived + b.BytesReceived,
        BytesSent = a.BytesSent + b.BytesSent,
        Aborted = a.Aborted + b.Aborted,
        DrainPausedMillis = a.DrainPausedMillis + b.DrainPausedMillis,
        StormClosed = a.StormClosed + b.StormClosed,
        StormOpened = a.StormOpened + b.StormOpened,
        Resumed = a.Resumed + b.Resumed,
        RequestsScheduled = a.RequestsScheduled + b.RequestsScheduled,
        RequestsOffered = a.RequestsOffered + b.RequestsOffered,
        RequestsCompleted = a.RequestsCompleted + b.RequestsCompleted,
        RequestsFailed = a.RequestsFailed + b.RequestsFailed,
        RequestsNotOffered = a.RequestsNotOffered + b.RequestsNotOffered,
    };

    /// <summary>One of several equal parts, in whole numbers; the parts sum to the whole.</summary>
    /// <param name="index">0 to <paramref name="parts"/> - 1.</param>
    /// <param name="parts">At least 1.</param>
    public CounterValues Part(int index, int parts)
    {
        if (parts == 1)
            return this;
        return new()
        {
            Scheduled = Of(Scheduled),
            Offered = Of(Offered),
            Opened = Of(Opened),
            Failed = Of(Failed),
            NotOffered = Of(NotOffered),
            Reopened = Of(Reopened),
            ClosedByPeer = Of(ClosedByPeer),
            Closed = Of(Closed),
            SkippedTuples = Of(SkippedTuples),
            DroppedPorts = Of(DroppedPorts),
            BytesReceived = Of(BytesReceived),
            BytesSent = Of(BytesSent),
            Aborted = Of(Aborted),
            DrainPausedMillis = Of(DrainPausedMillis),
            StormClosed = Of(StormClosed),
            StormOpened = Of(StormOpened),
            Resumed = Of(Resumed),
            RequestsScheduled = Of(RequestsScheduled),
            RequestsOffered = Of(RequestsOffered),
            RequestsCompleted = Of(RequestsCompleted),
            RequestsFailed = Of(RequestsFailed),
            RequestsNotOffered = Of(RequestsNotOffered),
        };

        long Of(long whole) => (long)(((Int128)whole * (index + 1) / parts) - ((Int128)whole * index / parts));
    }
}

/// <summary>Failures of one kind.</summary>
public readonly record struct FailureTally(FailureStage Stage, FailureParty Party, FailureCause Cause, int Errno, long Count);

/// <summary>The agent about itself; see sample.proto.</summary>
public sealed record HealthValues
{
    public TimeSpan ReactorLagMax { get; init; }
    public TimeSpan Cpu { get; init; }
    public TimeSpan ReactorCpuMax { get; init; }
    public long RssBytes { get; init; }
    public bool Saturated { get; init; }
    public int Reactors { get; init; }

    /// <summary>0 when the agent does not say.</summary>
    public long BaseRssBytes { get; init; }
    public GrowthStop GrowthStop { get; init; }
}

/// <summary>One reading of the kernel view of one namespace.</summary>
public sealed record KernelReading
{
    /// <summary>When the dump ended, elapsed.</summary>
    public required TimeSpan TakenAt { get; init; }

    /// <summary>Only <see cref="Sockstat"/> and <see cref="Counters"/>: taken between two dumps, of the whole namespace.</summary>
    public bool NamespaceOnly { get; init; }
    public ImmutableDictionary<TcpState, long> States { get; init; } = ImmutableDictionary<TcpState, long>.Empty;
    public long Foreign { get; init; }
    public TimeSpan Interval { get; init; }
    public TimeSpan Wall { get; init; }
    public TimeSpan Cpu { get; init; }

    /// <summary>Null when it could not be read.</summary>
    public SockstatValues? Sockstat { get; init; }

    /// <summary>As they stand, counted since the namespace was made; null when they could not be read.</summary>
    public TcpCounterValues? Counters { get; init; }

    /// <summary>Empty, or why the kernel could not be read.</summary>
    public string Error { get; init; } = "";
}

/// <summary>The TCP line of /proc/net/sockstat, of a whole namespace; memory in pages.</summary>
public sealed record SockstatValues(long InUse, long Orphan, long TimeWait, long Allocated, long MemoryPages);

/// <summary>What a namespace has counted; see TcpCounters in sample.proto.</summary>
public sealed record TcpCounterValues(
    long ListenOverflows, long ListenDrops, long TimeWaitOverflow, long AbortOnMemory, long SynRetransmits, long RetransmittedSegments)
{
    /// <summary>Nothing.</summary>
    public static TcpCounterValues Zero { get; } = new(0, 0, 0, 0, 0, 0);

    /// <summary>Counter by counter.</summary>
    public static TcpCounterValues operator +(TcpCounterValues a, TcpCounterValues b) => new(
        a.ListenOverflows + b.ListenOverflows, a.ListenDrops + b.ListenDrops, a.TimeWaitOverflow + b.TimeWaitOverflow,
        a.AbortOnMemory + b.AbortOnMemory, a.SynRetransmits + b.SynRetransmits, a.RetransmittedSegments + b.RetransmittedSegments);

    /// <summary>What was counted since an earlier reading; never less than nothing.</summary>
    public TcpCounterValues Since(TcpCounterValues earlier) => new(
        Math.Max(0, ListenOverflows - earlier.ListenOverflows), Math.Max(0, ListenDrops - earlier.ListenDrops),
        Math.Max(0, TimeWaitOverflow - earlier.TimeWaitOverflow), Math.Max(0, AbortOnMemory - earlier.AbortOnMemory),
        Math.Max(0, SynRetransmits - earlier.SynRetransmits),
        Math.Max(0, RetransmittedSegments - earlier.RetransmittedSegments));
}

/// <summary>The run's sockets in one network namespace by source and by destination.</summary>
/// <param name="Whole">Endpoints that are not named have none; otherwise only changes are named.</param>
/// <param name="Sources">Per source, with port 0.</param>
/// <param name="Destinations">Per destination, or per address of the destinations with port 0.</param>
public sealed record SocketTally(
    bool Whole, ImmutableDictionary<EndpointAddress, StateCounts> Sources, ImmutableDictionary<EndpointAddress, StateCounts> Destinations);
