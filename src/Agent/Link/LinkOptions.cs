using System.Collections.Immutable;

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

    /// <summary>
    /// Holds the credential; read anew for each attachment, for a coordinator that starts again may have written another. Null:
    /// none is sent.
    /// </summary>
    public string? CredentialFile { get; init; }
}
