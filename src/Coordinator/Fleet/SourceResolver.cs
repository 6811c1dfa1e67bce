using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>Finds the addresses that each network namespace is to connect from.</summary>
public static class SourceResolver
{
    /// <summary>Sources per network namespace, or what is wrong with them.</summary>
    /// <param name="spec">What the user asked for.</param>
    /// <param name="agents">Those that the run has; their inventories say what their hosts have.</param>
    /// <param name="isHere">Whether a network namespace is the coordinator's own, whose kernel can be asked.</param>
    public static SourceResolution Resolve(RunSpec spec, ImmutableArray<AgentState> agents, Func<string, bool> isHere)
    {
        var targets = spec.Targets.SelectMany(t => t.Addresses).Distinct().ToImmutableArray();
        var namespaces = agents.GroupBy(a => a.Hello.Inventory.NetworkNamespace, StringComparer.Ordinal)
            .ToImmutableDictionary(g => g.Key, g => g.First().Hello.Inventory, StringComparer.Ordinal);
        var named = spec.Sources.Where(s => s.Range is not null).Select(s => s.Range!.Value).ToImmutableArray();
        if (named.Length > 0)
            return Named(named, namespaces);

        var found = ImmutableDictionary.CreateBuilder<string, ImmutableArray<IpRange>>(StringComparer.Ordinal);
        var problems = ImmutableArray.CreateBuilder<string>();
        foreach (var (id, inventory) in namespaces)
        {
            var sources = spec.Sources.IsEmpty
                ? targets.Select(t => ByRoute(t, inventory, isHere(id))).OfType<IpAddress>()
                : targets.SelectMany(t => Auto(t, inventory, isHere(id)));
            found[id] = Merge(sources);
            if (found[id].IsEmpty)
            {
                problems.Add($"host {inventory.Hostname} has no address that leads to {string.Join(", ", targets.Take(3))}; "
                    + "check `ip route get` there, or name addresses with --sources");
            }
        }

        return new(found.ToImmutable(), problems.ToImmutable());
    }

    /// <summary>The address that the kernel here would connect from; null when it has no route.</summary>
    public static IpAddress? AskKernel(IpAddress target)
    {
        // connect() on a datagram socket looks the route up and sends nothing (udp(7)).
        using var socket = new Socket(target.Family, SocketType.Dgram, ProtocolType.Udp);
        try
        {
            socket.Connect(new IPEndPoint(target.ToIPAddress(), 9));
            return socket.LocalEndPoint is IPEndPoint { Address: { } address } ? IpAddress.From(address) : null;
        }
        catch (SocketException)
        {
            return null;
        }
    }

    // In one namespace every address named is tried, for a host can own addresses that no interface shows (a local route);
    // the agent binds each of them before the run starts. Over several, each gets those that it shows.
    private static SourceResolution Named(ImmutableArray<IpRange> named, ImmutableDictionary<string, HostInventory> namespaces)
    {
        if (namespaces.Count == 1)
            return new(namespaces.ToImmutableDictionary(n => n.Key, _ => named), []);
        var owned = namespaces.ToImmutableDictionary(
            n => n.Key, n => Merge(n.Value.Addresses.Select(a => a.Address).Where(a => named.Any(r => r.Contains(a)))));
        var problems = namespaces.Where(n => owned[n.Key].IsEmpty)
            .Select(n => $"host {n.Value.Hostname} has none of the sources {string.Join(", ", named)}; "
                + "add one of its addresses, or leave its agents out");
        return new(owned, [.. problems]);
    }

    private static IpAddress? ByRoute(IpAddress target, HostInventory inventory, bool here)
    {
        if (here)
            return AskKernel(target);
        var usable = Usable(target, inventory);
        return usable.Where(a => a.IsOnLink(target)).Concat(usable).Select(a => (IpAddress?)a.Address).FirstOrDefault();
    }

    // Every address of the device that the route takes. Elsewhere than here the route is not known: then those devices
    // whose network the target lies in, and failing these every address that is not a loopback one.
    private static IEnumerable<IpAddress> Auto(IpAddress target, HostInventory inventory, bool here)
    {
        var usable = Usable(target, inventory);
        var chosen = here ? AskKernel(target) : null;
        var devices = usable.Where(a => chosen is null ? a.IsOnLink(target) : a.Address == chosen).Select(a => a.Device).ToHashSet();
        if (chosen is { } address && devices.Count == 0)
            return [address];
        return usable.Where(a => devices.Count == 0 || devices.Contains(a.Device)).Select(a => a.Address);
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
/// <param name="ByNamespace">Sources of each network namespace.</param>
/// <param name="Problems">For people; not empty means that the run cannot be planned.</param>
public sealed record SourceResolution(
    ImmutableDictionary<string, ImmutableArray<IpRange>> ByNamespace, ImmutableArray<string> Problems);
