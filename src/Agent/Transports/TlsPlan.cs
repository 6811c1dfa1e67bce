using System.Collections.Immutable;
using System.Net;
using System.Text;
using LoadHarness.Agent.Interop.OpenSsl;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Transports;

/// <summary>What TLS is to be like; see assignment.proto.</summary>
public sealed record TlsPlan
{
    /// <summary>Lowest version; unspecified: TLS 1.2.</summary>
    public TlsVersion Lowest { get; init; }

    /// <summary>Highest version; unspecified: TLS 1.3.</summary>
    public TlsVersion Highest { get; init; }

    /// <summary>SNI, and the name that certificates must be for; empty: the destination's own.</summary>
    public string ServerName { get; init; } = "";

    /// <summary>Take any certificate.</summary>
    public bool Insecure { get; init; }

    /// <summary>Certificates to trust, PEM; empty: the roots of this host.</summary>
    public ReadOnlyMemory<byte> Authorities { get; init; }

    /// <summary>Our certificate with its chain, PEM; empty: none.</summary>
    public ReadOnlyMemory<byte> Certificate { get; init; }

    /// <summary>Its key, PEM.</summary>
    public ReadOnlyMemory<byte> Key { get; init; }

    /// <summary>Protocols to offer by ALPN; empty: no offer.</summary>
    public ImmutableArray<string> Alpn { get; init; } = [];

    /// <summary>TLS 1.2, in OpenSSL's notation; empty: the library's.</summary>
    public string Ciphers { get; init; } = "";

    /// <summary>TLS 1.3, by name; empty: the library's.</summary>
    public string CipherSuites { get; init; } = "";

    /// <summary>For the key exchange, by name; empty: the library's.</summary>
    public string Groups { get; init; } = "";

    /// <summary>Part of the handshakes that resume an earlier session when there is one, 0 to 1.</summary>
    public double Resume { get; init; }

    /// <summary>A connection that will never send gives its TLS state back.</summary>
    public bool ReleasesIdle { get; init; }

    /// <summary>No close_notify ahead of our FIN.</summary>
    public bool ShutsDownQuietly { get; init; }

    /// <summary>Sets a context up.</summary>
    /// <param name="problem">What OpenSSL does not take: the field of the message, and why.</param>
    /// <returns>The context; null when there is a problem.</returns>
    public SslContext? CreateContext(out (string Field, string Message) problem)
    {
        var context = new SslContext();
        foreach (var (field, set) in Settings(context))
        {
            if (set())
                continue;
            var error = TlsErrors.Take(out _);
            problem = (field, error == 0 ? $"OpenSSL does not take it; {WantedOf(field)}" : $"OpenSSL does not take it: {TlsErrors.Describe(error)}; {WantedOf(field)}");
            context.Dispose();
            return null;
        }

        problem = default;
        return context;
    }

    /// <summary>Who a destination is taken for.</summary>
    /// <param name="name">What it goes by; null: its address.</param>
    /// <param name="address">Its address.</param>
    public TlsPeer PeerOf(string? name, IpAddress address)
    {
        if (ServerName.Length > 0)
            name = ServerName;
        // SNI has no addresses, and no dot at its end (RFC 6066, 3).
        name = name?.TrimEnd('.');
        if (Uri.CheckHostName(name) is UriHostNameType.IPv4 or UriHostNameType.IPv6 && IPAddress.TryParse(name, out var literal))
            (name, address) = (null, IpAddress.From(literal));
        return name is null
            ? new(null, null, Insecure ? null : address.ToBytes())
            : new(Terminated(name), Insecure ? null : Terminated(name), null);
    }

    private static string WantedOf(string field) => field switch
    {
        "ca" or "certificate" => "certificates in PEM form are wanted, each whole",
        "key" => "the certificate's own key is wanted, in PEM form and without a passphrase",
        "ciphers" => "names of TLS 1.2 with colons between, as 'openssl ciphers' lists them",
        "cipher_suites" => "names of TLS 1.3 with colons between, as 'openssl ciphers -tls1_3 -s' lists them",
        "groups" => "names with colons between, such as X25519:P-256",
        _ => "another value is wanted",
    };

    private static byte[] Terminated(string name) => Encoding.ASCII.GetBytes(name + "\0");

    private IEnumerable<(string Field, Func<bool> Set)> Settings(SslContext context)
    {
        yield return ("lowest", () => context.SetVersions(VersionOf(Lowest, TlsVersion.V12), VersionOf(Highest, TlsVersion.V13)));
        if (Insecure)
            context.TrustAnybody();
        else if (Authorities.IsEmpty)
            yield return ("ca", context.TrustSystem);
        else
            yield return ("ca", () => context.Trust(Authorities.Span));
        if (!Certificate.IsEmpty)
        {
            yield return ("certificate", () => context.UseCertificate(Certificate.Span));
            yield return ("key", () => context.UseKey(Key.Span));
        }

        if (Alpn.Length > 0)
            yield return ("alpn", () => context.SetAlpn([.. Alpn.SelectMany(p => Encoding.ASCII.GetBytes(p).Prepend((byte)p.Length))]));
        if (Ciphers.Length > 0)
            yield return ("ciphers", () => context.SetCiphers(Ciphers));
        if (CipherSuites.Length > 0)
            yield return ("cipher_suites", () => context.SetCipherSuites(CipherSuites));
        if (Groups.Length > 0)
            yield return ("groups", () => context.SetGroups(Groups));
    }

    private static int VersionOf(TlsVersion version, TlsVersion otherwise) =>
        (version == TlsVersion.Unspecified ? otherwise : version) == TlsVersion.V12 ? 0x0303 : 0x0304;
}
