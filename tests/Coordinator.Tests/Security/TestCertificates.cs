using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadHarness.Coordinator.Security;

namespace LoadHarness.Coordinator.Tests.Security;

/// <summary>Keys and certificates as agents, and impostors, have them.</summary>
internal static class TestCertificates
{
    /// <summary>What an agent makes for itself.</summary>
    public static X509Certificate2 SelfSigned(DateTimeOffset now, string subject = "CN=agent")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return new CertificateRequest(subject, key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddYears(10));
    }

    /// <summary>A certificate with its key, of an issued pair.</summary>
    public static X509Certificate2 Of(IssuedCertificate issued) => X509Certificate2.CreateFromPem(issued.Certificate, issued.Key);

    /// <summary>What the authority of a state folder issues to an agent.</summary>
    public static X509Certificate2 Agent(StateDirectory state, string id, DateTimeOffset now, TimeSpan? validity = null)
    {
        using var authority = CertificateAuthority.Load(state);
        return Of(authority.IssueAgent(id, validity ?? TimeSpan.FromDays(1), now));
    }

    /// <summary>Writes a listener's pair into a state folder, as `certs issue server` does.</summary>
    public static void IssueServer(StateDirectory state, DateTimeOffset now, TimeSpan? validity = null)
    {
        using var authority = CertificateAuthority.Load(state);
        var issued = authority.IssueServer(["127.0.0.1", "localhost"], validity ?? TimeSpan.FromDays(60), now);
        SafeFile.PrepareDirectory(Path.GetDirectoryName(state.ServerKey)!);
        SafeFile.Replace(state.ServerKey, "key file", issued.Key, SafeFile.OwnerOnly);
        SafeFile.Replace(state.ServerCertificate, "certificate", issued.Certificate, SafeFile.Public);
    }
}
