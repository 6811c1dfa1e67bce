using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Transports;

/// <summary>Plain TCP.</summary>
/// <param name="preamble">What each connection begins with; null: nothing.</param>
public sealed unsafe class PlainTransport(ProxyPreamble? preamble = null) : ITransport
{
    // A peer that sends without end must not keep the loop: 1 MB a turn.
    private const int DiscardChunk = 256 * 1024;
    private const int DiscardChunks = 4;

    /// <inheritdoc/>
    public TransportAnswer Open(int slot, in SocketAddress source, in SocketAddress destination, int number, out TransportFault fault)
    {
        fault = default;
        return preamble is null ? TransportAnswer.Done : preamble.Send(slot, source, destination, out fault);
    }

    /// <inheritdoc/>
    public TransportAnswer Handshake(int slot, out TransportFault fault)
    {
        fault = default;
        return TransportAnswer.Done;
    }

    /// <inheritdoc/>
    public TransportAnswer Send(int slot, ReadOnlySpan<byte> bytes, out int sent, out TransportFault fault)
    {
        fixed (byte* pointer = bytes)
        {
            var result = Sockets.Send(slot, pointer, bytes.Length);
            sent = result.Ok ? (int)result.Value : 0;
            return result.Ok || result.Errno == Errno.EAGAIN ? Answer(sent == bytes.Length, out fault) : Failed(result.Errno, out fault);
        }
    }

    /// <inheritdoc/>
    public TransportAnswer Receive(int slot, Span<byte> buffer, out int received, out TransportFault fault)
    {
        fixed (byte* pointer = buffer)
        {
            var result = Sockets.Receive(slot, pointer, buffer.Length);
            received = result.Ok ? (int)result.Value : 0;
            if (result.Errno == Errno.EAGAIN || received > 0)
                return Answer(received == buffer.Length, out fault);
            return Failed(result.Errno, out fault);
        }
    }

    /// <inheritdoc/>
    public TransportAnswer Discard(int slot, out long bytes, out TransportFault fault)
    {
        bytes = 0;
        for (var i = 0; i < DiscardChunks; i++)
        {
            var read = Sockets.Discard(slot, DiscardChunk);
            if (read.Errno == Errno.EAGAIN)
                return Answer(false, out fault);
            if (!read.Ok || read.Value == 0)
                return Failed(read.Errno, out fault);
            bytes += read.Value;
            if (read.Value < DiscardChunk)
                return Answer(false, out fault);
        }

        return Answer(true, out fault);
    }

    /// <inheritdoc/>
    public TransportAnswer Shutdown(int slot, out TransportFault fault)
    {
        var result = Sockets.ShutdownWrite(slot);
        return result.Ok ? Answer(true, out fault) : Failed(result.Errno, out fault);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private static TransportAnswer Answer(bool done, out TransportFault fault)
    {
        fault = default;
        return done ? TransportAnswer.Done : TransportAnswer.Again;
    }

    private static TransportAnswer Failed(int errno, out TransportFault fault)
    {
        fault = TransportFault.OfErrno(errno);
        return TransportAnswer.Failed;
    }
}
