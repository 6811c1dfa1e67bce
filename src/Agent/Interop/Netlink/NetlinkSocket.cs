using System.Runtime.InteropServices;
using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Interop.Netlink;

/// <summary>A netlink socket of the family NETLINK_SOCK_DIAG; see netlink(7) and sock_diag(7). Used by one thread at a time.</summary>
public sealed unsafe partial class NetlinkSocket : IDisposable
{
    private const int AfNetlink = 16;
    private const int SockRaw = 3;
    private const int SockCloexec = 0x80000;
    private const int NetlinkSockDiag = 4;
    private const int SolSocket = 1;
    private const int SoRcvbuf = 8;
    private const int SoRcvtimeo = 20;
    private const int Eintr = 4;

    private int _descriptor;

    private NetlinkSocket(int descriptor) => _descriptor = descriptor;

    /// <summary>Opens one in the network namespace and descriptor table of the calling thread.</summary>
    /// <param name="receiveTimeoutSeconds">After this long without an answer <see cref="Receive"/> fails with EAGAIN.</param>
    /// <param name="socket">The socket; null when the call failed.</param>
    public static SysResult Open(int receiveTimeoutSeconds, out NetlinkSocket? socket)
    {
        socket = null;
        var opened = SysResult.Of(CreateSocket(AfNetlink, SockRaw | SockCloexec, NetlinkSockDiag));
        if (!opened.Ok)
            return opened;
        socket = new NetlinkSocket((int)opened.Value);
        // The dump is produced as fast as it is read, so the queue only ever holds a few messages: the buffer bounds the largest of them.
        var bytes = 1 << 20;
        _ = SetOption((int)opened.Value, SolSocket, SoRcvbuf, &bytes, sizeof(int));
        var timeout = stackalloc long[2] { receiveTimeoutSeconds, 0 };
        _ = SetOption((int)opened.Value, SolSocket, SoRcvtimeo, timeout, 2 * sizeof(long));
        return opened;
    }

    /// <summary>Sends one request to the kernel.</summary>
    public SysResult Send(ReadOnlySpan<byte> request)
    {
        fixed (byte* data = request)
        {
            SysResult sent;
            do
                sent = SysResult.Of(SendBytes(_descriptor, data, (nuint)request.Length, 0));
            while (sent.Errno == Eintr);
            return sent;
        }
    }

    /// <summary>Receives one datagram of messages. A datagram that is longer than the buffer is cut: the result then exceeds the buffer.</summary>
    public SysResult Receive(Span<byte> buffer)
    {
        const int msgTrunc = 0x20;
        fixed (byte* data = buffer)
        {
            SysResult received;
            do
                received = SysResult.Of(ReceiveBytes(_descriptor, data, (nuint)buffer.Length, msgTrunc));
            while (received.Errno == Eintr);
            return received;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        var descriptor = Interlocked.Exchange(ref _descriptor, -1);
        if (descriptor >= 0)
            _ = CloseDescriptor(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int CreateSocket(int domain, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    private static partial int SetOption(int descriptor, int level, int name, void* value, uint length);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    private static partial nint SendBytes(int descriptor, byte* data, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    private static partial nint ReceiveBytes(int descriptor, byte* data, nuint length, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int CloseDescriptor(int descriptor);
}
