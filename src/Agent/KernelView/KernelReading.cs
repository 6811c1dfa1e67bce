using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.KernelView;

/// <summary>One reading of the kernel's socket table.</summary>
public sealed record KernelReading
{
    /// <summary>CLOCK_BOOTTIME when the dump ended, in nanoseconds.</summary>
    public required long TakenAtNanos { get; init; }

    /// <summary>
    /// Only <see cref="Sockstat"/> and <see cref="Counters"/>, which are of the whole namespace: taken between two dumps.
    /// </summary>
    public bool NamespaceOnly { get; init; }

    /// <summary>Client ends of the run's connections, per state; of a backend the server ends.</summary>
    public StateCounts States { get; init; } = StateCounts.None;

    /// <summary>The run's own connections per source, with port 0.</summary>
    public ImmutableDictionary<EndpointAddress, StateCounts> BySource { get; init; } = ImmutableDictionary<EndpointAddress, StateCounts>.Empty;

    /// <summary>Likewise per destination; with port 0 when there are too many.</summary>
    public ImmutableDictionary<EndpointAddress, StateCounts> ByDestination { get; init; } = ImmutableDictionary<EndpointAddress, StateCounts>.Empty;

    /// <summary>Live sockets (in any state but TIME-WAIT) to the target whose source is outside the run's blocks.</summary>
    public long Foreign { get; init; }

    /// <summary>How long the dump took.</summary>
    public TimeSpan Wall { get; init; }

    /// <summary>CPU time of the reading thread for it.</summary>
    public TimeSpan Cpu { get; init; }

    /// <summary>Time until the next one.</summary>
    public TimeSpan Interval { get; init; }

    /// <summary>/proc/net/sockstat at the same moment; null when it could not be read.</summary>
    public SockstatReading? Sockstat { get; init; }

    /// <summary>What the namespace has counted; null when it could not be read.</summary>
    public TcpCounterReading? Counters { get; init; }

    /// <summary>Empty, or why the kernel could not be read; the counts are then empty, not zero.</summary>
    public string Error { get; init; } = "";
}

/// <summary>
/// The TCP line of /proc/net/sockstat: of the whole namespace. TIME-WAIT includes orphaned FIN-WAIT-2; memory is in pages.
/// </summary>
public sealed record SockstatReading(long InUse, long Orphan, long TimeWait, long Allocated, long MemoryPages);

/// <summary>What one network namespace has counted since it was made; see TcpCounters in sample.proto.</summary>
public sealed record TcpCounterReading(
    long ListenOverflows, long ListenDrops, long TimeWaitOverflow, long AbortOnMemory, long SynRetransmits, long RetransmittedSegments);
