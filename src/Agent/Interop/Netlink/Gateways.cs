using System.Buffers.Binary;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Interop.Netlink;

/// <summary>The next hops of this namespace's routes, as RTM_GETROUTE tells them.</summary>
internal static class Gateways
{
    private const ushort RtmNewRoute = 24;
    private const ushort RtmGetRoute = 26;
    private const int MessageBytes = 12; // struct rtmsg
    private const int NextHopBytes = 8; // struct rtnexthop
    private const ushort RtaGateway = 5;
    private const ushort RtaMultipath = 9;
    private const ushort RtaVia = 18;

    /// <summary>Of all tables, IPv4 and IPv6.</summary>
    public static SysResult Read(RouteNetlink netlink, out HashSet<IpAddress> gateways)
    {
        var found = new HashSet<IpAddress>();
        gateways = found;
        return netlink.Dump(RtmGetRoute, 0, found.Clear, (type, body) =>
        {
            if (type == RtmNewRoute && body.Length >= MessageBytes)
                Collect(body[MessageBytes..], found);
        });
    }

    private static void Collect(ReadOnlySpan<byte> route, HashSet<IpAddress> gateways)
    {
        var attributes = new NetlinkAttributes(route);
        while (attributes.MoveNext())
        {
            // struct rtvia: two bytes of family before the address.
            var address = attributes.Type == RtaVia && attributes.Value.Length is 6 or 18 ? IpAddress.FromBytes(attributes.Value[2..])
                : attributes.Type == RtaGateway ? attributes.Address : null;
            if (address is { } gateway)
                gateways.Add(gateway);
            else if (attributes.Type == RtaMultipath)
                CollectHops(attributes.Value, gateways);
        }
    }

    private static void CollectHops(ReadOnlySpan<byte> hops, HashSet<IpAddress> gateways)
    {
        while (hops.Length >= NextHopBytes)
        {
            var length = BinaryPrimitives.ReadUInt16LittleEndian(hops);
            if (length < NextHopBytes || length > hops.Length)
                return;
            Collect(hops[NextHopBytes..length], gateways);
            hops = hops[Math.Min((length + 3) & ~3, hops.Length)..];
        }
    }
}
