using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

/// <content>What carries connections: the same messages in specs and in assignments.</content>
internal static partial class WireTranslation
{
    public static Transport ToMessage(TransportSpec transport)
    {
        var message = new Transport();
        if (transport.Tls is { } tls)
            message.Tls = ToMessage(tls);
        if (transport.Proxy is { } proxy)
            message.ProxyProtocol = new() { Version = (uint)proxy.Version, Clients = proxy.Clients is { } clients ? ToMessage(clients) : null };
        if (transport.Socket != new SocketSpec())
            message.Tcp = ToMessage(transport.Socket);
        return message;
    }

    /// <summary>Reads what <see cref="ToMessage(TransportSpec)"/> wrote.</summary>
    public static TransportSpec ToTransport(Transport message) => new(
        message.Tls is { } tls ? ToTls(tls) : null,
        message.ProxyProtocol is { } proxy ? new((int)proxy.Version, proxy.Clients is { } clients ? ToRange(clients) : null) : null,
        message.Tcp is { } tcp ? ToSocket(tcp) : new());

    private static Tls ToMessage(TlsSpec tls) => new()
    {
        Lowest = tls.Lowest,
        Highest = tls.Highest,
        ServerName = tls.ServerName,
        Insecure = tls.Insecure,
        Ca = ByteString.CopyFrom(tls.Authorities.Span),
        Certificate = ByteString.CopyFrom(tls.Certificate.Span),
        Key = ByteString.CopyFrom(tls.Key.Span),
        Alpn = { tls.Alpn },
        Ciphers = tls.Ciphers,
        CipherSuites = tls.CipherSuites,
        Groups = tls.Groups,
        Resume = tls.Resume,
        ReleaseIdle = tls.ReleasesIdle,
        QuietShutdown = tls.ShutsDownQuietly,
    };

    private static TlsSpec ToTls(Tls message) => new()
    {
        Lowest = message.Lowest,
        Highest = message.Highest,
        ServerName = message.ServerName,
        Insecure = message.Insecure,
        Authorities = message.Ca.Memory,
        Certificate = message.Certificate.Memory,
        Key = message.Key.Memory,
        Alpn = [.. message.Alpn],
        Ciphers = message.Ciphers,
        CipherSuites = message.CipherSuites,
        Groups = message.Groups,
        Resume = message.Resume,
        ReleasesIdle = message.ReleaseIdle,
        ShutsDownQuietly = message.QuietShutdown,
    };

    private static TcpOptions ToMessage(SocketSpec socket)
    {
        var message = new TcpOptions
        {
            Keepalive = socket.KeepAlive?.ToDuration(),
            SendBuffer = (uint)(socket.SendBuffer ?? 0),
            ReceiveBuffer = (uint)(socket.ReceiveBuffer ?? 0),
            UserTimeout = socket.UserTimeout?.ToDuration(),
        };
        if (socket.NoDelay is { } noDelay)
            message.Nodelay = noDelay;
        return message;
    }

    private static SocketSpec ToSocket(TcpOptions message) => new(
        message.HasNodelay ? message.Nodelay : null,
        message.Keepalive?.ToTimeSpan(),
        message.SendBuffer > 0 ? (int)message.SendBuffer : null,
        message.ReceiveBuffer > 0 ? (int)message.ReceiveBuffer : null,
        message.UserTimeout?.ToTimeSpan());
}
