using System.Collections.Immutable;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Safety;

namespace LoadHarness.Agent.Link;

/// <summary>Whom to join, and as whom.</summary>
public sealed record LinkOptions
{
    /// <summary>The coordinator.</summary>
    public required CoordinatorAddress Coordinator { get; init; }

    /// <summary>Identity, stable over restarts: 1 to 128 characters.</summary>
    public required string AgentId { get; init; }

    /// <summary>One process life.</summary>
    public string Incarnation { get; init; } = Guid.NewGuid().ToString();

    /// <summary>What runs select agents by.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>What is sent to be let in.</summary>
    public LinkCredential Credential { get; init; } = LinkCredential.None;

    /// <summary>How both sides know each other over TLS; wanted when the coordinator speaks it.</summary>
    public LinkTls? Tls { get; init; }

    /// <summary>Resolves the names that a coordinator asks about.</summary>
    public NameLookup Lookup { get; init; } = NameLookup.OfHost;

    /// <summary>What this agent's user lets it do; told to the coordinator, which plans within it.</summary>
    public AgentPolicy Policy { get; init; } = new(AllowList.Loopback);
}
