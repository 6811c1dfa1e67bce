using System.Collections.Immutable;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>How an agent introduces itself; see agent_link.proto.</summary>
public sealed record AgentHello
{
    /// <summary>Identity, stable over restarts; 1 to 128 visible ASCII characters.</summary>
    public required string AgentId { get; init; }

    /// <summary>One process life.</summary>
    public required string Incarnation { get; init; }

    /// <summary>Client or backend.</summary>
    public required AgentRole Role { get; init; }

    /// <summary>Of the contract that it speaks; its major is ours.</summary>
    public ContractVersion Version { get; init; }

    /// <summary>What runs select by.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>What it can do, by name.</summary>
    public ImmutableHashSet<string> Capabilities { get; init; } = [];

    /// <summary>What its host has.</summary>
    public required HostInventory Inventory { get; init; }

    /// <summary>What it still holds when it comes back; null when nothing.</summary>
    public AgentStatus? Held { get; init; }
}

/// <summary>A version of the contract.</summary>
/// <param name="Major">Peers with another one do not understand each other.</param>
/// <param name="Minor">Grows when something is added that an older peer may ignore.</param>
public readonly record struct ContractVersion(uint Major, uint Minor)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Major}.{Minor}";
}
