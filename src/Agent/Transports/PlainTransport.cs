using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Transports;

/// <summary>Plain TCP.</summary>
public sealed class PlainTransport : ITransport
{
    // A peer that sends without end must not keep the loop: 1 MB a turn.
    private const int DiscardChunk = 256 * 1024;
    private const int DiscardChunks = 4;

    /// <inheritdoc/>
    public TransportAnswer Handshake(int fd, out int errno)
    {
        errno = 0;
        return TransportAnswer.Done;
    }

    /// <inheritdoc/>
    public TransportAnswer Discard(int fd, out long bytes, out int errno)
    {
        bytes = 0;
        errno = 0;
        for (var i = 0; i < DiscardChunks; i++)
        {
            var read = Sockets.Discard(fd, DiscardChunk);
            if (read.Errno == Errno.EAGAIN)
                return TransportAnswer.Again;
            if (!read.Ok || read.Value == 0)
            {
                errno = read.Errno;
                return TransportAnswer.Failed;
            }

            bytes += read.Value;
            if (read.Value < DiscardChunk)
                return TransportAnswer.Again;
        }

        return TransportAnswer.Done;
    }

    /// <inheritdoc/>
    public TransportAnswer Shutdown(int fd, out int errno)
    {
        var result = Sockets.ShutdownWrite(fd);
        errno = result.Errno;
        return result.Ok ? TransportAnswer.Done : TransportAnswer.Failed;
    }
}
