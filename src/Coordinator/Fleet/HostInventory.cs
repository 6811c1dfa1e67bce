using System.Collections.Immutable;
using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>What an agent's host has, as it said in its Hello; see inventory.proto.</summary>
public sealed record HostInventory
{
    /// <summary>For people.</summary>
    public required string Hostname { get; init; }

    /// <summary>Equal for agents that share a network namespace, and so an endpoint space.</summary>
    public required string NetworkNamespace { get; init; }

    /// <summary>uname -r</summary>
    public string KernelRelease { get; init; } = "";

    /// <summary>Processors that the agent may use, at least 1.</summary>
    public required int Cores { get; init; }

    /// <summary>MemFree, in bytes.</summary>
    public long MemoryFreeBytes { get; init; }

    /// <summary>Connections that one reactor can hold, at least 1.</summary>
    public required int ConnectionsPerReactor { get; init; }

    /// <summary>False: the descriptor limit binds for the whole process.</summary>
    public bool PrivateDescriptorTables { get; init; }

    /// <summary>Addresses of its interfaces.</summary>
    public ImmutableArray<HostAddress> Addresses { get; init; } = [];

    /// <summary>net.ipv4.ip_local_port_range; null when the agent did not say.</summary>
    public PortSpan? EphemeralPorts { get; init; }

    /// <summary>net.ipv4.ip_local_reserved_ports</summary>
    public ImmutableArray<PortSpan> ReservedPorts { get; init; } = [];

    /// <summary>TCP ports with a listener.</summary>
    public ImmutableArray<PortSpan> ListeningPorts { get; init; } = [];

    /// <summary>net.ipv4.tcp_max_tw_buckets</summary>
    public long MaxTimeWaitBuckets { get; init; }

    /// <summary>net.ipv4.tcp_timestamps</summary>
    public bool TcpTimestamps { get; init; }

    /// <summary>Process id of the agent, in its own process namespace.</summary>
    public int ProcessId { get; init; }

    /// <summary>Connections that the agent's own user allows it; 0: no such limit.</summary>
    public long MaxConnections { get; init; }

    /// <summary>Connects per second that the agent's own user allows it; 0: no such limit.</summary>
    public double MaxConnectsPerSecond { get; init; }

    /// <summary>The agent's allow-list as its user wrote it, for messages only.</summary>
    public ImmutableArray<string> AllowList { get; init; } = [];

    /// <summary><c>CIDR@DEV</c> where runs may add source addresses.</summary>
    public ImmutableArray<string> AllowProvision { get; init; } = [];

    /// <summary>fs.file-max, and how many files are open on the host; 0: unknown.</summary>
    public long FileMax { get; init; }

    /// <inheritdoc cref="FileMax"/>
    public long OpenFiles { get; init; }

    /// <summary>net.ipv4.tcp_mem: low, pressure, most, in pages of <see cref="PageBytes"/>; empty: unknown.</summary>
    public ImmutableArray<long> TcpMemoryPages { get; init; } = [];

    /// <summary>In bytes; 0: unknown.</summary>
    public long PageBytes { get; init; }

    /// <summary>net.ipv4.tcp_max_orphans; 0: unknown.</summary>
    public long MaxOrphans { get; init; }

    /// <summary>How the host stood when the agent started, without a run in view.</summary>
    public ImmutableArray<HostCheck> Checks { get; init; } = [];

    /// <summary>What the agent found amiss with its host.</summary>
    public ImmutableArray<AgentFinding> Findings { get; init; } = [];

    /// <summary>Limits that are no endpoint space.</summary>
    public HostFacts ToFacts() => new()
    {
        MemoryFreeBytes = MemoryFreeBytes > 0 ? MemoryFreeBytes : null,
        FreeFiles = FileMax > 0 ? Math.Max(0, FileMax - OpenFiles) : null,
        MaxTimeWaitBuckets = MaxTimeWaitBuckets > 0 ? MaxTimeWaitBuckets : null,
        TcpTimestamps = TcpTimestamps,
    };
}

/// <summary>One address of an interface.</summary>
public readonly record struct HostAddress(IpAddress Address, int PrefixLength, string Device)
{
    /// <summary>Whether another address lies in this one's network: it is reached without a gateway.</summary>
    public bool IsOnLink(IpAddress other)
    {
        var width = Address.IsV6 ? 128 : 32;
        if (other.IsV6 != Address.IsV6 || PrefixLength is <= 0 || PrefixLength > width)
            return false;
        return (other.Value ^ Address.Value) >> (width - PrefixLength) == UInt128.Zero;
    }
}
