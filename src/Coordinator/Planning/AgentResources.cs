using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>What planning knows about one agent; made from its Hello.</summary>
public sealed record AgentResources
{
    /// <summary>The agent's identity.</summary>
    public required string AgentId { get; init; }

    /// <summary>For people.</summary>
    public required string Host { get; init; }

    /// <summary>Agents with the same value share one endpoint space.</summary>
    public required string NetworkNamespace { get; init; }

    /// <summary>Processors that it may use.</summary>
    public required int Cores { get; init; }

    /// <summary>Connections that one of its reactors can hold.</summary>
    public required int ConnectionsPerReactor { get; init; }

    /// <summary>False: the descriptor limit binds for the whole agent, more reactors do not help.</summary>
    public bool PrivateDescriptorTables { get; init; } = true;

    /// <summary>Connections that its own user allows it; null: as many as it can hold.</summary>
    public long? MaxConnections { get; init; }

    /// <summary>Connects per second that its own user allows it; null: any rate.</summary>
    public double? MaxConnectsPerSecond { get; init; }

    /// <summary>Whether it can give blocks back.</summary>
    public bool CanRetire { get; init; }

    /// <summary>Addresses of its host.</summary>
    public ImmutableArray<IpAddress> Addresses { get; init; } = [];

    /// <summary>Ports never to bind: reserved or listening in its namespace.</summary>
    public ImmutableArray<PortSpan> UnusablePorts { get; init; } = [];

    /// <summary>net.ipv4.ip_local_port_range of its namespace.</summary>
    public PortSpan EphemeralPorts { get; init; } = new(32768, 60999);
}
