using System.Net;
using LoadHarness.Agent.Interop;
using LoadHarness.Agent.Interop.Netlink;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Provisioning;

/// <summary>Devices, addresses and gateways of this network namespace at one moment.</summary>
internal sealed class HostNetwork
{
    private readonly Dictionary<int, string> _names;
    private readonly HashSet<IpAddress> _reserved = [];

    /// <summary>Puts together what was read.</summary>
    public HostNetwork(Dictionary<string, LinkEntry> links, IReadOnlyCollection<AddressEntry> addresses, HashSet<IpAddress> gateways)
    {
        (Links, Gateways) = (links, gateways);
        _names = links.Values.ToDictionary(l => l.Index, l => l.Name);
        // An address may be on several devices; the lookups below want them all.
        Addresses = addresses.ToLookup(a => a.Address);
        foreach (var entry in addresses)
            NoteReserved(entry);
    }

    /// <summary>By name.</summary>
    public Dictionary<string, LinkEntry> Links { get; }

    /// <summary>What is on each address.</summary>
    public ILookup<IpAddress, AddressEntry> Addresses { get; }

    /// <summary>Next hops of the routes.</summary>
    public HashSet<IpAddress> Gateways { get; }

    /// <summary>Reads it.</summary>
    /// <param name="netlink">Asks the kernel.</param>
    /// <param name="host">Null when the call failed.</param>
    public static SysResult Read(RouteNetlink netlink, out HostNetwork? host)
    {
        host = null;
        var result = LinkEntry.Read(netlink, out var links);
        if (!result.Ok)
            return result;
        result = AddressEntry.Read(netlink, out var addresses);
        if (!result.Ok)
            return result;
        result = Interop.Netlink.Gateways.Read(netlink, out var gateways);
        if (result.Ok)
            host = new(links, addresses, gateways);
        return result;
    }

    /// <summary>The entry of an address on a device; null when it is not there.</summary>
    public AddressEntry? On(IpAddress address, string device)
    {
        foreach (var entry in Addresses[address])
        {
            if (NameOf(entry) == device)
                return entry;
        }

        return null;
    }

    /// <summary>The device of an entry.</summary>
    public string NameOf(AddressEntry entry) => _names.GetValueOrDefault(entry.Device, "?");

    /// <summary>Whether it is the network or broadcast address of a network that this host is in.</summary>
    public bool IsReserved(IpAddress address) => _reserved.Contains(address);

    // RFC 3021: /31 has neither. RFC 4291: the lowest address of an IPv6 network means any of its routers.
    private void NoteReserved(AddressEntry entry)
    {
        var v6 = entry.Address.IsV6;
        if (entry.Broadcast is { } broadcast)
            _reserved.Add(broadcast);
        if (entry.PrefixLength >= (v6 ? 127 : 31) || IPAddress.IsLoopback(entry.Address.ToIPAddress()))
            return;
        var network = AddressPrefix.Of(entry.Address, entry.PrefixLength);
        _reserved.Add(network.Address);
        if (!v6)
            _reserved.Add(network.Address with { Value = network.Last });
    }
}
