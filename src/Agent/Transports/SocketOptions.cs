using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Transports;

/// <summary>Options of a connection's socket (tcp(7), socket(7)); what is null stays as the kernel has it.</summary>
public sealed record SocketOptions
{
    /// <summary>TCP_NODELAY.</summary>
    public bool NoDelay { get; init; }

    /// <summary>TCP_KEEPIDLE and TCP_KEEPINTVL, in seconds, 1 to 32767: an idle connection is probed so often.</summary>
    public int? KeepAliveSeconds { get; init; }

    /// <summary>SO_SNDBUF, in bytes, before the kernel doubles it.</summary>
    public int? SendBuffer { get; init; }

    /// <summary>SO_RCVBUF, in bytes, before the kernel doubles it.</summary>
    public int? ReceiveBuffer { get; init; }

    /// <summary>TCP_USER_TIMEOUT, in milliseconds: how long sent data may stay without an answer.</summary>
    public int? UserTimeoutMillis { get; init; }

    /// <summary>Sets them, before connect(): the receive buffer bounds the window scale of the SYN. The kernel takes any value that is in range.</summary>
    public void Apply(int fd)
    {
        if (NoDelay)
            Sockets.SetNoDelay(fd);
        if (KeepAliveSeconds is { } seconds)
            Sockets.SetKeepAlive(fd, seconds);
        if (SendBuffer is { } send)
            Sockets.SetSendBuffer(fd, send);
        if (ReceiveBuffer is { } receive)
            Sockets.SetReceiveBuffer(fd, receive);
        if (UserTimeoutMillis is { } millis)
            Sockets.SetUserTimeout(fd, millis);
    }
}
