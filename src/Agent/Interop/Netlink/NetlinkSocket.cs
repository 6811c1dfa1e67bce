using System.Runtime.InteropServices;
using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Interop.Netlink;

/// <summary>A netlink socket; see netlink(7), sock_diag(7) and rtnetlink(7). Used by one thread at a time.</summary>
public sealed unsafe partial class NetlinkSocket : IDisposable
{
    private const int AfNetlink = 16;
    private const int SockRaw = 3;
    private const int SockCloexec = 0x80000;
    private const int NetlinkRoute = 0;
    private const int NetlinkSockDiag = 4;
    private const int SolSocket = 1;
    private const int SoRcvbuf = 8;
    private const int SoRcvtimeo = 20;

    private int _descriptor;

    private NetlinkSocket(int descriptor) => _descriptor = descriptor;

    /// <summary>Opens one for sock_diag in the network namespace and descriptor table of the calling thread.</summary>
    /// <param name="receiveTimeoutSeconds">After this long without an answer <see cref="Receive"/> fails with EAGAIN.</param>
    /// <param name="netlink">The socket; null when the call failed.</param>
    public static SysResult Open(int receiveTimeoutSeconds, out NetlinkSocket? netlink) =>
        Open(NetlinkSockDiag, receiveTimeoutSeconds, out netlink);

    /// <summary>Opens one for addresses, links and routes, likewise.</summary>
    public static SysResult OpenRoute(int receiveTimeoutSeconds, out NetlinkSocket? netlink) =>
        Open(NetlinkRoute, receiveTimeoutSeconds, out netlink);

    private static SysResult Open(int family, int receiveTimeoutSeconds, out NetlinkSocket? netlink)
    {
        netlink = null;
        var opened = SysResult.Of(socket(AfNetlink, SockRaw | SockCloexec, family));
        if (!opened.Ok)
            return opened;
        netlink = new NetlinkSocket((int)opened.Value);
        // The dump is produced as fast as it is read, so the queue only ever holds a few messages: the buffer bounds the largest of them.
        var bytes = 1 << 20;
        _ = setsockopt((int)opened.Value, SolSocket, SoRcvbuf, &bytes, sizeof(int));
        var timeout = stackalloc long[2] { receiveTimeoutSeconds, 0 };
        _ = setsockopt((int)opened.Value, SolSocket, SoRcvtimeo, timeout, 2 * sizeof(long));
        return opened;
    }

    /// <summary>Sends one request to the kernel.</summary>
    public SysResult Send(ReadOnlySpan<byte> request)
    {
        fixed (byte* data = request)
        {
            SysResult sent;
            do
                sent = SysResult.Of(send(_descriptor, data, (nint)request.Length, 0));
            while (sent.Errno == Errno.EINTR);
            return sent;
        }
    }

    /// <summary>
    /// Receives one datagram of messages. A datagram that is longer than the buffer is cut: the result then exceeds the buffer.
    /// </summary>
    public SysResult Receive(Span<byte> buffer)
    {
        const int msgTrunc = 0x20;
        fixed (byte* data = buffer)
        {
            SysResult received;
            do
                received = SysResult.Of(recv(_descriptor, data, (nint)buffer.Length, msgTrunc));
            while (received.Errno == Errno.EINTR);
            return received;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        var descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor >= 0)
            Sockets.Close(descriptor);
    }

    [LibraryImport("libc")]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc")]
    private static partial int setsockopt(int fd, int level, int option, void* value, int length);

    [LibraryImport("libc")]
    private static partial nint send(int fd, byte* data, nint length, int flags);

    [LibraryImport("libc")]
    private static partial nint recv(int fd, byte* data, nint length, int flags);
}
