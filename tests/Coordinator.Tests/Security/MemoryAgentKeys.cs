using System.Collections.Concurrent;
using LoadHarness.Coordinator.Security;

namespace LoadHarness.Coordinator.Tests.Security;

/// <summary>Bindings that no file keeps.</summary>
internal sealed class MemoryAgentKeys : IAgentKeys
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
