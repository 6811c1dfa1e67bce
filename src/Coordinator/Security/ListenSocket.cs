using System.Net;
using System.Net.Sockets;

namespace LoadHarness.Coordinator.Security;

/// <summary>Opens listening sockets before anything else is started, so that each failure is one message.</summary>
internal static class ListenSocket
{
    private const int Backlog = 512;

    /// <summary>Binds and listens.</summary>
    /// <exception cref="CredentialException">The kernel refuses; the message names the endpoint and says what to do.</exception>
    public static Socket Open(ListenAddress address)
    {
        try
        {
            return Open(address.Endpoint);
        }
        catch (SocketException) when (address.Endpoint.Address.Equals(IPAddress.IPv6Any) && !Socket.OSSupportsIPv6)
        {
            return Open(address with { Endpoint = new(IPAddress.Any, address.Endpoint.Port) });
        }
        catch (SocketException e)
        {
            throw new CredentialException($"cannot listen on {address}: {Explain(e, address)}", e);
        }
    }

    private static Socket Open(IPEndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endpoint.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            socket.Bind(endpoint);
            // A bound socket shares its port with others until somebody listens.
            socket.Listen(Backlog);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static string Explain(SocketException error, ListenAddress address) => error.SocketErrorCode switch
    {
        SocketError.AddressAlreadyInUse =>
            $"another program listens on port {address.Endpoint.Port}; give another port, or end that one (ss -tlnp shows it)",
        SocketError.AccessDenied =>
            $"port {address.Endpoint.Port} is not open to this user; give one from 1024 on, or start it with CAP_NET_BIND_SERVICE",
        SocketError.AddressNotAvailable =>
            $"{address.Endpoint.Address} is not an address of this host; `ip address` lists those that are, and * stands for all of them",
        _ => error.Message,
    };
}
