using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Cli;

/// <summary>An agent as its coordinator knows it.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="Host">Its host's name.</param>
/// <param name="Pid">Its process on that host.</param>
/// <param name="Namespace">Agents with the same value share one endpoint space.</param>
/// <param name="Cores">Processors that it may use.</param>
/// <param name="MemoryFreeBytes">Of its host, when it started.</param>
/// <param name="ConnectionsPerReactor">What one reactor can hold.</param>
/// <param name="PrivateDescriptorTables">Whether that limit binds each reactor and not the whole agent.</param>
/// <param name="RunId">The run that it works for; empty when idle.</param>
/// <param name="Connected">Whether it answers.</param>
public sealed record AgentView(
    string Id,
    string Host,
    int Pid,
    string Namespace,
    int Cores,
    long MemoryFreeBytes,
    long ConnectionsPerReactor,
    bool PrivateDescriptorTables,
    string RunId,
    bool Connected)
{
    /// <summary><c>client</c> or <c>backend</c>.</summary>
    public string Role { get; init; } = "";

    /// <summary>What runs select by.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Of the contract, as in <c>1.1</c>.</summary>
    public string Version { get; init; } = "";

    /// <summary>Its host's addresses.</summary>
    public ImmutableArray<string> Addresses { get; init; } = [];

    /// <summary><c>CIDR@DEV</c> where runs may add source addresses to its host.</summary>
    public ImmutableArray<string> AllowProvision { get; init; } = [];

    /// <summary>What its user should know about its host.</summary>
    public ImmutableArray<string> Findings { get; init; } = [];

    /// <summary>How its host stood when it started.</summary>
    public ImmutableArray<HostCheckView> Checks { get; init; } = [];

    /// <summary>What it can do, by name.</summary>
    public ImmutableArray<string> Capabilities { get; init; } = [];

    /// <summary>When it was heard last; null: unknown.</summary>
    public DateTimeOffset? LastSeen { get; init; }
}
