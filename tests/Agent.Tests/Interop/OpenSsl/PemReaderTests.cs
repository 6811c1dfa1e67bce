using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using LoadHarness.Agent.Interop.OpenSsl;
using LoadHarness.Agent.Tests.Link;

namespace LoadHarness.Agent.Tests.Interop.OpenSsl;

public sealed class PemReaderTests
{
    private readonly TestAuthority _authority = new();

    [OneTimeTearDown]
    public void End() => _authority.Dispose();

    [TestCase("{0}{0}", 2, true)]
    [TestCase("subject: somebody\n{0}\r\n\r\nsome words\n{0}the end", 2, true)]
    [TestCase("{1}{0}", 1, true)]
    [TestCase("", 0, true)]
    [TestCase("rubbish", 0, true)]
    [TestCase("{0}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", 1, false)]
    [TestCase("{0}-----BEGIN CERTIFICATE-----\nAAAA", 1, false)]
    [TestCase("-----BEGIN CERTIFICATE-----\n????\n-----END CERTIFICATE-----\n{0}", 0, false)]
    [TestCase("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", 0, false)]
    public void NextCertificate_GivesThemInOrder_AndSaysWhetherOneIsBroken(string form, int count, bool whole)
    {
        using var key = ECDsa.Create();
        using var reader = Read(string.Format(System.Globalization.CultureInfo.InvariantCulture, form, _authority.Certificate + "\n", key.ExportPkcs8PrivateKeyPem() + "\n"));
        var found = 0;
        for (var certificate = reader.NextCertificate(); certificate.Exists; certificate = reader.NextCertificate(), found++)
            certificate.Free();

        Assert.That((found, reader.IsAtEnd), Is.EqualTo((count, whole)));
    }

    [Test]
    public void NextCertificate_DerInsteadOfPem_IsNone()
    {
        using var certificate = X509Certificate2.CreateFromPem(_authority.Certificate);
        using var reader = new PemReader(certificate.RawData);

        Assert.That((reader.NextCertificate().Exists, reader.IsAtEnd), Is.EqualTo((false, true)));
    }

    [Test]
    public void Key_OfEveryCommonForm_IsRead()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var rsa = RSA.Create(2048);

        Assert.That(new[] { ec.ExportPkcs8PrivateKeyPem(), ec.ExportECPrivateKeyPem(), rsa.ExportPkcs8PrivateKeyPem(), rsa.ExportRSAPrivateKeyPem(), _authority.Certificate + "\n" + ec.ExportECPrivateKeyPem() }
            .Select(HasKey), Is.All.True);
    }

    [Test]
    public void Key_EncryptedOrNone_IsNoneAndNobodyIsAsked()
    {
        using var ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var encrypted = ec.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));

        Assert.That(new[] { encrypted, ec.ExportSubjectPublicKeyInfoPem(), _authority.Certificate, "", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----" }
            .Select(HasKey), Is.All.False);
    }

    private static bool HasKey(string pem)
    {
        using var reader = Read(pem);
        var key = reader.Key();
        if (key != 0)
            PemReader.FreeKey(key);
        return key != 0;
    }

    private static PemReader Read(string pem) => new(Encoding.ASCII.GetBytes(pem));
}
