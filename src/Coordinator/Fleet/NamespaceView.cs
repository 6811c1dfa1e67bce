using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>What is known of one network namespace: the inventory of one of its agents, and what its agents answered.</summary>
internal sealed class NamespaceView
{
    private readonly ImmutableArray<RouteReply> _replies;

    public NamespaceView(HostInventory inventory, ImmutableArray<AgentState> agents, IReadOnlyDictionary<string, RouteReply> replies)
    {
        (Inventory, Agents) = (inventory, agents);
        Replies = [.. agents.Select(a => (a, replies.GetValueOrDefault(a.Id)))];
        _replies = [.. Replies.Select(r => r.Reply).OfType<RouteReply>()];
    }

    /// <summary>What the host has.</summary>
    public HostInventory Inventory { get; }

    /// <summary>Those that live there and take part.</summary>
    public ImmutableArray<AgentState> Agents { get; }

    /// <summary>What each of them answered; null when it was not asked.</summary>
    public ImmutableArray<(AgentState Agent, RouteReply? Reply)> Replies { get; }

    /// <summary>Whether the kernel there was asked.</summary>
    public bool IsAsked => !_replies.IsEmpty;

    /// <summary>Where the kernel there would connect from; routes may differ between agents, by mark or user.</summary>
    public ImmutableArray<IpAddress> SourcesFor(IpAddress target) =>
        [.. _replies.Select(r => r.Sources.GetValueOrDefault(target)).OfType<IpAddress>().Distinct()];
}
