using System.Net;
using System.Net.Sockets;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.TestKit.Targets;

/// <summary>Accepts connections in a network namespace and has each of them served, until it is disposed.</summary>
internal sealed class TargetListener : IDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _end = new();

    /// <summary>Listens.</summary>
    /// <param name="space">Where.</param>
    /// <param name="endpoint">Address and port.</param>
    /// <param name="serve">Serves one connection until it ends or the listener is disposed; the socket is disposed after it.</param>
    public TargetListener(NetworkNamespace space, IPEndPoint endpoint, Func<Socket, CancellationToken, Task> serve)
    {
        _listener = space.Enter(() =>
        {
            var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(endpoint);
            socket.Listen(4096);
            return socket;
        });
        _ = AcceptAsync(serve);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync(Func<Socket, CancellationToken, Task> serve)
    {
        var end = _end.Token;
        try
        {
            while (true)
                _ = ServeAsync(serve, await _listener.AcceptAsync(end), end);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private static async Task ServeAsync(Func<Socket, CancellationToken, Task> serve, Socket socket, CancellationToken end)
    {
        using (socket)
        {
            try
            {
                await serve(socket, end);
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // The other side has gone, or the test has ended.
            }
        }
    }
}
