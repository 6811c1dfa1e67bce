using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Preflight;

/// <summary>What this host has, as it was found at the start; see inventory.proto for units and sources.</summary>
public sealed partial record HostInventory
{
    /// <summary>For people.</summary>
    public required string Hostname { get; init; }

    /// <summary>Equal for agents that share a network namespace, and so an endpoint space.</summary>
    public required string NetworkNamespace { get; init; }

    /// <summary>uname -r</summary>
    public required string KernelRelease { get; init; }

    /// <summary>Processors that this process may use: affinity and, in a container, its CPU quota.</summary>
    public required int Cores { get; init; }

    /// <summary>MemFree, in bytes; 0 when it is not known.</summary>
    public required long MemoryFreeBytes { get; init; }

    /// <summary>RLIMIT_NOFILE after raising it to the hard limit.</summary>
    public required int DescriptorLimit { get; init; }

    /// <summary>Connections that one reactor can hold, at least 1.</summary>
    public int ConnectionsPerReactor => ConnectionsOf(DescriptorLimit);

    /// <summary>Whether each reactor can have a descriptor table of its own.</summary>
    public required bool PrivateDescriptorTables { get; init; }

    /// <summary>Addresses of interfaces that are up.</summary>
    public required ImmutableArray<HostAddress> Addresses { get; init; }

    /// <summary>net.ipv4.ip_local_port_range; null when it is not known.</summary>
    public required PortSpan? EphemeralPorts { get; init; }

    /// <summary>net.ipv4.ip_local_reserved_ports</summary>
    public required ImmutableArray<PortSpan> ReservedPorts { get; init; }

    /// <summary>TCP ports with a listener in this namespace.</summary>
    public required ImmutableArray<PortSpan> ListeningPorts { get; init; }

    /// <summary>net.ipv4.tcp_max_tw_buckets; 0 when it is not known.</summary>
    public required long MaxTimeWaitBuckets { get; init; }

    /// <summary>net.ipv4.tcp_timestamps</summary>
    public required bool TcpTimestamps { get; init; }

    /// <summary>fs.file-max, and the files that are open on the host; 0 when it is not known.</summary>
    public long FileMax { get; init; }

    /// <inheritdoc cref="FileMax"/>
    public long OpenFiles { get; init; }

    /// <summary>net.ipv4.tcp_mem: low, pressure, most, in pages of <see cref="PageBytes"/>; empty where it is not to be seen.</summary>
    public ImmutableArray<long> TcpMemoryPages { get; init; } = [];

    /// <summary>In bytes.</summary>
    public int PageBytes { get; init; }

    /// <summary>net.ipv4.tcp_max_orphans; 0 where it is not to be seen.</summary>
    public long MaxOrphans { get; init; }

    /// <summary>What `check` says without a need.</summary>
    public ImmutableArray<HostCheck> Checks { get; init; } = [];

    /// <summary>What will bite: the checks that are not well.</summary>
    public ImmutableArray<AgentFinding> Findings => [.. Checks.Select(c => c.ToFinding()).OfType<AgentFinding>()];

    internal static int ConnectionsOf(int descriptorLimit) => Math.Max(1, descriptorLimit - OwnDescriptors);
}

/// <summary>One address of an interface.</summary>
/// <param name="Address">The address.</param>
/// <param name="PrefixLength">0 to 32, or to 128.</param>
/// <param name="Device">Name of the interface.</param>
public readonly record struct HostAddress(IpAddress Address, int PrefixLength, string Device);
