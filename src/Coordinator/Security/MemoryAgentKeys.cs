using System.Collections.Concurrent;

namespace LoadHarness.Coordinator.Security;

/// <summary>Bindings that end with the process: for a coordinator without a store.</summary>
public sealed class MemoryAgentKeys : IAgentKeys
{
    private readonly ConcurrentDictionary<string, AgentKey> _keys = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public AgentKey? Find(string agentId) => _keys.GetValueOrDefault(agentId);

    /// <inheritdoc/>
    public bool IsBound(string fingerprint) => _keys.Values.Any(k => k.Fingerprint == fingerprint);

    /// <inheritdoc/>
    public Task<AgentKey> BindAsync(AgentKey key, CancellationToken cancel) => Task.FromResult(_keys.GetOrAdd(key.AgentId, key));

    /// <inheritdoc/>
    public Task<bool> ForgetAsync(string agentId, CancellationToken cancel) => Task.FromResult(_keys.TryRemove(agentId, out _));
}
