using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>The endpoint space of one network namespace in numbers.</summary>
public sealed record EndpointRow
{
    /// <summary>For people.</summary>
    public required string Host { get; init; }

    /// <summary>Which.</summary>
    public required string NetworkNamespace { get; init; }

    /// <summary>Agents that share it, as indices into the supply's agents.</summary>
    public required ImmutableArray<int> Agents { get; init; }

    /// <summary>IPv4 source addresses that reach a destination.</summary>
    public required long SourcesV4 { get; init; }

    /// <summary>IPv6 source addresses that reach a destination.</summary>
    public required long SourcesV6 { get; init; }

    /// <summary>Source ports that may be bound on each of them.</summary>
    public required int Ports { get; init; }

    /// <summary>Source ports that there would be without the user's own range.</summary>
    public required int PortsByDefault { get; init; }

    /// <summary>Address and port pairs of the target.</summary>
    public required DestinationCounts Destinations { get; init; }

    /// <summary>4-tuples that the run may use: all, without what other runs hold.</summary>
    public required long Free { get; init; }

    /// <summary>Runs that hold the others.</summary>
    public ImmutableArray<string> HeldBy { get; init; } = [];

    /// <summary>The target is on this host: its ports are no source ports, and both ends cost memory and descriptors here.</summary>
    public required bool TargetIsLocal { get; init; }

    /// <summary>4-tuples in all: a source reaches the destinations of its own family.</summary>
    public long Tuples => TuplesWith(Ports, 0);

    /// <summary>Sources of both families.</summary>
    public long Sources => SourcesV4 + SourcesV6;

    /// <summary>Tuples that one more source gives at least.</summary>
    public long PerSource => Ports * Math.Min(
        SourcesV4 > 0 ? Destinations.V4 : long.MaxValue / 65536, SourcesV6 > 0 ? Destinations.V6 : long.MaxValue / 65536);

    /// <summary>Tuples that there would be with other ports and more destinations of the family that has more sources.</summary>
    public long TuplesWith(long ports, long moreDestinations)
    {
        var (v4, v6) = SourcesV4 >= SourcesV6 ? (moreDestinations, 0L) : (0L, moreDestinations);
        return ports * ((SourcesV4 * (Destinations.V4 + v4)) + (SourcesV6 * (Destinations.V6 + v6)));
    }

    /// <summary>As it is.</summary>
    /// <param name="space">The namespace.</param>
    /// <param name="agents">All agents of the run.</param>
    /// <param name="tuples">Those that the run may use, with what it holds already.</param>
    internal static EndpointRow Of(NamespaceSpace space, ImmutableArray<AgentResources> agents, long tuples)
    {
        var members = space.Agents.Select(i => agents[i]).ToImmutableArray();
        var ranges = space.Pool.Ranges;
        return new()
        {
            Host = members[0].Host,
            NetworkNamespace = space.Name,
            Agents = space.Agents,
            SourcesV4 = ranges.Where(r => !r.First.IsV6).Sum(r => r.Count),
            SourcesV6 = ranges.Where(r => r.First.IsV6).Sum(r => r.Count),
            Ports = space.Ports.Count,
            PortsByDefault = SourcePortPolicy.Choose(null, space.Destinations, members, ranges).Count,
            Destinations = DestinationCounts.Of(space.Destinations),
            Free = tuples,
            HeldBy = space.HeldBy,
            TargetIsLocal = SourcePortPolicy.LocalOf(space.Destinations, members, ranges).Any(),
        };
    }
}
