using System.Runtime.InteropServices;

namespace LoadHarness.Agent.Interop.Libc;

/// <summary>
/// TCP sockets: socket(2), bind(2), connect(2), listen(2), accept4(2), shutdown(2), close(2), recv(2), send(2) and
/// their options. Every socket is non-blocking and close-on-exec, so no call here waits.
/// </summary>
public static unsafe partial class Sockets
{
    private const int SockStream = 1;
    private const int SockNonBlock = 0x800;
    private const int SockCloseOnExec = 0x80000;
    private const int SolSocket = 1;
    private const int SoReuseAddr = 2;
    private const int SoType = 3;
    private const int SoError = 4;
    private const int SoSendBuffer = 7;
    private const int SoReceiveBuffer = 8;
    private const int SoKeepAlive = 9;
    private const int SoLinger = 13;
    private const int IpProtoTcp = 6;
    private const int TcpNoDelay = 1;
    private const int TcpKeepIdle = 4;
    private const int TcpKeepInterval = 5;
    private const int TcpUserTimeout = 18;
    private const int IpProtoIp = 0;
    private const int IpBindAddressNoPort = 24;
    private const int IpProtoIpv6 = 41;
    private const int Ipv6Only = 26;
    private const int ShutRd = 0;
    private const int ShutWr = 1;
    private const int DuplicateCloseOnExec = 1030;
    private const int MsgPeek = 0x02;
    private const int MsgDontWait = 0x40;
    private const int MsgTrunc = 0x20;
    private const int MsgNoSignal = 0x4000;

    /// <summary>A TCP socket of the family AF_INET or AF_INET6; its descriptor, or EMFILE, ENFILE, ENOBUFS, ENOMEM.</summary>
    public static SysResult Create(int family) =>
        SysResult.Of(socket(family, SockStream | SockNonBlock | SockCloseOnExec, 0));

    /// <summary>bind(2).</summary>
    public static SysResult Bind(int fd, in SocketAddress address)
    {
        fixed (SocketAddress* pointer = &address)
            return SysResult.Of(bind(fd, pointer, address.Length));
    }

    /// <summary>connect(2); EINPROGRESS when the handshake is under way.</summary>
    public static SysResult Connect(int fd, in SocketAddress address)
    {
        fixed (SocketAddress* pointer = &address)
            return SysResult.Of(connect(fd, pointer, address.Length));
    }

    /// <summary>listen(2); the kernel bounds the backlog by net.core.somaxconn.</summary>
    public static SysResult Listen(int fd, int backlog) => SysResult.Of(listen(fd, backlog));

    /// <summary>accept4(2); the new descriptor, EAGAIN when nobody waits, EMFILE when the table is full.</summary>
    public static SysResult Accept(int fd)
    {
        while (true)
        {
            var result = SysResult.Of(accept4(fd, null, null, SockNonBlock | SockCloseOnExec));
            if (result.Errno is not (Errno.EINTR or Errno.ECONNABORTED or Errno.EPROTO))
                return result;
        }
    }

    /// <summary>shutdown(fd, SHUT_WR): our FIN.</summary>
    public static SysResult ShutdownWrite(int fd) => SysResult.Of(shutdown(fd, ShutWr));

    /// <summary>shutdown(fd, SHUT_RD) of a listener: it takes nobody any more, and neither do its copies; who waits for accept is reset.</summary>
    public static SysResult StopListening(int fd) => SysResult.Of(shutdown(fd, ShutRd));

    /// <summary>fcntl(F_DUPFD_CLOEXEC): another descriptor for the same socket, or EMFILE.</summary>
    public static SysResult Duplicate(int fd) => SysResult.Of(fcntl(fd, DuplicateCloseOnExec, 0));

    /// <summary>close(2). EINTR is success: Linux has released the descriptor by then.</summary>
    public static SysResult Close(int fd)
    {
        var result = SysResult.Of(close(fd));
        return result.Errno == Errno.EINTR ? default : result;
    }

    /// <summary>Closes with RST: SO_LINGER with a time of zero, then close(2).</summary>
    public static SysResult Abort(int fd)
    {
        var linger = stackalloc int[2] { 1, 0 };
        _ = setsockopt(fd, SolSocket, SoLinger, linger, sizeof(long));
        return Close(fd);
    }

    /// <summary>recv(2): bytes read, 0 at the peer's FIN, or EAGAIN.</summary>
    public static SysResult Receive(int fd, byte* buffer, nint length) => Again(recv(fd, buffer, length, MsgDontWait));

    /// <summary>recv(2) with MSG_PEEK: as <see cref="Receive"/>, and the bytes stay there.</summary>
    public static SysResult Peek(int fd, byte* buffer, nint length) => Again(recv(fd, buffer, length, MsgDontWait | MsgPeek));

    /// <summary>recv(2) with MSG_TRUNC: throws away up to <paramref name="length"/> bytes without copying them (tcp(7)).</summary>
    public static SysResult Discard(int fd, nint length) => Again(recv(fd, null, length, MsgDontWait | MsgTrunc));

    /// <summary>send(2) without SIGPIPE: bytes taken, or EAGAIN.</summary>
    public static SysResult Send(int fd, byte* buffer, nint length) => Again(send(fd, buffer, length, MsgDontWait | MsgNoSignal));

    /// <summary>SO_REUSEADDR: lets several connections share one local address and port.</summary>
    public static SysResult SetReuseAddress(int fd) => SetFlag(fd, SolSocket, SoReuseAddr);

    /// <summary>TCP_NODELAY.</summary>
    public static SysResult SetNoDelay(int fd) => SetFlag(fd, IpProtoTcp, TcpNoDelay);

    /// <summary>SO_KEEPALIVE with TCP_KEEPIDLE and TCP_KEEPINTVL, in seconds, 1 to 32767.</summary>
    public static SysResult SetKeepAlive(int fd, int seconds)
    {
        var idle = SetOption(fd, IpProtoTcp, TcpKeepIdle, seconds);
        var interval = SetOption(fd, IpProtoTcp, TcpKeepInterval, seconds);
        return idle.Ok && interval.Ok ? SetFlag(fd, SolSocket, SoKeepAlive) : idle.Ok ? interval : idle;
    }

    /// <summary>SO_SNDBUF, in bytes; the kernel doubles it, up to net.core.wmem_max.</summary>
    public static SysResult SetSendBuffer(int fd, int bytes) => SetOption(fd, SolSocket, SoSendBuffer, bytes);

    /// <summary>SO_RCVBUF, in bytes; the kernel doubles it, up to net.core.rmem_max.</summary>
    public static SysResult SetReceiveBuffer(int fd, int bytes) => SetOption(fd, SolSocket, SoReceiveBuffer, bytes);

    /// <summary>TCP_USER_TIMEOUT, in milliseconds; 0: the kernel's own.</summary>
    public static SysResult SetUserTimeout(int fd, int millis) => SetOption(fd, IpProtoTcp, TcpUserTimeout, millis);

    /// <summary>IP_BIND_ADDRESS_NO_PORT (ip(7), kernel 4.2; IPv6 sockets too): bind(2) with port 0 takes no port, it only looks at the address.</summary>
    public static SysResult SetBindAddressNoPort(int fd) => SetFlag(fd, IpProtoIp, IpBindAddressNoPort);

    /// <summary>IPV6_V6ONLY: leaves the IPv4 side of the port to others.</summary>
    public static SysResult SetIpv6Only(int fd) => SetFlag(fd, IpProtoIpv6, Ipv6Only);

    /// <summary>SO_ERROR: the pending error of a connect, as an errno; 0 when there is none.</summary>
    public static int TakeError(int fd)
    {
        int error = 0, length = sizeof(int);
        var result = SysResult.Of(getsockopt(fd, SolSocket, SoError, &error, &length));
        return result.Ok ? error : result.Errno;
    }

    /// <summary>Whether a descriptor is a socket of any kind.</summary>
    public static bool IsSocket(int fd)
    {
        int type = 0, length = sizeof(int);
        return getsockopt(fd, SolSocket, SoType, &type, &length) == 0;
    }

    private static SysResult SetFlag(int fd, int level, int option) => SetOption(fd, level, option, 1);

    private static SysResult SetOption(int fd, int level, int option, int value) => SysResult.Of(setsockopt(fd, level, option, &value, sizeof(int)));

    // A non-blocking call is never interrupted in the middle; EINTR can only mean "nothing happened yet".
    private static SysResult Again(nint returned)
    {
        var result = SysResult.Of(returned);
        return result.Errno == Errno.EINTR ? SysResult.Failed(Errno.EAGAIN) : result;
    }

    [LibraryImport("libc")]
    private static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc")]
    private static partial int bind(int fd, SocketAddress* address, int length);

    [LibraryImport("libc")]
    private static partial int connect(int fd, SocketAddress* address, int length);

    [LibraryImport("libc")]
    private static partial int listen(int fd, int backlog);

    [LibraryImport("libc")]
    private static partial int accept4(int fd, SocketAddress* address, int* length, int flags);

    [LibraryImport("libc")]
    private static partial int shutdown(int fd, int how);

    [LibraryImport("libc")]
    private static partial int fcntl(int fd, int command, int argument);

    [LibraryImport("libc")]
    private static partial int close(int fd);

    [LibraryImport("libc")]
    private static partial nint recv(int fd, byte* buffer, nint length, int flags);

    [LibraryImport("libc")]
    private static partial nint send(int fd, byte* buffer, nint length, int flags);

    [LibraryImport("libc")]
    private static partial int setsockopt(int fd, int level, int option, void* value, int length);

    [LibraryImport("libc")]
    private static partial int getsockopt(int fd, int level, int option, void* value, int* length);
}
