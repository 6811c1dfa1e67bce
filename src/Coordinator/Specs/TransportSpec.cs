using System.Collections.Immutable;
using System.Text.Json.Serialization;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Specs;

/// <summary>What carries connections.</summary>
/// <param name="Tls">Null: plain TCP.</param>
/// <param name="Proxy">Null: no PROXY header.</param>
/// <param name="Socket">Options of every socket.</param>
public sealed record TransportSpec(TlsSpec? Tls, ProxySpec? Proxy, SocketSpec Socket)
{
    /// <summary>TCP and nothing more.</summary>
    public static readonly TransportSpec Plain = new(null, null, new());
}

/// <summary>What TLS is to be like.</summary>
public sealed record TlsSpec
{
    /// <summary>Lowest version; unspecified: TLS 1.2.</summary>
    public TlsVersion Lowest { get; init; }

    /// <summary>Highest version; unspecified: TLS 1.3.</summary>
    public TlsVersion Highest { get; init; }

    /// <summary>SNI, and the name that certificates must be for; empty: the target's own.</summary>
    public string ServerName { get; init; } = "";

    /// <summary>Take any certificate.</summary>
    public bool Insecure { get; init; }

    /// <summary>Certificates to trust, PEM; empty: the roots of each agent's host.</summary>
    public ReadOnlyMemory<byte> Authorities { get; init; }

    /// <summary>Our certificate with its chain, PEM; empty: none.</summary>
    public ReadOnlyMemory<byte> Certificate { get; init; }

    /// <summary>Its key, PEM. Never stored with the run, logged or shown.</summary>
    [JsonIgnore]
    public ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>Protocols to offer by ALPN.</summary>
    public ImmutableArray<string> Alpn { get; init; } = [];

    /// <summary>TLS 1.2, in OpenSSL's notation; empty: the library's.</summary>
    public string Ciphers { get; init; } = "";

    /// <summary>TLS 1.3, by name; empty: the library's.</summary>
    public string CipherSuites { get; init; } = "";

    /// <summary>For the key exchange, by name; empty: the library's.</summary>
    public string Groups { get; init; } = "";

    /// <summary>Part of the handshakes that resume an earlier session, 0 to 1.</summary>
    public double Resume { get; init; }

    /// <summary>A connection that will never send gives its TLS state back.</summary>
    public bool ReleasesIdle { get; init; }

    /// <summary>No close_notify ahead of our FIN.</summary>
    public bool ShutsDownQuietly { get; init; }
}

/// <summary>The PROXY header.</summary>
/// <param name="Version">1 or 2.</param>
/// <param name="Clients">Who is said to connect; null: who does.</param>
public sealed record ProxySpec(int Version, IpRange? Clients);

/// <summary>Options of every socket (tcp(7), socket(7)); what is null stays as the kernel has it.</summary>
/// <param name="NoDelay">TCP_NODELAY; null: where requests are sent.</param>
/// <param name="KeepAlive">TCP_KEEPIDLE and TCP_KEEPINTVL, in whole seconds.</param>
/// <param name="SendBuffer">SO_SNDBUF, in bytes.</param>
/// <param name="ReceiveBuffer">SO_RCVBUF, in bytes.</param>
/// <param name="UserTimeout">TCP_USER_TIMEOUT, in whole milliseconds.</param>
public sealed record SocketSpec(
    bool? NoDelay = null, TimeSpan? KeepAlive = null, int? SendBuffer = null, int? ReceiveBuffer = null, TimeSpan? UserTimeout = null);
