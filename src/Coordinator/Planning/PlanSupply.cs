using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>What there is to plan a run with.</summary>
/// <param name="Agents">Those that take part, in a stable order.</param>
/// <param name="Ends">What the agents of each network namespace connect.</param>
/// <param name="Held">Blocks that other runs hold.</param>
public sealed record PlanSupply(
    ImmutableArray<AgentResources> Agents, IReadOnlyDictionary<string, NamespaceEnds> Ends, ImmutableArray<HeldBlocks> Held)
{
    /// <summary>Source addresses that are gone from a namespace, by its name: nothing is planned on them.</summary>
    public ImmutableDictionary<string, ImmutableHashSet<IpAddress>> Gone { get; init; } =
        ImmutableDictionary<string, ImmutableHashSet<IpAddress>>.Empty;

    /// <summary>Agents of the present plan whose processes are known to have ended, with all of their sockets.</summary>
    public ImmutableHashSet<string> Ended { get; init; } = [];

    /// <summary>Source addresses that are gone from a namespace.</summary>
    public ImmutableHashSet<IpAddress> GoneFrom(string networkNamespace) => Gone.GetValueOrDefault(networkNamespace, []);

    /// <summary>The ends of a namespace; none when nobody said.</summary>
    public NamespaceEnds EndsOf(string networkNamespace) =>
        Ends.TryGetValue(networkNamespace, out var ends) ? ends : new NamespaceEnds([], []);
}

/// <summary>Both ends of what the agents of one network namespace connect.</summary>
/// <param name="Sources">Addresses to connect from: resolved, and there.</param>
/// <param name="Destinations">What the targets mean there, without duplicates.</param>
public sealed record NamespaceEnds(ImmutableArray<IpRange> Sources, ImmutableArray<Destination> Destinations);

/// <summary>Blocks that a live run holds in one network namespace.</summary>
public sealed record HeldBlocks(string RunId, string NetworkNamespace, ImmutableArray<BlockRange> Blocks);
