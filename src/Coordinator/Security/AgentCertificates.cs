using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Coordinator.Security;

/// <summary>Judges certificates that agents present: whether the coordinator's own authority issued them, and to whom.</summary>
public sealed class AgentCertificates
{
    private readonly string _path;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private FileStamp _stamp;
    private X509Certificate2? _authority;

    /// <summary>Trusts the authority whose certificate lies in a file, as it is now and as it may become; none while there is no file.</summary>
    public AgentCertificates(string path, TimeProvider time) => (_path, _time) = (path, time);

    /// <summary>Who a certificate was issued to.</summary>
    /// <param name="certificate">That an agent proved to hold the key of.</param>
    /// <returns>The identity, or why it is worth nothing; both null when another issued it.</returns>
    public (string? Identity, string? Problem) Judge(X509Certificate2 certificate)
    {
        if (Authority() is not { } authority || certificate.Issuer != authority.Subject)
            return (null, null);
        using var chain = new X509Chain { ChainPolicy = Policy(authority) };
        chain.ChainPolicy.VerificationTime = _time.GetUtcNow().UtcDateTime;
        if (!chain.Build(certificate))
        {
            var problems = chain.ChainStatus.Select(s => s.Status).ToArray();
            return (null, problems.Contains(X509ChainStatusFlags.NotTimeValid)
                ? $"its certificate is valid from {certificate.NotBefore.ToUniversalTime():u} to {certificate.NotAfter.ToUniversalTime():u} only"
                : $"its certificate is not accepted ({string.Join(", ", problems)})");
        }

        if (!CertificateNames.HasUsage(certificate, CertificateNames.ClientAuthentication))
            return (null, "its certificate is not for agents (its extended key usage lacks clientAuth)");
        return CertificateNames.AgentIdentity(certificate) is { } identity
            ? (identity, null)
            : (null, "its certificate names no agent");
    }

    /// <summary>The authority's certificate; null when there is none that can be read.</summary>
    public X509Certificate2? Authority()
    {
        lock (_lock)
        {
            var stamp = FileStamp.Of(_path);
            if (stamp == _stamp)
                return _authority;
            _stamp = stamp;
            try
            {
                return _authority = stamp.Written is null ? null : X509CertificateLoader.LoadCertificateFromFile(_path);
            }
            catch (CryptographicException)
            {
                return _authority = null;
            }
        }
    }

    /// <summary>Nothing but the authority is trusted, and nothing is fetched because a stranger's certificate says so.</summary>
    internal static X509ChainPolicy Policy(X509Certificate2? authority)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            DisableCertificateDownloads = true,
            VerificationTimeIgnored = false,
        };
        if (authority is not null)
            policy.CustomTrustStore.Add(authority);
        return policy;
    }
}
