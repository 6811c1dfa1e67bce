using System.Collections.Immutable;
using System.Net;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>Finds what the agents of each network namespace connect: the addresses to connect from, and what the targets mean there.</summary>
public static class EndsResolver
{
    private const int MostNamed = 8;

    /// <summary>Both ends per network namespace, or what is wrong with them.</summary>
    /// <param name="spec">What the user asked for.</param>
    /// <param name="agents">Those that the run has; their inventories say what their hosts have.</param>
    /// <param name="replies">What agents said of their hosts, by identity; of those that cannot be asked the inventory has to do.</param>
    /// <param name="added">What the run adds to each namespace, and has of it there already.</param>
    public static EndsResolution Resolve(
        RunSpec spec,
        ImmutableArray<AgentState> agents,
        IReadOnlyDictionary<string, RouteReply> replies,
        ImmutableDictionary<string, ImmutableArray<AddedSources>>? added = null)
    {
        var problems = ImmutableArray.CreateBuilder<string>();
        var named = spec.Sources.Where(s => s.Range is not null).Select(s => s.Range!.Value).ToImmutableArray();
        var devices = spec.Sources.Where(s => s.Device is not null).Select(s => s.Device!).ToImmutableArray();
        var groups = agents.GroupBy(a => a.Hello.Inventory.NetworkNamespace, StringComparer.Ordinal).ToImmutableArray();
        var ends = ImmutableDictionary.CreateBuilder<string, NamespaceEnds>(StringComparer.Ordinal);
        var names = new NameMeanings(spec);
        var asked = spec.Targets.Where(t => t.IsAskedOfAgents).Select(t => t.Host).ToHashSet();
        foreach (var group in groups)
        {
            var space = new NamespaceView(group.First().Hello.Inventory, [.. group], replies);
            var targets = names.Fill(space);
            if (targets.Sum(t => (long)t.Addresses.Length * t.Ports.Length) is > SpecBounds.MostRanges and var ranges)
            {
                problems.Add($"the targets are {ranges:N0} address and port ranges as host {space.Inventory.Hostname} resolves their names; "
                    + $"at most {SpecBounds.MostRanges:N0} are allowed: name fewer targets, or write neighbouring ports as a range.");
                continue;
            }

            var addresses = targets.SelectMany(t => t.Addresses).Distinct().ToImmutableArray();
            var additions = added?.GetValueOrDefault(group.Key, []) ?? [];
            ImmutableArray<IpRange> sources = IsLeftToAdditions(spec, additions, rest: named) ? []
                : spec.Sources.All(s => s.IsAuto) ? Found(spec, addresses, space, problems)
                : [.. Named(named, space, groups.Length, devices, problems), .. OfDevices(devices, addresses, space, problems)];
            ends[group.Key] = new NamespaceEnds(
                With(additions, sources, spec), DestinationCounts.Destinations(targets, asked.Contains));
        }

        return new(ends.ToImmutable(), [.. names.Problems, .. problems]);
    }

    // Who names addresses to add and no others wants just those.
    private static bool IsLeftToAdditions(RunSpec spec, ImmutableArray<AddedSources> additions, ImmutableArray<IpRange> rest) =>
        !additions.IsEmpty && (spec.Sources.IsEmpty || (!rest.IsEmpty && Beside(spec, rest).IsEmpty));

    // Of what may be added a namespace has its own part, whatever else it would have been given of it.
    private static ImmutableArray<IpRange> With(ImmutableArray<AddedSources> additions, ImmutableArray<IpRange> sources, RunSpec spec) =>
        spec.Provision.IsEmpty ? sources : AddressRanges.Merge(Beside(spec, sources).Concat(additions.SelectMany(a => a.Addresses)));

    private static ImmutableArray<IpRange> Beside(RunSpec spec, ImmutableArray<IpRange> sources) =>
        [.. spec.Provision.Aggregate((IEnumerable<IpRange>)sources, (rest, p) => AddressRanges.Without(rest, p.Range))];

    // In one namespace every address named is tried, for a host can own addresses that no interface shows (a local route);
    // the agent binds each of them before the run starts. Over several, each gets those that it shows.
    private static ImmutableArray<IpRange> Named(
        ImmutableArray<IpRange> named, NamespaceView space, int namespaces, ImmutableArray<string> devices,
        ImmutableArray<string>.Builder problems)
    {
        if (namespaces == 1)
            return named;
        var owned = Merge(space.Inventory.Addresses.Select(a => a.Address).Where(a => named.Any(r => r.Contains(a))));
        if (owned.IsEmpty && devices.IsEmpty)
        {
            problems.Add($"host {space.Inventory.Hostname} has none of the sources {string.Join(", ", named)}; "
                + "add one of its addresses, or leave its agents out.");
        }

        return owned;
    }

    private static ImmutableArray<IpRange> OfDevices(
        ImmutableArray<string> devices, ImmutableArray<IpAddress> targets, NamespaceView space, ImmutableArray<string>.Builder problems)
    {
        var found = new List<IpAddress>();
        foreach (var device in devices)
        {
            var (host, there) = (space.Inventory.Hostname, space.Inventory.Addresses.Where(a => a.Device == device).ToImmutableArray());
            var usable = there.Select(a => a.Address).Where(a => !IsLinkLocal(a) && targets.Any(t => t.IsV6 == a.IsV6)).ToImmutableArray();
            found.AddRange(usable);
            if (there.IsEmpty)
            {
                var others = space.Inventory.Addresses.Select(a => a.Device).Distinct().Order(StringComparer.Ordinal).Take(MostNamed).ToList();
                problems.Add($"host {host} has no interface {device} with an address (--sources dev:{device}); "
                    + (others.Count == 0 ? "it has none at all." : $"there are: {string.Join(", ", others)}."));
            }
            else if (usable.IsEmpty && !targets.IsEmpty)
            {
                problems.Add($"interface {device} of host {host} has no address from which {targets[0]} can be reached "
                    + $"(--sources dev:{device}); it has {string.Join(", ", there.Take(MostNamed).Select(a => a.Address))}.");
            }
        }

        return Merge(found);
    }

    private static ImmutableArray<IpRange> Found(
        RunSpec spec, ImmutableArray<IpAddress> targets, NamespaceView space, ImmutableArray<string>.Builder problems)
    {
        var sources = Merge(targets.SelectMany(t => spec.Sources.IsEmpty ? ByRoute(t, space) : Auto(t, space)));
        if (sources.IsEmpty && !targets.IsEmpty)
        {
            problems.Add($"host {space.Inventory.Hostname} has no address that leads to {string.Join(", ", targets.Take(3))}; "
                + "check `ip route get` there, or name addresses with --sources.");
        }

        return sources;
    }

    private static IEnumerable<IpAddress> ByRoute(IpAddress target, NamespaceView space)
    {
        if (space.IsAsked)
            return space.SourcesFor(target);
        var usable = Usable(target, space.Inventory);
        return usable.Where(a => a.IsOnLink(target)).Concat(usable).Select(a => a.Address).Take(1);
    }

    // Every address of the device that the route takes. Where the route is not known: those devices whose network the target lies
    // in, and failing these every address that is not a loopback one.
    private static IEnumerable<IpAddress> Auto(IpAddress target, NamespaceView space)
    {
        var usable = Usable(target, space.Inventory);
        var routed = space.SourcesFor(target);
        if (space.IsAsked)
        {
            var taken = usable.Where(a => routed.Contains(a.Address)).Select(a => a.Device).ToHashSet();
            return routed.Concat(usable.Where(a => taken.Contains(a.Device)).Select(a => a.Address));
        }

        var near = usable.Where(a => a.IsOnLink(target)).Select(a => a.Device).ToHashSet();
        return usable.Where(a => near.Count == 0 || near.Contains(a.Device)).Select(a => a.Address);
    }

    private static ImmutableArray<HostAddress> Usable(IpAddress target, HostInventory inventory) =>
    [
        .. inventory.Addresses
            .Where(a => a.Address.IsV6 == target.IsV6 && IsLoopback(a.Address) == IsLoopback(target) && !IsLinkLocal(a.Address))
            .OrderBy(a => a.Address),
    ];

    private static bool IsLoopback(IpAddress address) => IPAddress.IsLoopback(address.ToIPAddress());

    private static bool IsLinkLocal(IpAddress address) =>
        address.IsV6 ? address.ToIPAddress().IsIPv6LinkLocal : address.Value >> 16 == 0xA9FE;

    private static ImmutableArray<IpRange> Merge(IEnumerable<IpAddress> addresses)
    {
        var ranges = ImmutableArray.CreateBuilder<IpRange>();
        foreach (var address in addresses.Distinct().Order())
        {
            if (ranges.Count > 0 && ranges[^1].Last.Plus(1) == address)
                ranges[^1] = ranges[^1] with { Count = ranges[^1].Count + 1 };
            else
                ranges.Add(new(address, 1));
        }

        return ranges.ToImmutable();
    }
}

/// <summary>What was found.</summary>
/// <param name="ByNamespace">Both ends of each network namespace.</param>
/// <param name="Problems">Whole sentences for people; not empty means that the run cannot be planned.</param>
public sealed record EndsResolution(ImmutableDictionary<string, NamespaceEnds> ByNamespace, ImmutableArray<string> Problems);
