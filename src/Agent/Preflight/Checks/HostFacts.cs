using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>What the checks look at, as it was read. What could not be read is null, or absent.</summary>
internal sealed partial record HostFacts
{
    /// <summary>Texts of sysctls by name.</summary>
    public ImmutableDictionary<string, string> Sysctls { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Sysctls that are there and cannot be set from here, whoever tries.</summary>
    public ImmutableHashSet<string> Fixed { get; init; } = [];

    /// <summary>Descriptors in one table.</summary>
    public int DescriptorLimit { get; init; }

    /// <summary>Why reactors cannot have descriptor tables of their own; 0: they can.</summary>
    public int UnshareErrno { get; init; }

    /// <summary>Why sockets cannot be listed by sock_diag; 0: they can.</summary>
    public int SocketDiagErrno { get; init; }

    /// <summary>uname -r</summary>
    public string KernelRelease { get; init; } = "";

    /// <summary>Processors that this process may use.</summary>
    public int Cores { get; init; }

    /// <summary>MemFree, MemAvailable and MemTotal of /proc/meminfo, in bytes.</summary>
    public long? MemoryFree { get; init; }

    /// <inheritdoc cref="MemoryFree"/>
    public long? MemoryAvailable { get; init; }

    /// <inheritdoc cref="MemoryFree"/>
    public long? MemoryTotal { get; init; }

    /// <summary>What the memory limit of this process's control group leaves, in bytes; null: no limit.</summary>
    public long? GroupMemoryLeft { get; init; }

    /// <summary>In bytes.</summary>
    public int PageBytes { get; init; } = 4096;

    /// <summary>Pages that TCP has in use (`mem` of sockstat).</summary>
    public long? TcpPages { get; init; }

    /// <summary>Packets dropped for want of room before TCP saw them, since boot (second column of softnet_stat).</summary>
    public long? BacklogDrops { get; init; }

    /// <summary>current_clocksource; empty: not known.</summary>
    public string ClockSource { get; init; } = "";

    /// <summary>Whether something keeps the clock right (adjtimex(2)).</summary>
    public bool? ClockSynchronised { get; init; }

    /// <summary>Whether connections of this network namespace are tracked; null: the kernel cannot.</summary>
    public bool? Tracking { get; init; }

    /// <summary>TCP ports with a listener.</summary>
    public ImmutableArray<PortSpan> ListeningPorts { get; init; } = [];

    /// <summary>The number at a place of a sysctl; null when it is not there or no number. What exceeds a long is its largest value.</summary>
    public long? Number(string sysctl, int index = 0)
    {
        var words = Sysctls.GetValueOrDefault(sysctl, "").Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        return index < words.Length ? ProcFile.ParseNumber(words[index]) : null;
    }
}
