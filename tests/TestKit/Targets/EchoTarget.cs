using System.Net;
using System.Net.Sockets;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.TestKit.Targets;

/// <summary>Sends back what it gets, and counts it; now and then one byte of it is another.</summary>
public sealed class EchoTarget : IDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly long _wrongByteEvery;
    private long _bytes;
    private long _wrongBytes;

    private EchoTarget(Socket listener, long wrongByteEvery)
    {
        (_listener, _wrongByteEvery) = (listener, wrongByteEvery);
        _ = AcceptAsync();
    }

    /// <summary>Bytes that have come, over all connections.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Bytes that were sent back as others than they were.</summary>
    public long WrongBytes => Interlocked.Read(ref _wrongBytes);

    /// <summary>Starts one.</summary>
    /// <param name="space">Where.</param>
    /// <param name="endpoint">Address and port.</param>
    /// <param name="wrongByteEvery">How many bytes over all connections there are for a wrong one; 0: all are right.</param>
    public static EchoTarget Start(NetworkNamespace space, IPEndPoint endpoint, long wrongByteEvery = 0) => new(
        space.Enter(() =>
        {
            var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(endpoint);
            socket.Listen(4096);
            return socket;
        }),
        wrongByteEvery);

    /// <inheritdoc/>
    public void Dispose()
    {
        _end.Cancel();
        _listener.Dispose();
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var end = _end.Token;
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptAsync(end), end);
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
            try
            {
                var buffer = new byte[16_384];
                while (await socket.ReceiveAsync(buffer, end) is > 0 and var count)
                {
                    var after = Interlocked.Add(ref _bytes, count);
                    if (_wrongByteEvery > 0 && after / _wrongByteEvery > (after - count) / _wrongByteEvery)
                    {
                        buffer[count - 1] ^= 1;
                        Interlocked.Increment(ref _wrongBytes);
                    }

                    for (var sent = 0; sent < count;)
                        sent += await socket.SendAsync(buffer.AsMemory(sent, count - sent), end);
                }
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                // The other side has gone, or the test has ended.
            }
        }
    }
}
