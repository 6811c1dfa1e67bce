using System.Net;
using System.Net.Sockets;

namespace LoadHarness.Agent.Tests.KernelView;

/// <summary>Listeners and clients on loopback, to be counted by the kernel.</summary>
internal sealed class SocketPairs : IDisposable
{
    private readonly Dictionary<IPEndPoint, Socket> _listeners = [];
    private readonly List<Socket> _sockets = [];

    /// <summary>Listens on a free port of an address.</summary>
    public IPEndPoint Listen(string address, bool dualMode = false)
    {
        var ip = IPAddress.Parse(address);
        var listener = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (dualMode)
            listener.DualMode = true;
        listener.Bind(new IPEndPoint(ip, 0));
        listener.Listen(4096);
        var endpoint = (IPEndPoint)listener.LocalEndPoint!;
        _listeners.Add(endpoint, listener);
        return endpoint;
    }

    /// <summary>Connects from a source and accepts.</summary>
    /// <returns>The client's and the server's end.</returns>
    public (Socket Client, Socket Server) Connect(IPEndPoint listener, string source, int port = 0, IPEndPoint? through = null)
    {
        var ip = IPAddress.Parse(source);
        var client = new Socket(ip.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        if (ip.AddressFamily == AddressFamily.InterNetworkV6)
            client.DualMode = true;
        client.Bind(new IPEndPoint(ip, port));
        client.Connect(through ?? listener);
        var server = _listeners[listener].Accept();
        _sockets.Add(client);
        _sockets.Add(server);
        return (client, server);
    }

    public void Dispose()
    {
        // The clients reset, so that nothing rests in TIME-WAIT where the next test counts.
        foreach (var socket in _sockets)
            socket.Close(0);
        foreach (var listener in _listeners.Values)
            listener.Dispose();
    }
}
