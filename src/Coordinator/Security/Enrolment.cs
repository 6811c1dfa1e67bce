using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Security;

/// <summary>Decides which caller may use which agent identity, and binds an identity to the key that claimed it first.</summary>
public sealed class Enrolment(IAgentKeys keys, TimeProvider time)
{
    /// <summary>Checks a claim without changing anything.</summary>
    /// <param name="caller">Who claims.</param>
    /// <param name="agentId">The identity.</param>
    /// <param name="labels">What the agent says that it carries.</param>
    /// <exception cref="EnrolmentException">It is not the caller's; the message is for people.</exception>
    public void Check(Caller caller, string agentId, IReadOnlyDictionary<string, string> labels)
    {
        var bound = keys.Find(agentId);
        if (caller is not AgentCaller agent)
        {
            if (bound is not null)
                throw BelongsToAnother(bound, "and was claimed without a key");
            return;
        }

        if (bound is not null)
        {
            if (bound.Fingerprint != agent.Fingerprint)
                throw BelongsToAnother(bound, $"not to {agent.Name}");
            RequireLabels(bound.Labels, labels, $"agent identity `{agentId}` was enrolled");
            return;
        }

        if (agent.JoinToken is { } token)
            RequireLabels(token.Labels, labels, $"join token `{token.Name}` is");
        else if (agent.CertifiedIdentity != agentId)
            throw new EnrolmentException(NotEnrolled(agent, agentId));
    }

    /// <summary>Checks a claim and binds the identity, for good when the task completes.</summary>
    /// <inheritdoc cref="Check"/>
    public async Task BindAsync(Caller caller, string agentId, IReadOnlyDictionary<string, string> labels, CancellationToken cancel)
    {
        Check(caller, agentId, labels);
        if (caller is not AgentCaller agent || keys.Find(agentId) is not null)
            return;
        var limits = agent.JoinToken?.Labels ?? ImmutableSortedDictionary<string, string>.Empty;
        var bound = await keys.BindAsync(new(agentId, agent.Fingerprint, limits, time.GetUtcNow()), cancel);
        if (bound.Fingerprint != agent.Fingerprint)
            throw BelongsToAnother(bound, $"not to {agent.Name}");
    }

    private static void RequireLabels(
        ImmutableSortedDictionary<string, string> wanted, IReadOnlyDictionary<string, string> given, string who)
    {
        var missing = wanted.Where(w => given.GetValueOrDefault(w.Key) != w.Value).Select(w => $"{w.Key}={w.Value}").ToArray();
        if (missing.Length > 0)
        {
            throw new EnrolmentException(
                $"{who} for agents that carry {string.Join(", ", missing)}; join with {string.Join(' ', missing.Select(m => $"--label {m}"))}");
        }
    }

    private static EnrolmentException BelongsToAnother(AgentKey bound, string notTo) => new(
        $"agent identity `{bound.AgentId}` belongs to key {bound.Fingerprint[..16]}, enrolled {bound.EnrolTime:u}, {notTo}; give this agent another "
        + $"identity, or, if that key is lost, forget it: loadharness agents forget {bound.AgentId}");

    private static string NotEnrolled(AgentCaller agent, string agentId) =>
        (agent.CertifiedIdentity is { } other
            ? $"the certificate of {agent.Name} was issued to agent identity `{other}`, not to `{agentId}`; join as `{other}`, or"
            : $"agent identity `{agentId}` is not enrolled, and {agent.Name} belongs to another one;")
        + " give it a join token: loadharness tokens create NAME --role agent";
}
