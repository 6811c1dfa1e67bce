using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadHarness.Agent.Identity;
using LoadHarness.Agent.Tests.Link;

namespace LoadHarness.Agent.Tests.Identity;

public sealed class AgentCertificateTests
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private DirectoryInfo _directory = null!;

    private string KeyPath => Path.Combine(_directory.FullName, "agent.key");

    private string CertificatePath => Path.Combine(_directory.FullName, "agent.pem");

    [SetUp]
    public void SetUp() => _directory = Directory.CreateTempSubdirectory("lh-key-");

    [TearDown]
    public void TearDown() => _directory.Delete(recursive: true);

    [Test]
    public void OfKey_NoKeyYet_MakesOneThatStays()
    {
        using var first = AgentCertificate.OfKey(KeyPath);
        using var second = AgentCertificate.OfKey(KeyPath);

        Assert.That(File.GetUnixFileMode(KeyPath), Is.EqualTo(Private));
        Assert.That(first.PublicKey.ExportSubjectPublicKeyInfo(), Is.EqualTo(second.PublicKey.ExportSubjectPublicKeyInfo()));
        Assert.That((first.HasPrivateKey, first.GetECDsaPublicKey()!.KeySize), Is.EqualTo((true, 256)));
        Assert.That((first.NotBefore < DateTime.Now, first.NotAfter > DateTime.Now.AddYears(9)), Is.EqualTo((true, true)));
        Assert.That(AgentCertificate.IdentityOf(first), Is.Null);
    }

    [Test]
    public void OfKey_OpenToOthers_IsRefusedAndKept()
    {
        AgentCertificate.OfKey(KeyPath).Dispose();
        File.SetUnixFileMode(KeyPath, Private | UnixFileMode.GroupRead);
        var before = File.ReadAllText(KeyPath);

        Assert.That(() => AgentCertificate.OfKey(KeyPath), Throws.InstanceOf<IdentityException>().With.Message.Contains($"chmod 600 {KeyPath}"));
        Assert.That(File.ReadAllText(KeyPath), Is.EqualTo(before));
    }

    [TestCase("")]
    [TestCase("junk")]
    [TestCase("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    public void OfKey_NoKey_IsRefusedAndKept(string text)
    {
        Write(KeyPath, text);

        Assert.That(() => AgentCertificate.OfKey(KeyPath), Throws.InstanceOf<IdentityException>().With.Message.Contains("is no private key"));
        Assert.That(File.ReadAllText(KeyPath), Is.EqualTo(text));
    }

    [Test]
    public void OfFiles_IssuedToAnIdentity_NamesIt()
    {
        using var authority = new TestAuthority();
        using var issued = authority.IssueAgent("load%207");
        Write(CertificatePath, issued.ExportCertificatePem());
        Write(KeyPath, issued.GetECDsaPrivateKey()!.ExportPkcs8PrivateKeyPem());

        using var certificate = AgentCertificate.OfFiles(CertificatePath, KeyPath);

        Assert.That((certificate.HasPrivateKey, AgentCertificate.IdentityOf(certificate)), Is.EqualTo((true, "load 7")));
    }

    [Test]
    public void OfFiles_KeyOfAnother_IsRefused()
    {
        using var authority = new TestAuthority();
        using var issued = authority.IssueAgent("load-7");
        Write(CertificatePath, issued.ExportCertificatePem());
        using var another = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Write(KeyPath, another.ExportPkcs8PrivateKeyPem());

        Assert.That(() => AgentCertificate.OfFiles(CertificatePath, KeyPath),
            Throws.InstanceOf<IdentityException>().With.Message.Contains("no certificate with its key"));
    }

    [Test]
    public void OfFiles_OneIsMissing_SaysWhich()
    {
        Assert.That(() => AgentCertificate.OfFiles(CertificatePath, KeyPath), Throws.InstanceOf<IdentityException>().With.Message.Contains("key file"));
        Write(KeyPath, "x");
        Assert.That(() => AgentCertificate.OfFiles(CertificatePath, KeyPath),
            Throws.InstanceOf<IdentityException>().With.Message.EqualTo($"certificate file {CertificatePath} is missing"));
    }

    private static void Write(string path, string text)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, Private);
    }
}
