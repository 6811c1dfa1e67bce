using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Safety;

/// <summary>What its own user lets this agent do. A coordinator plans within it and cannot widen it.</summary>
/// <param name="AllowList">Where it may connect to.</param>
public sealed record AgentPolicy(AllowList AllowList)
{
    /// <summary>Where a run may add source addresses to this host.</summary>
    public AllowProvision AllowProvision { get; init; } = AllowProvision.Nothing;

    /// <summary>Client or backend.</summary>
    public AgentRole Role { get; init; } = AgentRole.Client;

    /// <summary>Where a backend may listen: by default not on the ports of the system's own services.</summary>
    public ImmutableArray<PortSpan> ListenPorts { get; init; } = [new(1024, 65535)];

    /// <summary>The addresses at which a backend listens; by default every one of the host.</summary>
    public ImmutableArray<IpAddress> ListenAddresses { get; init; } = [new(false, 0), new(true, 0)];

    /// <summary>Most connections at once; 0: no such limit.</summary>
    public long MaxConnections { get; init; }

    /// <summary>Most connects per second; 0: no such limit.</summary>
    public double MaxConnectsPerSecond { get; init; }
}
