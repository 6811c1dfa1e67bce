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
    public int ConnectionsPerReactor => Math.Max(1, DescriptorLimit - OwnDescriptors);

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

    /// <summary>What will bite.</summary>
    public required ImmutableArray<AgentFinding> Findings { get; init; }
}

/// <summary>One address of an interface.</summary>
/// <param name="Address">The address.</param>
/// <param name="PrefixLength">0 to 32, or to 128.</param>
/// <param name="Device">Name of the interface.</param>
public readonly record struct HostAddress(IpAddress Address, int PrefixLength, string Device);
