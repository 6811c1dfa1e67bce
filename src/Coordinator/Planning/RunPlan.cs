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

    /// <summary>Addresses of its host.</summary>
    public ImmutableArray<IpAddress> Addresses { get; init; } = [];

    /// <summary>Ports never to bind: reserved or listening in its namespace.</summary>
    public ImmutableArray<PortSpan> UnusablePorts { get; init; } = [];

    /// <summary>net.ipv4.ip_local_port_range of its namespace.</summary>
    public PortSpan EphemeralPorts { get; init; } = new(32768, 60999);
}

/// <summary>Who does what in a run. Immutable: a change of the run makes a new plan with the next revision number.</summary>
public sealed record RunPlan
{
    /// <summary>Number of this plan within the run, from 1.</summary>
    public required long Revision { get; init; }

    /// <summary>The goal of the hold.</summary>
    public required long Goal { get; init; }

    /// <summary>Destinations of all agents.</summary>
    public required ImmutableArray<Destination> Destinations { get; init; }

    /// <summary>The goal of the whole run over time; the agents' schedules sum to it at every instant within one connection an agent.</summary>
    public required Schedule Schedule { get; init; }

    /// <summary>One entry for each agent.</summary>
    public required ImmutableArray<AgentPlan> Agents { get; init; }

    /// <summary>How long a drain may take: 10 s + goal / 40,000 per s.</summary>
    public required TimeSpan DrainTimeout { get; init; }
}

/// <summary>One agent's part of a plan.</summary>
public sealed record AgentPlan
{
    /// <summary>The agent's identity.</summary>
    public required string AgentId { get; init; }

    /// <summary>Its part of the goal.</summary>
    public required long Share { get; init; }

    /// <summary>The goal of this agent over time.</summary>
    public required Schedule Schedule { get; init; }

    /// <summary>The blocks that it owns.</summary>
    public required Slice Slice { get; init; }
}
