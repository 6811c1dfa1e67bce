using System.Net;
using System.Net.Sockets;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Preflight;

/// <summary>Asks the kernel where it would connect from: connect() on a datagram socket looks the route up and sends nothing.</summary>
internal static class RouteLookup
{
    // Any will do but 0, which the framework refuses.
    private const int Port = 9;

    /// <summary>The source that the kernel chooses for a destination; null when there is no route.</summary>
    public static IpAddress? SourceOf(IpAddress destination)
    {
        try
        {
            using var socket = new Socket(destination.Family, SocketType.Dgram, ProtocolType.Udp);
            // An IPv4-mapped destination has a mapped source: the reactor's sockets are of the same kind.
            if (destination.IsV6)
                socket.DualMode = true;
            socket.Connect(new IPEndPoint(destination.ToIPAddress(), Port));
            return IpAddress.FromBytes(((IPEndPoint)socket.LocalEndPoint!).Address.GetAddressBytes());
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return null;
        }
    }
}
