using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.Agent.Tests.Link;

/// <summary>A CA of this test, and what it issues.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly X509Certificate2 _root;

    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test CA", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
    }

    /// <summary>PEM.</summary>
    public string Certificate => _root.ExportCertificatePem();

    /// <summary>For a host, a name or an address; expired when <paramref name="endsInDays"/> is negative.</summary>
    public X509Certificate2 IssueServer(string host, int endsInDays = 10)
    {
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(host, out var address))
            names.AddIpAddress(address);
        else
            names.AddDnsName(host);
        return Issue($"CN={host}", "1.3.6.1.5.5.7.3.1", names, endsInDays);
    }

    /// <summary>For an agent's identity.</summary>
    public X509Certificate2 IssueAgent(string identity)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("passed.over");
        names.AddUri(new Uri($"loadharness:agent:{identity}"));
        return Issue("CN=agent", "1.3.6.1.5.5.7.3.2", names, endsInDays: 10);
    }

    public void Dispose() => _root.Dispose();

    private X509Certificate2 Issue(string subject, string usage, SubjectAlternativeNameBuilder names, int endsInDays)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        request.CertificateExtensions.Add(names.Build());
        var end = DateTimeOffset.UtcNow.AddDays(endsInDays);
        using var issued = request.Create(_root, end.AddDays(-15), end, RandomNumberGenerator.GetBytes(8));
        return issued.CopyWithPrivateKey(key);
    }
}
