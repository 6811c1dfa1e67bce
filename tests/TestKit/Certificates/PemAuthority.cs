using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace LoadHarness.TestKit.Certificates;

/// <summary>A certificate authority for one test, whose certificates lie in files of a directory of its own.</summary>
public sealed class PemAuthority : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("loadharness-ca-").FullName;
    private readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 _certificate;

    /// <summary>Makes one.</summary>
    /// <param name="name">Its subject.</param>
    public PemAuthority(string name = "test authority")
    {
        var request = new CertificateRequest($"CN={name}", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(1));
        File.WriteAllText(Path, _certificate.ExportCertificatePem());
    }

    /// <summary>Its own certificate, in a file.</summary>
    public string Path => System.IO.Path.Combine(_directory, "ca.pem");

    /// <summary>Issues a certificate for servers and clients.</summary>
    /// <param name="name">A host name, or an address.</param>
    /// <param name="validDays">From now on; below 0 it has expired as long ago.</param>
    public PemCertificate Issue(string name, int validDays = 100)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        if (IPAddress.TryParse(name, out var address))
            names.AddIpAddress(address);
        else
            names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        var number = new byte[8];
        RandomNumberGenerator.Fill(number);
        var now = DateTimeOffset.UtcNow;
        using var certificate = request.Create(_certificate, now.AddDays(-200), now.AddDays(validDays), number);
        var issued = new PemCertificate(System.IO.Path.Combine(_directory, Convert.ToHexString(number)));
        File.WriteAllText(issued.Path, certificate.ExportCertificatePem());
        File.WriteAllText(issued.KeyPath, key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(issued.BothPath, $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        return issued;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Directory.Delete(_directory, recursive: true);
        _certificate.Dispose();
        _key.Dispose();
    }
}

/// <summary>A certificate and its key, in files.</summary>
/// <param name="Name">The path that their names begin with.</param>
public sealed record PemCertificate(string Name)
{
    /// <summary>The certificate.</summary>
    public string Path => $"{Name}.pem";

    /// <summary>Its key.</summary>
    public string KeyPath => $"{Name}.key";

    /// <summary>Both in one file, as HAProxy reads them.</summary>
    public string BothPath => $"{Name}.both";
}
