using System.Net;
using System.Net.Sockets;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.TestKit.Targets;

/// <summary>Sends back what it gets, and counts it; now and then one byte of it is another.</summary>
public sealed class EchoTarget : IDisposable
{
    private readonly TargetListener _listener;
    private readonly long _wrongByteEvery;
    private long _bytes;
    private long _wrongBytes;

    private EchoTarget(NetworkNamespace space, IPEndPoint endpoint, long wrongByteEvery)
    {
        _wrongByteEvery = wrongByteEvery;
        _listener = new TargetListener(space, endpoint, ServeAsync);
    }

    /// <summary>Bytes that have come, over all connections.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Bytes that were sent back as others than they were.</summary>
    public long WrongBytes => Interlocked.Read(ref _wrongBytes);

    /// <summary>Starts one.</summary>
    /// <param name="space">Where.</param>
    /// <param name="endpoint">Address and port.</param>
    /// <param name="wrongByteEvery">How many bytes over all connections there are for a wrong one; 0: all are right.</param>
    public static EchoTarget Start(NetworkNamespace space, IPEndPoint endpoint, long wrongByteEvery = 0) => new(space, endpoint, wrongByteEvery);

    /// <inheritdoc/>
    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync(Socket socket, CancellationToken end)
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
}
