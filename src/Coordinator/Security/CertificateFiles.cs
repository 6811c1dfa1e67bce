using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Coordinator.Security;

/// <summary>A certificate for listeners, with its chain, and its key: two PEM files.</summary>
/// <param name="Certificate">The certificate first, then those that issued it.</param>
/// <param name="Key">Mode 0600.</param>
public sealed record CertificateFiles(string Certificate, string Key)
{
    private const int MostBytes = 1024 * 1024;

    /// <summary>The pair of a state folder; null when it has none.</summary>
    public static CertificateFiles? Of(StateDirectory state) =>
        File.Exists(state.ServerCertificate) ? new(state.ServerCertificate, state.ServerKey) : null;

    /// <summary>Reads the pair.</summary>
    /// <param name="now">To tell whether it is valid.</param>
    /// <returns>The certificate with its key first, then its chain.</returns>
    /// <exception cref="CredentialException">It cannot be read, does not fit, is not for servers or not valid now; the message says what to do.</exception>
    public X509Certificate2Collection Load(DateTimeOffset now)
    {
        var key = SafeFile.ReadSecret(Key, "key file", MostBytes);
        var text = SafeFile.Read(Certificate, "certificate", MostBytes);
        var chain = new X509Certificate2Collection();
        try
        {
            chain.ImportFromPem(text);
        }
        catch (CryptographicException e)
        {
            throw new CredentialException($"certificate {Certificate} cannot be read: {e.Message}", e);
        }

        if (chain.Count == 0)
            throw new CredentialException($"certificate {Certificate} holds no certificate: PEM is wanted (-----BEGIN CERTIFICATE-----)");
        try
        {
            chain[0] = X509Certificate2.CreateFromPem(text, key);
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new CredentialException(
                $"key file {Key} is not the key of {Certificate}, or is no unencrypted PEM key; give the pair that belongs together", e);
        }

        RequireUsable(chain[0], now);
        return chain;
    }

    private void RequireUsable(X509Certificate2 certificate, DateTimeOffset now)
    {
        const string remedy = "issue a new one: loadharness certs issue server --host NAME";
        if (certificate.NotAfter <= now)
            throw new CredentialException($"certificate {Certificate} expired at {certificate.NotAfter.ToUniversalTime():u}; {remedy}");
        if (certificate.NotBefore > now)
        {
            throw new CredentialException(
                $"certificate {Certificate} is not valid before {certificate.NotBefore.ToUniversalTime():u}; set this host's clock, or {remedy}");
        }

        if (certificate.Extensions.OfType<X509EnhancedKeyUsageExtension>().Any()
            && !CertificateNames.HasUsage(certificate, CertificateNames.ServerAuthentication))
            throw new CredentialException($"certificate {Certificate} is not for servers (its extended key usage lacks serverAuth); {remedy}");
    }
}
