using System.Net;
using System.Net.Sockets;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>Where a backend on this machine listens.</summary>
public static class LocalBackendPorts
{
    /// <summary>Connections that one port takes comfortably: well under the 60,000 or so source ports of one address.</summary>
    private const int ConnectionsPerPort = 25_000;
    private const int FewestPorts = 10;
    private const int MostPorts = 1_000;
    private const int FirstPort = 9000;
    private const int LastPort = 32_000;

    /// <summary>Finds ports.</summary>
    /// <param name="connections">What the backend will have to hold.</param>
    /// <exception cref="LocalFleetException">No ports are free.</exception>
    public static PortSpan FindPorts(long connections) => FreePorts(FirstPort, PortsFor(connections));

    internal static int PortsFor(long connections) =>
        (int)Math.Clamp((connections + ConnectionsPerPort - 1) / ConnectionsPerPort, FewestPorts, MostPorts);

    /// <summary>Consecutive ports on which nobody listens, the first such from a port on.</summary>
    internal static PortSpan FreePorts(int from, int count)
    {
        for (var first = from; first + count - 1 <= LastPort;)
        {
            var taken = Enumerable.Range(first, count).Select(p => (int?)p).FirstOrDefault(p => !IsFree(p!.Value));
            if (taken is null)
                return new(first, first + count - 1);
            first = taken.Value + 1;
        }

        throw new LocalFleetException($"no {count} consecutive ports from {from} to {LastPort} are free on 127.0.0.1; end what listens there");
    }

    private static bool IsFree(int port)
    {
        try
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
