using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Coordinator.Security;

/// <summary>Which coordinators' certificates a user's program accepts, and why it does not accept one, in words.</summary>
public sealed class ServerTrust
{
    private const X509ChainStatusFlags Strange =
        X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain | X509ChainStatusFlags.NotSignatureValid;

    private const string Issue = "loadharness certs issue server";

    private readonly string? _caFile;
    private readonly X509Certificate2Collection? _authorities;

    private ServerTrust(string? caFile, X509Certificate2Collection? authorities) => (_caFile, _authorities) = (caFile, authorities);

    /// <summary>Trusts the authorities of a file and no others, or those of the system.</summary>
    /// <param name="caFile">PEM; null: the system's.</param>
    /// <exception cref="CredentialException">The file cannot be used.</exception>
    public static ServerTrust Of(string? caFile)
    {
        if (caFile is null)
            return new(null, null);
        var authorities = new X509Certificate2Collection();
        try
        {
            authorities.ImportFromPemFile(caFile);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CredentialException($"CA file {caFile} cannot be read: {e.Message}", e);
        }

        return authorities.Count > 0 ? new(caFile, authorities) : throw new CredentialException(
            $"CA file {caFile} holds no certificate (PEM, -----BEGIN CERTIFICATE-----); the coordinator's is ca/ca.pem in its state "
            + "folder");
    }

    /// <summary>By which a certificate is judged.</summary>
    internal X509ChainPolicy Policy()
    {
        // A small CA of one's own has no revocation list; its certificates live short.
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        if (_authorities is null)
            return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(_authorities);
        return policy;
    }

    /// <summary>What is wrong with a certificate; null when nothing is.</summary>
    internal string? Judge(CoordinatorUrl url, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, DateTimeOffset now)
    {
        if (errors == SslPolicyErrors.None)
            return null;
        if (certificate is null)
            return $"{url} shows no certificate: is it a coordinator?";
        var status = chain?.ChainStatus ?? [];
        // Whose certificate it is comes first: what a stranger's says about time and names does not matter.
        if (status.Any(s => (s.Status & Strange) != 0))
            return Stranger(url, certificate);
        if (status.Any(s => s.Status.HasFlag(X509ChainStatusFlags.NotTimeValid)))
            return Untimely(url, chain!, now);
        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch))
            return Misnamed(url, certificate);
        var words = string.Join(", ", status.Select(s => s.StatusInformation.Trim().TrimEnd('.')));
        return $"the certificate of {url} (\"{certificate.Subject}\") is not accepted: {words}; issue another one: {Issue}";
    }

    private string Stranger(CoordinatorUrl url, X509Certificate2 certificate)
    {
        var issuer = certificate.Issuer == certificate.Subject ? "itself" : $"\"{certificate.Issuer}\"";
        var why = _caFile is null ? "which this system does not trust" : $"which is not in {_caFile}";
        return $"the certificate of {url} (\"{certificate.Subject}\") was issued by {issuer}, {why}; "
            + "give the coordinator's own CA with --ca FILE (ca/ca.pem in its state folder)";
    }

    private static string Untimely(CoordinatorUrl url, X509Chain chain, DateTimeOffset now)
    {
        foreach (var certificate in chain.ChainElements.Select(e => e.Certificate))
        {
            if (certificate.NotAfter < now)
            {
                return $"the certificate of {url} (\"{certificate.Subject}\") expired at {Show(certificate.NotAfter)}; "
                    + $"issue another one: {Issue}";
            }

            if (certificate.NotBefore > now)
            {
                return $"the certificate of {url} (\"{certificate.Subject}\") is valid from {Show(certificate.NotBefore)} on and here it "
                    + $"is {Show(now.UtcDateTime)}; set the clock of this host, or of the one that issued it";
            }
        }

        return $"the certificate of {url} outlives the one that issued it; issue another one: {Issue}";
    }

    private static string Misnamed(CoordinatorUrl url, X509Certificate2 certificate)
    {
        var names = CertificateNames.Hosts(certificate);
        var whose = names.Count > 0 ? string.Join(", ", names) : "no name at all";
        return $"the certificate of {url} is for {whose}, and not for {url.Host}; "
            + $"use a name that it has, or issue one for {url.Host}: {Issue}";
    }

    private static string Show(DateTime time) =>
        time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) + " UTC";
}
