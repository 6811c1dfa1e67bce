using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.LocalFleet;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace LoadHarness.Coordinator.Tests.Security;

public sealed class ServerCertificatesTests
{
    private static readonly DateTimeOffset _now = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);

    private TemporaryDirectory _directory = null!;
    private FakeTimeProvider _time = null!;
    private ListLog _log = null!;

    private StateDirectory State => new(_directory.File("state"));

    private CertificateFiles Files => CertificateFiles.Of(State)!;

    [SetUp]
    public void SetUp()
    {
        (_directory, _time, _log) = (new(), new(_now), new());
        CertificateAuthority.Create(State, TimeSpan.FromDays(3650), _now);
        TestCertificates.IssueServer(State, _now, TimeSpan.FromDays(60));
    }

    [TearDown]
    public void TearDown()
    {
        _directory.Dispose();
        _log.Dispose();
    }

    [Test]
    public void Current_FilesReplaced_PresentsTheNewPair()
    {
        var certificates = Certificates();
        var before = Serial(certificates);
        Assert.That(Serial(certificates), Is.EqualTo(before));

        TestCertificates.IssueServer(State, _now, TimeSpan.FromDays(60));

        Assert.That(Serial(certificates), Is.Not.EqualTo(before));
        Assert.That(_log.Lines, Is.Empty);
    }

    [Test]
    public void Current_LinkedFilesReplaced_PresentsTheNewPair()
    {
        var (certificate, key) = (_directory.File("link.pem"), _directory.File("link.key"));
        File.CreateSymbolicLink(certificate, State.ServerCertificate);
        File.CreateSymbolicLink(key, State.ServerKey);
        var certificates = new ServerCertificates(new(certificate, key), _time, new LoggerFactory([_log]).CreateLogger<ServerCertificates>());
        var before = Serial(certificates);

        TestCertificates.IssueServer(State, _now, TimeSpan.FromDays(60));

        Assert.That(Serial(certificates), Is.Not.EqualTo(before));
    }

    [Test]
    public void Current_KeyOpenedToOthers_IsSaid()
    {
        var certificates = Certificates();
        _ = Serial(certificates);

        File.SetUnixFileMode(State.ServerKey, SafeFile.OwnerOnly | UnixFileMode.OtherRead);
        _ = Serial(certificates);

        Assert.That(_log.Lines, Has.Some.Contains("open to other users"));
    }

    [Test]
    public void Current_OneFileIsBehindTheOther_KeepsTheOldPairUntilBothFit()
    {
        var certificates = Certificates();
        var before = Serial(certificates);
        var oldCertificate = File.ReadAllText(State.ServerCertificate);
        TestCertificates.IssueServer(State, _now, TimeSpan.FromDays(60));
        var newCertificate = File.ReadAllText(State.ServerCertificate);

        File.WriteAllText(State.ServerCertificate, oldCertificate);
        Assert.That(Serial(certificates), Is.EqualTo(before));
        Assert.That(Serial(certificates), Is.EqualTo(before));
        Assert.That(_log.Lines, Has.Count.EqualTo(1).And.Some.Contains("is not the key of"), "it is said once");

        File.WriteAllText(State.ServerCertificate, newCertificate);
        Assert.That(Serial(certificates), Is.Not.EqualTo(before));
    }

    [TestCase("", "holds no certificate")]
    [TestCase("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read")]
    [TestCase(null, "cannot read certificate")]
    public void Current_CertificateBecomesUnusable_KeepsTheOldOneAndSaysWhy(string? content, string expected)
    {
        var certificates = Certificates();
        var before = Serial(certificates);

        if (content is null)
            File.Delete(State.ServerCertificate);
        else
            File.WriteAllText(State.ServerCertificate, content);

        Assert.That(Serial(certificates), Is.EqualTo(before));
        Assert.That(_log.Lines.Single(), Does.Contain(expected).And.Contain(State.ServerCertificate));
    }

    [Test]
    public void Current_ExpiredOnePutInItsPlace_KeepsTheOldOne()
    {
        var certificates = Certificates();
        var before = Serial(certificates);

        TestCertificates.IssueServer(State, _now.AddMinutes(-5), TimeSpan.FromMinutes(1));

        Assert.That(Serial(certificates), Is.EqualTo(before));
        Assert.That(_log.Lines.Single(), Does.Contain("expired at 2026-03-04 05:02:07Z"));
    }

    [Test]
    public void Current_EndIsNear_IsSaidOnceADayUntilItIsReplaced()
    {
        var certificates = Certificates();
        _time.Advance(TimeSpan.FromDays(50));
        for (var hour = 0; hour < 48; hour++)
        {
            Serial(certificates);
            _time.Advance(TimeSpan.FromHours(1));
        }

        Assert.That(_log.Lines, Has.Count.EqualTo(2).And.All.Contains("expires at 2026-05-03"));
        TestCertificates.IssueServer(State, _time.GetUtcNow(), TimeSpan.FromDays(60));
        _time.Advance(TimeSpan.FromDays(2));
        Serial(certificates);
        Assert.That(_log.Lines, Has.Count.EqualTo(2));
    }

    [Test]
    public void Start_Expired_IsRefusedInWords()
    {
        _time.Advance(TimeSpan.FromDays(61));

        Assert.That(Certificates, Throws.TypeOf<CredentialException>().With.Message.Contains("expired at 2026-05-03").And.Message
            .Contains("loadharness certs issue server"));
    }

    [Test]
    public void Start_NotYetValid_IsRefusedInWords()
    {
        TestCertificates.IssueServer(State, _now, TimeSpan.FromDays(60));
        _time = new(_now.AddDays(-1));

        Assert.That(Certificates, Throws.TypeOf<CredentialException>().With.Message.Contains("not valid before 2026-03-04"));
    }

    [Test]
    public void Start_KeyOpenToOthers_IsRefusedWithTheRemedy()
    {
        File.SetUnixFileMode(State.ServerKey, SafeFile.OwnerOnly | UnixFileMode.GroupRead);

        Assert.That(Certificates, Throws.TypeOf<CredentialException>().With.Message.Contains($"chmod 600 {State.ServerKey}"));
    }

    [Test]
    public void Start_AgentsCertificate_IsRefusedInWords()
    {
        using var authority = CertificateAuthority.Load(State);
        var issued = authority.IssueAgent("a", TimeSpan.FromDays(1), _now);
        SafeFile.Replace(State.ServerCertificate, "certificate", issued.Certificate, SafeFile.Public);
        SafeFile.Replace(State.ServerKey, "key file", issued.Key, SafeFile.OwnerOnly);

        Assert.That(Certificates, Throws.TypeOf<CredentialException>().With.Message.Contains("serverAuth"));
    }

    [Test]
    public void Start_ChainInTheFile_IsPresentedWithTheCertificate()
    {
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var middleKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var root = Authority("CN=root", rootKey).CreateSelfSigned(_now, _now.AddDays(9));
        using var middle = Authority("CN=middle", middleKey).Create(root, _now, _now.AddDays(9), [1]).CopyWithPrivateKey(middleKey);
        using var leaf = new CertificateRequest("CN=leaf", key, HashAlgorithmName.SHA256).Create(middle, _now, _now.AddDays(9), [2]);
        File.WriteAllText(State.ServerCertificate, leaf.ExportCertificatePem() + "\n" + middle.ExportCertificatePem());
        SafeFile.Replace(State.ServerKey, "key file", key.ExportPkcs8PrivateKeyPem(), SafeFile.OwnerOnly);

        Assert.That(Certificates().Current.IntermediateCertificates.Select(c => c.Subject), Is.EqualTo(new[] { "CN=middle" }));
    }

    private static CertificateRequest Authority(string subject, ECDsa key)
    {
        var request = new CertificateRequest(subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, critical: true));
        return request;
    }

    private ServerCertificates Certificates() => new(Files, _time, new LoggerFactory([_log]).CreateLogger<ServerCertificates>());

    private static string Serial(ServerCertificates certificates) => certificates.Current.TargetCertificate.SerialNumber;
}
