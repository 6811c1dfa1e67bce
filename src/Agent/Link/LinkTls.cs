using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadHarness.Agent.Identity;

namespace LoadHarness.Agent.Link;

/// <summary>How an agent and its coordinator know each other over TLS.</summary>
/// <param name="CaFile">PEM certificates to trust instead of the system's; null: the system's.</param>
/// <param name="Certificate">What the agent shows. Asked for at each connection: a renewed file is used from then on.</param>
public sealed record LinkTls(string? CaFile, Func<X509Certificate2> Certificate)
{
    /// <summary>Reads every file once.</summary>
    /// <exception cref="IdentityException">One cannot be used.</exception>
    public void Check()
    {
        _ = Certificate();
        _ = ChainPolicy();
    }

    /// <summary>By which the certificate of the coordinator is judged.</summary>
    /// <exception cref="IdentityException">The CA file cannot be used.</exception>
    internal X509ChainPolicy ChainPolicy()
    {
        // Certificates of a small CA of one's own have no revocation list; those of others are looked at by their lifetime.
        var policy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck };
        if (CaFile is null)
            return policy;
        policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        policy.CustomTrustStore.AddRange(ReadCa(CaFile));
        return policy;
    }

    private static X509Certificate2Collection ReadCa(string path)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPemFile(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new IdentityException($"--ca {path} cannot be read: {e.Message}");
        }

        return certificates.Count > 0
            ? certificates
            : throw new IdentityException($"--ca {path} holds no certificate (PEM); a coordinator's is ca/ca.pem of its state folder");
    }
}
