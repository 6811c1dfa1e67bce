using System.Collections.Immutable;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Security;

/// <summary>Who makes a call, proved by credential or key before the call is looked at.</summary>
public abstract record Caller
{
    private protected Caller()
    {
    }

    /// <summary>For messages, and for what is counted for each caller. Never a secret.</summary>
    public abstract string Name { get; }

    /// <summary>In words, for whoever is refused.</summary>
    public virtual string Description => Name;

    /// <summary>Whether a method with this demand is open to the caller.</summary>
    public abstract bool May(Access access);
}

/// <summary>This machine's user, by the generated credential: a process that reads the file could do anything here anyhow.</summary>
public sealed record LocalCaller : Caller
{
    /// <inheritdoc/>
    public override string Name => "local";

    /// <inheritdoc/>
    public override bool May(Access access) => access is Access.Viewer or Access.Operator or Access.Agent;
}

/// <summary>A user, by token.</summary>
/// <param name="TokenName">The token's name.</param>
/// <param name="Role">Viewer or operator.</param>
public sealed record UserCaller(string TokenName, TokenRole Role) : Caller
{
    /// <inheritdoc/>
    public override string Name => $"user:{TokenName}";

    /// <inheritdoc/>
    public override string Description => $"token `{TokenName}` has the role {Role.ToString().ToLowerInvariant()}, which";

    /// <inheritdoc/>
    public override bool May(Access access) => access switch
    {
        Access.Viewer => Role is TokenRole.Viewer or TokenRole.Operator,
        Access.Operator => Role is TokenRole.Operator,
        _ => false,
    };
}

/// <summary>An agent, by the key that it proved to hold in the TLS handshake.</summary>
/// <param name="Fingerprint">SHA-256 of the key's SubjectPublicKeyInfo, in lower-case hexadecimal.</param>
public sealed record AgentCaller(string Fingerprint) : Caller
{
    /// <summary>The join token that came with the call; null when none did.</summary>
    public JoinToken? JoinToken { get; init; }

    /// <summary>The identity that the coordinator's CA issued the certificate to; null when it did not issue it.</summary>
    public string? CertifiedIdentity { get; init; }

    /// <inheritdoc/>
    public override string Name => $"agent key {Fingerprint[..Math.Min(Fingerprint.Length, 16)]}";

    /// <inheritdoc/>
    public override string Description => JoinToken is { } token ? $"token `{token.Name}` has the role agent, which" : Name;

    /// <inheritdoc/>
    public override bool May(Access access) => access is Access.Agent;
}

/// <summary>What a join token allows.</summary>
/// <param name="Name">The token's name.</param>
/// <param name="Labels">Labels that the agent must carry, with these values.</param>
public sealed record JoinToken(string Name, ImmutableSortedDictionary<string, string> Labels);

/// <summary>What a token is good for.</summary>
public enum TokenRole
{
    /// <summary>Looks.</summary>
    Viewer,

    /// <summary>Also starts, changes and stops.</summary>
    Operator,

    /// <summary>Enrols agents, and nothing else: a join token.</summary>
    Agent,
}
