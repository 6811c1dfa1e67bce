using System.Net;
using System.Net.Sockets;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.TestKit.Targets;

/// <summary>
/// Passes on what clients send to a server and the reverse. Once told to, it changes one bit of what each client sends next: whoever checks
/// what he gets, as TLS does, finds it out.
/// </summary>
public sealed class CorruptingRelay : IDisposable
{
    private readonly NetworkNamespace _space;
    private readonly IPEndPoint _server;
    private readonly TargetListener _listener;
    private int _corrupts;
    private int _corrupted;

    private CorruptingRelay(NetworkNamespace space, IPEndPoint endpoint, IPEndPoint server)
    {
        (_space, _server) = (space, server);
        _listener = new TargetListener(space, endpoint, RelayAsync);
    }

    /// <summary>Connections on which a bit was changed.</summary>
    public int Corrupted => Volatile.Read(ref _corrupted);

    /// <summary>Starts one.</summary>
    /// <param name="space">Where both ends of it are.</param>
    /// <param name="endpoint">Where clients connect to.</param>
    /// <param name="server">Where it connects to.</param>
    public static CorruptingRelay Start(NetworkNamespace space, IPEndPoint endpoint, IPEndPoint server) => new(space, endpoint, server);

    /// <summary>From now on, once on each connection that is open; those that come later are left alone.</summary>
    public void Corrupt() => Volatile.Write(ref _corrupts, 1);

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private async Task RelayAsync(Socket client, CancellationToken end)
    {
        var mayCorrupt = Volatile.Read(ref _corrupts) == 0;
        using var server = _space.Enter(() => new Socket(_server.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        await server.ConnectAsync(_server, end);
        await Task.WhenAll(PassAsync(client, server, mayCorrupt, end), PassAsync(server, client, false, end));
    }

    private async Task PassAsync(Socket from, Socket to, bool mayCorrupt, CancellationToken end)
    {
        var buffer = new byte[16_384];
        while (await from.ReceiveAsync(buffer, end) is > 0 and var count)
        {
            if (mayCorrupt && Volatile.Read(ref _corrupts) == 1)
            {
                mayCorrupt = false;
                buffer[count - 1] ^= 1;
                Interlocked.Increment(ref _corrupted);
            }

            for (var sent = 0; sent < count;)
                sent += await to.SendAsync(buffer.AsMemory(sent, count - sent), end);
        }

        to.Shutdown(SocketShutdown.Send);
    }
}
