using System.Net;
using System.Net.Sockets;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.TestKit.Targets;

/// <summary>A target that does not do what a good one does.</summary>
public sealed class MisbehavingTarget : IDisposable
{
    private readonly Socket _listener;
    private readonly Misbehaviour _what;
    private readonly TimeSpan _after;
    private readonly CancellationTokenSource _end = new();
    private int _accepted;
    private int _open;
    private int _resets;
    private long _received;

    private MisbehavingTarget(Socket listener, Misbehaviour what, TimeSpan after) => (_listener, _what, _after) = (listener, what, after);

    /// <summary>Where it is.</summary>
    public IPEndPoint EndPoint => (IPEndPoint)_listener.LocalEndPoint!;

    /// <summary>How many it has accepted.</summary>
    public int Accepted => Volatile.Read(ref _accepted);

    /// <summary>How many are open now.</summary>
    public int Open => Volatile.Read(ref _open);

    /// <summary>Bytes that arrived, over all connections: a client that only holds sends none.</summary>
    public long Received => Interlocked.Read(ref _received);

    /// <summary>How many ended by RST from the other side.</summary>
    public int Resets => Volatile.Read(ref _resets);

    /// <summary>Starts one.</summary>
    /// <param name="what">What it does.</param>
    /// <param name="space">Where; null is the namespace of the tests.</param>
    /// <param name="port">0 takes a free one.</param>
    /// <param name="after">How long it waits before it does so.</param>
    /// <param name="address">Where to listen; null is 127.0.0.1.</param>
    public static MisbehavingTarget Start(
        Misbehaviour what, NetworkNamespace? space = null, int port = 0, TimeSpan after = default, IPAddress? address = null)
    {
        var endpoint = new IPEndPoint(address ?? IPAddress.Loopback, port);
        var listener = space is null ? Listen(what, endpoint) : space.Enter(() => Listen(what, endpoint));
        var target = new MisbehavingTarget(listener, what, after);
        if (what is not (Misbehaviour.Refuse or Misbehaviour.Ignore))
            _ = target.AcceptAsync();
        return target;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _end.Dispose();
    }

    private static Socket Listen(Misbehaviour what, IPEndPoint endpoint)
    {
        var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(endpoint);
        if (what != Misbehaviour.Refuse)
            socket.Listen(what == Misbehaviour.Ignore ? 1 : 4096);
        return socket;
    }

    private async Task AcceptAsync()
    {
        var end = _end.Token;
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(end);
                Interlocked.Increment(ref _accepted);
                _ = ServeAsync(socket, end);
            }
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken end)
    {
        using (socket)
        {
            Interlocked.Increment(ref _open);
            try
            {
                if (_what == Misbehaviour.None)
                    await KeepAsync(socket, end);
                if (_after > TimeSpan.Zero)
                    await Task.Delay(_after, end);
                if (_what == Misbehaviour.Greet)
                    await socket.SendAsync(new byte[1000], end);
                if (_what == Misbehaviour.Send)
                    await SendAsync(socket, end);
                if (_what == Misbehaviour.Flood)
                    await FloodAsync(socket, end);
                if (_what == Misbehaviour.HalfClose)
                    await HalfCloseAsync(socket, end);
                if (_what == Misbehaviour.Reset)
                    socket.LingerState = new LingerOption(true, 0);
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
            {
                Interlocked.Increment(ref _resets);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // The other side has gone, or the test has ended.
            }

            Interlocked.Decrement(ref _open);
        }
    }

    private async Task KeepAsync(Socket socket, CancellationToken end)
    {
        var buffer = new byte[64];
        while (await socket.ReceiveAsync(buffer, end) is > 0 and var count)
            Interlocked.Add(ref _received, count);
    }

    private async Task HalfCloseAsync(Socket socket, CancellationToken end)
    {
        socket.Shutdown(SocketShutdown.Send);
        await KeepAsync(socket, end);
    }

    private static async Task FloodAsync(Socket socket, CancellationToken end)
    {
        var data = new byte[64 * 1024];
        while (true)
            await socket.SendAsync(data, end);
    }

    private static async Task SendAsync(Socket socket, CancellationToken end)
    {
        var data = new byte[1000];
        // Until the other side's FIN can be read.
        while (!socket.Poll(0, SelectMode.SelectRead))
        {
            await socket.SendAsync(data, end);
            await Task.Delay(100, end);
        }
    }
}
