using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Coordinator.Security;

/// <summary>A small certificate authority: ECDSA P-256, one level, for one fleet.</summary>
public sealed class CertificateAuthority : IDisposable
{
    /// <summary>How long certificates are valid when nothing else is said.</summary>
    public static readonly TimeSpan DefaultCaValidity = TimeSpan.FromDays(3650);

    /// <summary>How long certificates of servers and agents are valid when nothing else is said.</summary>
    public static readonly TimeSpan DefaultValidity = TimeSpan.FromDays(397);

    private const int SerialBytes = 16;
    private const int MostBytes = 64 * 1024;

    // Clocks of hosts differ a little, and a certificate is used as soon as it is made.
    private static readonly TimeSpan _backdate = TimeSpan.FromMinutes(10);

    private readonly X509Certificate2 _certificate;

    private CertificateAuthority(X509Certificate2 certificate) => _certificate = certificate;

    /// <summary>Makes a new one in a state folder.</summary>
    /// <exception cref="CredentialException">There is one already, or it cannot be written.</exception>
    public static void Create(StateDirectory state, TimeSpan validity, DateTimeOffset now)
    {
        if (File.Exists(state.CaCertificate) || File.Exists(state.CaKey))
        {
            throw new CredentialException(
                $"there is a certificate authority in {Path.GetDirectoryName(state.CaCertificate)} already; every certificate that it issued "
                + "would be worth nothing without it. To begin anew, move that folder away first");
        }

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        // The name is its own: a chain must never be tried against another authority of the same name.
        var name = $"CN=LoadHarness CA {Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}";
        var request = new CertificateRequest(name, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var certificate = request.CreateSelfSigned(now - _backdate, now + validity);
        state.Prepare();
        SafeFile.PrepareDirectory(Path.GetDirectoryName(state.CaKey)!);
        SafeFile.Create(state.CaKey, "key file", key.ExportPkcs8PrivateKeyPem() + "\n", SafeFile.OwnerOnly);
        SafeFile.Create(state.CaCertificate, "certificate", certificate.ExportCertificatePem() + "\n", SafeFile.Public);
    }

    /// <summary>The one in a state folder.</summary>
    /// <exception cref="CredentialException">There is none, or it cannot be used.</exception>
    public static CertificateAuthority Load(StateDirectory state)
    {
        if (!File.Exists(state.CaCertificate))
            throw new CredentialException($"there is no certificate authority in {state.Path}; make one first: loadharness certs init");
        var key = SafeFile.ReadSecret(state.CaKey, "key file", MostBytes);
        try
        {
            return new(X509Certificate2.CreateFromPem(SafeFile.Read(state.CaCertificate, "certificate", MostBytes), key));
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CredentialException($"{state.CaCertificate} and {state.CaKey} are not a certificate and its key: {e.Message}", e);
        }
    }

    /// <summary>A certificate for a coordinator's listeners, and its key, both as PEM.</summary>
    /// <param name="hosts">Names and addresses by which it is dialled; at least one.</param>
    /// <param name="validity">From now on; it ends with the authority's own at the latest.</param>
    /// <param name="now">The time.</param>
    public IssuedCertificate IssueServer(IReadOnlyList<string> hosts, TimeSpan validity, DateTimeOffset now)
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var address))
                names.AddIpAddress(address);
            else
                names.AddDnsName(host);
        }

        return Issue("CN=LoadHarness coordinator", names, CertificateNames.ServerAuthentication, validity, now);
    }

    /// <summary>A certificate that enrols one agent without a token, and its key, both as PEM.</summary>
    /// <inheritdoc cref="IssueServer"/>
    /// <param name="agentId">Its identity.</param>
    /// <param name="validity"/>
    /// <param name="now"/>
    public IssuedCertificate IssueAgent(string agentId, TimeSpan validity, DateTimeOffset now)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(CertificateNames.AgentUriPrefix + Uri.EscapeDataString(agentId)));
        return Issue("CN=LoadHarness agent", names, CertificateNames.ClientAuthentication, validity, now);
    }

    /// <inheritdoc/>
    public void Dispose() => _certificate.Dispose();

    private IssuedCertificate Issue(
        string subject, SubjectAlternativeNameBuilder names, string usage, TimeSpan validity, DateTimeOffset now)
    {
        if (_certificate.NotAfter <= now)
            throw new CredentialException($"the certificate authority expired at {_certificate.NotAfter:u}; make a new one: loadharness certs init");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        var extensions = request.CertificateExtensions;
        extensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        extensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        extensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        extensions.Add(names.Build());
        extensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        extensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(_certificate, true, false));
        var from = Later(now - _backdate, _certificate.NotBefore);
        var until = Earlier(now + validity, _certificate.NotAfter);
        using var certificate = request.Create(_certificate, from, until, NewSerial());
        return new(certificate.ExportCertificatePem() + "\n", key.ExportPkcs8PrivateKeyPem() + "\n");
    }

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(SerialBytes);
        // RFC 5280 4.1.2.2: positive, and not zero.
        serial[0] = (byte)((serial[0] & 0x7f) | 0x40);
        return serial;
    }
}

/// <summary>A certificate and its key, as PEM.</summary>
/// <param name="Certificate">For everybody.</param>
/// <param name="Key">PKCS #8, for its owner alone.</param>
public sealed record IssuedCertificate(string Certificate, string Key)
{
    /// <summary>Says nothing about the key.</summary>
    public override string ToString() => "(certificate and key)";
}
