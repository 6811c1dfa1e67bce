using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using LoadHarness.Coordinator.Security;
using Microsoft.Data.Sqlite;

namespace LoadHarness.Coordinator.Store;

/// <summary>Bindings of agents, kept for good. All of them are in memory too, so that a Hello is judged at once.</summary>
public sealed class StoreAgentKeys : IAgentKeys
{
    private readonly StoreWriter _writer;
    private readonly ConcurrentDictionary<string, AgentKey> _keys;
    // One change at a time: what is in force and what is on disk never differ in order.
    private readonly SemaphoreSlim _changing = new(1, 1);

    internal StoreAgentKeys(string path, StoreWriter writer)
    {
        _writer = writer;
        using var commands = new StoreCommands(StoreFile.Connect(path, SqliteOpenMode.ReadOnly));
        _keys = new(
            commands.Query(Read, "SELECT id, fingerprint, labels, enrolled_at FROM agents").ToDictionary(k => k.AgentId),
            StringComparer.Ordinal);
    }

    /// <inheritdoc/>
    public AgentKey? Find(string agentId) => _keys.GetValueOrDefault(agentId);

    /// <inheritdoc/>
    public bool IsBound(string fingerprint) => _keys.Values.Any(k => k.Fingerprint == fingerprint);

    /// <inheritdoc/>
    /// <exception cref="StoreException">It cannot be kept, so it is not in force.</exception>
    public async Task<AgentKey> BindAsync(AgentKey key, CancellationToken cancel)
    {
        await _changing.WaitAsync(cancel);
        try
        {
            if (_keys.TryGetValue(key.AgentId, out var before))
                return before;
            await _writer.EnqueueAsync(s => s.Execute(
                "INSERT INTO agents (id, fingerprint, labels, enrolled_at) VALUES ($1, $2, $3, $4)",
                key.AgentId,
                key.Fingerprint,
                JsonSerializer.Serialize(key.Labels),
                key.EnrolTime.ToUnixTimeMilliseconds())).WaitAsync(cancel);
            return _keys[key.AgentId] = key;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public async Task<bool> ForgetAsync(string agentId, CancellationToken cancel)
    {
        await _changing.WaitAsync(cancel);
        try
        {
            if (!_keys.ContainsKey(agentId))
                return false;
            await _writer.EnqueueAsync(s => s.Execute("DELETE FROM agents WHERE id = $1", agentId)).WaitAsync(cancel);
            return _keys.TryRemove(agentId, out _);
        }
        finally
        {
            _changing.Release();
        }
    }

    private static AgentKey Read(SqliteDataReader row) => new(
        row.GetString(0),
        row.GetString(1),
        JsonSerializer.Deserialize<ImmutableSortedDictionary<string, string>>(row.GetString(2))!,
        DateTimeOffset.FromUnixTimeMilliseconds(row.GetInt64(3)));
}
