using System.Net;
using System.Net.Sockets;

namespace LoadHarness.Agent.Preflight;

/// <summary>Asks the kernel where it would connect from: connect() on a datagram socket looks the route up and sends nothing.</summary>
internal static class RouteLookup
{
    // Any will do; 0 is refused by the framework.
    private const int Port = 9;

    /// <summary>The source that the kernel chooses for a destination; null when there is no route.</summary>
    public static IPAddress? SourceOf(IPAddress destination)
    {
        try
        {
            using var socket = new Socket(destination.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            socket.Connect(new IPEndPoint(destination, Port));
            return ((IPEndPoint)socket.LocalEndPoint!).Address;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
