using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>Address and port pairs of the target per family: a source reaches those of its own.</summary>
public readonly record struct DestinationCounts(long V4, long V6)
{
    /// <summary>Counts destinations.</summary>
    public static DestinationCounts Of(ImmutableArray<Destination> destinations) => new(
        destinations.Where(d => !d.Addresses.First.IsV6).Sum(d => d.Count),
        destinations.Where(d => d.Addresses.First.IsV6).Sum(d => d.Count));

    /// <summary>Those that a source of a family reaches.</summary>
    public long Of(bool isV6) => isV6 ? V6 : V4;

    /// <summary>
    /// Turns targets into destinations; an address and port that two targets name counts once, with the greater weight.
    /// </summary>
    /// <param name="targets">With their addresses.</param>
    /// <param name="lookUp">Whether a host part is a name that the agents say the meaning of.</param>
    public static ImmutableArray<Destination> Destinations(ImmutableArray<TargetSpec> targets, Func<string, bool>? lookUp = null) =>
    [
        .. from target in targets
           from address in target.Addresses
           group target by address into sameAddress
           let name = sameAddress.FirstOrDefault(t => lookUp?.Invoke(t.Host) == true)?.Host
           from part in ByWeight(sameAddress)
           select new Destination(
               new IpRange(sameAddress.Key, 1), part.Ports, name ?? sameAddress.First().Host, name is not null, part.Weight),
    ];

    private static IEnumerable<(PortSpan Ports, int Weight)> ByWeight(IEnumerable<TargetSpec> targets)
    {
        IEnumerable<PortSpan> taken = [];
        var parts = new List<(PortSpan Ports, int Weight)>();
        foreach (var sameWeight in targets.GroupBy(t => t.Weight).OrderByDescending(g => g.Key))
        {
            var ports = PortText.Merge(sameWeight.SelectMany(t => t.Ports));
            parts.AddRange(PortText.Without(ports, taken).Select(p => (p, sameWeight.Key)));
            taken = [.. taken, .. ports];
        }

        return parts.OrderBy(p => p.Ports.First);
    }

    /// <summary>What several namespaces connect to, in the order in which it is met first; an address and port counts once.</summary>
    public static ImmutableArray<Destination> Union(IEnumerable<ImmutableArray<Destination>> destinations) =>
        [.. destinations.SelectMany(d => d).DistinctBy(d => (d.Addresses, d.Ports))];
}
