using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.KernelView;

/// <summary>One reading of the kernel's socket table.</summary>
public sealed record KernelReading
{
    /// <summary>CLOCK_BOOTTIME when the dump ended, in nanoseconds.</summary>
    public required long TakenAtNanos { get; init; }

    /// <summary>Client ends of the run's connections, per state.</summary>
    public required ImmutableDictionary<TcpState, long> States { get; init; }

    /// <summary>ESTABLISHED per source address, of the run's own connections.</summary>
    public required ImmutableDictionary<IpAddress, long> EstablishedBySource { get; init; }

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

    /// <summary>Empty, or why the kernel could not be read; the counts are then empty, not zero.</summary>
    public string Error { get; init; } = "";
}

/// <summary>
/// The TCP line of /proc/net/sockstat: of the whole namespace. TIME-WAIT includes orphaned FIN-WAIT-2; memory is in pages.
/// </summary>
public sealed record SockstatReading(long InUse, long Orphan, long TimeWait, long Allocated, long MemoryPages);
