using System.Collections.Immutable;
using LoadHarness.Agent.KernelView;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Assignments;

/// <summary>What this agent measured in one interval of a run; see sample.proto. The outbox gives it its sequence.</summary>
public sealed record AgentSample
{
    public required string RunId { get; init; }

    /// <summary>Elapsed at the start of the interval, in milliseconds.</summary>
    public required long FromMillis { get; init; }

    /// <summary>Elapsed at its end, in milliseconds.</summary>
    public required long ToMillis { get; init; }

    /// <summary>Gauges at the end, counters as deltas.</summary>
    public required Counts Counts { get; init; }
    public ImmutableArray<FailureTally> Failures { get; init; } = [];
    public ImmutableArray<EncodedHistogram> Histograms { get; init; } = [];
    public required Health Health { get; init; }

    /// <summary>A new reading of the kernel view; null when there is none.</summary>
    public KernelReading? Kernel { get; init; }

    /// <summary>When the reading ended, elapsed, in milliseconds.</summary>
    public long KernelTakenAtMillis { get; init; }

    /// <summary>Sockets by source and by destination to send with this sample; null when none are due.</summary>
    public SocketCounts? Sockets { get; init; }
}

/// <summary>The run's sockets by source and by destination.</summary>
/// <param name="Whole">Endpoints that are not named have none; otherwise only changes are named.</param>
/// <param name="Sources">Per source, with port 0.</param>
/// <param name="Destinations">Per destination.</param>
public sealed record SocketCounts(
    bool Whole, ImmutableDictionary<EndpointAddress, StateCounts> Sources, ImmutableDictionary<EndpointAddress, StateCounts> Destinations);

/// <summary>Gauges and counters of the whole agent; see sample.proto for each.</summary>
public readonly record struct Counts
{
    public long Goal { get; init; }
    public long Connecting { get; init; }
    public long Handshaking { get; init; }
    public long Established { get; init; }

    /// <summary>Null when no greeting is expected.</summary>
    public long? Confirmed { get; init; }
    public long Closing { get; init; }
    public long RestingTuples { get; init; }
    public long FreeTuples { get; init; }
    public long EstablishedMax { get; init; }
    public long RequestsInFlight { get; init; }
    public long RequestsWaiting { get; init; }

    public long Scheduled { get; init; }
    public long Offered { get; init; }
    public long Opened { get; init; }
    public long Failed { get; init; }
    public long NotOffered { get; init; }
    public long Reopened { get; init; }
    public long ClosedByPeer { get; init; }
    public long Closed { get; init; }
    public long Aborted { get; init; }
    public long DrainPausedMillis { get; init; }
    public long StormClosed { get; init; }
    public long StormOpened { get; init; }
    public long SkippedTuples { get; init; }
    public long DroppedPorts { get; init; }
    public long BytesReceived { get; init; }
    public long BytesSent { get; init; }
    public long Resumed { get; init; }
    public long RequestsScheduled { get; init; }
    public long RequestsOffered { get; init; }
    public long RequestsCompleted { get; init; }
    public long RequestsFailed { get; init; }
    public long RequestsNotOffered { get; init; }
}

/// <summary>Failures of one kind.</summary>
public readonly record struct FailureTally(FailureStage Stage, FailureParty Party, FailureCause Cause, int Errno, long Count);

/// <summary>A histogram delta in the shared layout, encoded.</summary>
public sealed record EncodedHistogram(HistogramKind Kind, byte[] Encoded, long Clamped);

/// <summary>The agent about itself; see sample.proto.</summary>
public sealed record Health
{
    public long ReactorLagMaxMicros { get; init; }
    public long CpuMicros { get; init; }
    public long ReactorCpuMaxMicros { get; init; }
    public long RssBytes { get; init; }
    public long BaseRssBytes { get; init; }
    public GrowthStop GrowthStop { get; init; }
    public bool Saturated { get; init; }
    public int Reactors { get; init; }
    public long ReactorAllocatedBytes { get; init; }
}
