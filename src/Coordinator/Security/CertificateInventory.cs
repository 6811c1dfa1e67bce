using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Coordinator.Security;

/// <summary>The certificates of a state folder.</summary>
public static class CertificateInventory
{
    /// <summary>From this long before its end on, a certificate is worth a warning.</summary>
    public static readonly TimeSpan WarnBefore = TimeSpan.FromDays(30);

    /// <summary>All of them: the authority, the listeners', those that were issued to agents.</summary>
    /// <exception cref="CredentialException">One cannot be read.</exception>
    public static ImmutableArray<CertificateEntry> Of(StateDirectory state)
    {
        var entries = ImmutableArray.CreateBuilder<CertificateEntry>();
        Add(CertificateKind.Authority, state.CaCertificate);
        Add(CertificateKind.Server, state.ServerCertificate);
        if (Directory.Exists(state.Issued))
        {
            foreach (var path in Directory.EnumerateFiles(state.Issued, "*.pem").Order(StringComparer.Ordinal))
                Add(CertificateKind.Agent, path);
        }

        return entries.ToImmutable();

        void Add(CertificateKind kind, string path)
        {
            if (File.Exists(path))
                entries.Add(Read(kind, path));
        }
    }

    private static CertificateEntry Read(CertificateKind kind, string path)
    {
        try
        {
            using var certificate = X509CertificateLoader.LoadCertificateFromFile(path);
            var name = (kind == CertificateKind.Agent ? CertificateNames.AgentIdentity(certificate) : null)
                ?? certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false);
            return new(kind, name, [.. CertificateNames.Hosts(certificate)], new DateTimeOffset(certificate.NotAfter),
                CertificateNames.Fingerprint(certificate), path);
        }
        catch (CryptographicException e)
        {
            throw new CredentialException($"certificate {path} cannot be read: {e.Message}", e);
        }
    }
}

/// <summary>What a certificate is for.</summary>
public enum CertificateKind
{
    /// <summary>Issues the others.</summary>
    Authority,

    /// <summary>A coordinator's listeners present it.</summary>
    Server,

    /// <summary>Enrols an agent.</summary>
    Agent,
}

/// <summary>One certificate.</summary>
/// <param name="Kind">What it is for.</param>
/// <param name="Name">Of its subject, or of the agent.</param>
/// <param name="Hosts">Of a server: by which it is dialled.</param>
/// <param name="Expires">From when on it is worth nothing.</param>
/// <param name="Fingerprint">SHA-256 of the certificate, in lower-case hexadecimal.</param>
/// <param name="Path">Where it lies.</param>
public sealed record CertificateEntry(
    CertificateKind Kind, string Name, ImmutableArray<string> Hosts, DateTimeOffset Expires, string Fingerprint, string Path);
