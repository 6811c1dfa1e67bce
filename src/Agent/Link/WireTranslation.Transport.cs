using LoadHarness.Agent.Transports;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Agent.Link;

/// <content>What carries connections.</content>
internal static partial class WireTranslation
{
    private const int LongestPem = 1 << 20;
    private const int MostAlpn = 16;
    private const int LongestAlpn = 255;
    private const int LongestCipherList = 4096;
    private const int MostKeepAliveSeconds = 32_767;

    private static TransportPlan ToTransport(Wire.Transport? message, Wire.Workload workload) => message is null
        ? TransportPlan.Plain
        : new(
            message.Tls is { } tls ? ToTls(tls, workload) : null,
            message.ProxyProtocol is { } proxy ? ToProxy(proxy) : null,
            message.Tcp is { } tcp ? ToSocketOptions(tcp) : null);

    private static TlsPlan ToTls(Wire.Tls message, Wire.Workload workload)
    {
        const string path = "transport.tls";
        if (!(message.Resume >= 0 && message.Resume <= 1))
            throw new WireException(path + ".resume", "range", $"{message.Resume} is out of range: 0 to 1");
        if (message.Alpn.Count > MostAlpn || message.Alpn.Any(p => p.Length is 0 or > LongestAlpn || !p.All(char.IsAscii)))
            throw new WireException(path + ".alpn", "range", $"at most {MostAlpn} protocols of 1 to {LongestAlpn} ASCII characters are allowed");
        if (message.Certificate.IsEmpty != message.Key.IsEmpty)
            throw new WireException(path + (message.Key.IsEmpty ? ".key" : ".certificate"), "required", "a certificate and its key belong together: one of them is missing");
        if (message is { Lowest: Wire.TlsVersion.V13, Highest: Wire.TlsVersion.V12 })
            throw new WireException(path + ".lowest", "order", "TLS 1.3 as the lowest version lies above TLS 1.2 as the highest; no version is left");
        if (message.Insecure && !message.Ca.IsEmpty)
            throw new WireException(path + ".insecure", "conflict", "who takes any certificate trusts no CA in particular; leave one of them out");
        if (message.ReleaseIdle && workload.ExpectGreeting)
            throw new WireException(path + ".release_idle", "conflict", "a connection that has given its TLS state back cannot read a greeting; keep it, or expect none");
        return new TlsPlan
        {
            Lowest = ToVersion(message.Lowest, path + ".lowest"),
            Highest = ToVersion(message.Highest, path + ".highest"),
            ServerName = ToAscii(message.ServerName, LongestName, path + ".server_name"),
            Insecure = message.Insecure,
            Authorities = ToPem(message.Ca, path + ".ca"),
            Certificate = ToPem(message.Certificate, path + ".certificate"),
            Key = ToPem(message.Key, path + ".key"),
            Alpn = [.. message.Alpn],
            Ciphers = ToAscii(message.Ciphers, LongestCipherList, path + ".ciphers"),
            CipherSuites = ToAscii(message.CipherSuites, LongestCipherList, path + ".cipher_suites"),
            Groups = ToAscii(message.Groups, LongestCipherList, path + ".groups"),
            Resume = message.Resume,
            ReleasesIdle = message.ReleaseIdle,
            ShutsDownQuietly = message.QuietShutdown,
        };
    }

    private static Wire.TlsVersion ToVersion(Wire.TlsVersion version, string path) =>
        version is Wire.TlsVersion.Unspecified or Wire.TlsVersion.V12 or Wire.TlsVersion.V13
            ? version
            : throw new WireException(path, "range", $"version {(int)version} is unknown; TLS 1.2 or 1.3 is wanted");

    private static string ToAscii(string text, int longest, string path) => text.Length <= longest && text.All(c => c is > ' ' and < '\u007f')
        ? text
        : throw new WireException(path, "range", $"at most {longest} visible ASCII characters are wanted");

    private static ReadOnlyMemory<byte> ToPem(Google.Protobuf.ByteString pem, string path) => pem.Length <= LongestPem
        ? pem.Memory
        : throw new WireException(path, "range", $"{pem.Length:N0} bytes are too many, at most {LongestPem:N0} are allowed");

    private static ProxyPlan ToProxy(Wire.ProxyProtocol message) => message.Version switch
    {
        1 => new(ProxyProtocol.V1, ToClients(message)),
        2 => new(ProxyProtocol.V2, ToClients(message)),
        _ => throw new WireException("transport.proxy_protocol.version", "range", $"version {message.Version} is unknown; 1 or 2 is wanted"),
    };

    private static IpRange? ToClients(Wire.ProxyProtocol message) =>
        message.Clients is { } clients ? ToRange(clients, "transport.proxy_protocol.clients") : null;

    private static SocketOptions ToSocketOptions(Wire.TcpOptions message)
    {
        const string path = "transport.tcp";
        return new SocketOptions
        {
            NoDelay = message.Nodelay,
            KeepAliveSeconds = message.Keepalive is { } keepalive ? Whole(Time(keepalive, path + ".keepalive").TotalSeconds, MostKeepAliveSeconds, "s", path + ".keepalive") : null,
            SendBuffer = ToBuffer(message.SendBuffer, path + ".send_buffer"),
            ReceiveBuffer = ToBuffer(message.ReceiveBuffer, path + ".receive_buffer"),
            UserTimeoutMillis = message.UserTimeout is { } timeout ? Whole(Time(timeout, path + ".user_timeout").TotalMilliseconds, int.MaxValue, "ms", path + ".user_timeout") : null,
        };
    }

    private static int? ToBuffer(uint bytes, string path) => bytes == 0 ? null : Whole(bytes, int.MaxValue, "bytes", path);

    private static int Whole(double value, int most, string unit, string path) => value >= 1 && value <= most && Math.Floor(value) == value
        ? (int)value
        : throw new WireException(path, "range", $"{value:0.###} {unit} is out of range, 1 to {most:N0} whole {unit} is allowed");
}
