using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Security;

/// <summary>Which key each enrolled identity is bound to. Members may be called from any thread.</summary>
public interface IAgentKeys
{
    /// <summary>The binding of an identity; null when it has none. Answers at once.</summary>
    AgentKey? Find(string agentId);

    /// <summary>Whether any identity is bound to a key. Answers at once.</summary>
    /// <param name="fingerprint">As in <see cref="AgentKey.Fingerprint"/>.</param>
    bool IsBound(string fingerprint);

    /// <summary>Binds an identity that has no binding; one that is there stays as it is.</summary>
    /// <returns>What is in force, and kept for good, when the task completes: the caller's own when it was first.</returns>
    Task<AgentKey> BindAsync(AgentKey key, CancellationToken cancel);

    /// <summary>Unbinds an identity.</summary>
    /// <returns>False when it had no binding.</returns>
    Task<bool> ForgetAsync(string agentId, CancellationToken cancel);
}

/// <summary>An identity and the key that it belongs to.</summary>
/// <param name="AgentId">The identity.</param>
/// <param name="Fingerprint">SHA-256 of the key's SubjectPublicKeyInfo, in lower-case hexadecimal.</param>
/// <param name="Labels">Labels that the join token prescribed; the agent must always carry them.</param>
/// <param name="EnrolTime">When it was bound.</param>
public sealed record AgentKey(
    string AgentId, string Fingerprint, ImmutableSortedDictionary<string, string> Labels, DateTimeOffset EnrolTime);
