using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.LocalFleet;
using Microsoft.Extensions.Time.Testing;

namespace LoadHarness.Coordinator.Tests.Security;

/// <summary>What the authority issues, and which certificates of agents are believed.</summary>
public sealed class CertificateTests
{
    private static readonly DateTimeOffset _now = new(2026, 3, 4, 5, 6, 7, TimeSpan.Zero);
    private static readonly TimeSpan _day = TimeSpan.FromDays(1);

    private TemporaryDirectory _directory = null!;

    private StateDirectory State => new(_directory.File("state"));

    [SetUp]
    public void SetUp()
    {
        _directory = new();
        CertificateAuthority.Create(State, TimeSpan.FromDays(100), _now);
    }

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [Test]
    public void Create_Always_MakesAnAuthorityThatMayIssueOnly()
    {
        using var authority = X509CertificateLoader.LoadCertificateFromFile(State.CaCertificate);
        var constraints = authority.Extensions.OfType<X509BasicConstraintsExtension>().Single();
        Assert.Multiple(() =>
        {
            Assert.That(constraints is { CertificateAuthority: true, HasPathLengthConstraint: true, PathLengthConstraint: 0, Critical: true }, Is.True);
            Assert.That(authority.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages,
                Is.EqualTo(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign));
            Assert.That(authority.PublicKey.GetECDsaPublicKey()!.KeySize, Is.EqualTo(256));
            Assert.That(authority.NotAfter.ToUniversalTime(), Is.EqualTo(_now.UtcDateTime.AddDays(100)));
            Assert.That(File.GetUnixFileMode(State.CaCertificate), Is.EqualTo(SafeFile.Public));
            Assert.That(File.GetUnixFileMode(State.CaKey), Is.EqualTo(SafeFile.OwnerOnly));
        });
    }

    [Test]
    public void Create_ThereIsOne_IsRefusedAndLeftAsItIs()
    {
        var before = (File.ReadAllText(State.CaCertificate), File.ReadAllText(State.CaKey));
        Assert.That(() => CertificateAuthority.Create(State, _day, _now), Throws.TypeOf<CredentialException>().With.Message.Contains("already"));

        File.Delete(State.CaCertificate);
        Assert.That(() => CertificateAuthority.Create(State, _day, _now), Throws.TypeOf<CredentialException>(), "the key alone is worth as much");
        Assert.That(File.ReadAllText(State.CaKey), Is.EqualTo(before.Item2));
    }

    [Test]
    public void IssueServer_NamesAndAddresses_StandInTheCertificate()
    {
        using var authority = CertificateAuthority.Load(State);
        using var certificate = TestCertificates.Of(authority.IssueServer(["load.example.com", "10.0.0.1", "fd00::1"], _day, _now));
        using var root = X509CertificateLoader.LoadCertificateFromFile(State.CaCertificate);
        Assert.Multiple(() =>
        {
            Assert.That(CertificateNames.Hosts(certificate), Is.EquivalentTo(new[] { "load.example.com", "10.0.0.1", "fd00::1" }));
            Assert.That(CertificateNames.HasUsage(certificate, CertificateNames.ServerAuthentication), Is.True);
            Assert.That(CertificateNames.HasUsage(certificate, CertificateNames.ClientAuthentication), Is.False);
            Assert.That(certificate.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority, Is.False);
            Assert.That(certificate.Extensions.OfType<X509KeyUsageExtension>().Single().KeyUsages, Is.EqualTo(X509KeyUsageFlags.DigitalSignature));
            Assert.That(
                certificate.Extensions.OfType<X509AuthorityKeyIdentifierExtension>().Single().KeyIdentifier!.Value.ToArray(),
                Is.EqualTo(root.Extensions.OfType<X509SubjectKeyIdentifierExtension>().Single().SubjectKeyIdentifierBytes.ToArray()));
            Assert.That(certificate.NotBefore.ToUniversalTime(), Is.LessThanOrEqualTo(_now.UtcDateTime));
            Assert.That(certificate.NotAfter.ToUniversalTime(), Is.EqualTo(_now.UtcDateTime.AddDays(1)));
            Assert.That(certificate.MatchesHostname("load.example.com"), Is.True);
            Assert.That(certificate.MatchesHostname("10.0.0.1"), Is.True);
            Assert.That(certificate.MatchesHostname("10.0.0.2"), Is.False);
        });
    }

    [Test]
    public void Issue_LongerThanTheAuthority_EndsWithIt()
    {
        using var certificate = TestCertificates.Agent(State, "a", _now, TimeSpan.FromDays(1000));

        Assert.That(certificate.NotAfter.ToUniversalTime(), Is.EqualTo(_now.UtcDateTime.AddDays(100)));
    }

    [Test]
    public void Issue_ByAnExpiredAuthority_IsRefused()
    {
        using var authority = CertificateAuthority.Load(State);

        Assert.That(() => authority.IssueServer(["a"], _day, _now.AddDays(101)), Throws.TypeOf<CredentialException>().With.Message.Contains("expired"));
    }

    [Test]
    public void Issue_Twice_GivesOtherKeysAndSerials()
    {
        using var one = TestCertificates.Agent(State, "a", _now);
        using var other = TestCertificates.Agent(State, "a", _now);

        Assert.That(one.SerialNumber, Is.Not.EqualTo(other.SerialNumber));
        Assert.That(CertificateNames.KeyFingerprint(one), Is.Not.EqualTo(CertificateNames.KeyFingerprint(other)).And.Length.EqualTo(64));
    }

    [Test]
    public void Load_KeyOpenToOthers_IsRefusedWithTheRemedy()
    {
        File.SetUnixFileMode(State.CaKey, SafeFile.Public);

        Assert.That(() => CertificateAuthority.Load(State), Throws.TypeOf<CredentialException>().With.Message.Contains($"chmod 600 {State.CaKey}"));
    }

    [Test]
    public void Load_None_SaysHowToMakeOne() => Assert.That(
        () => CertificateAuthority.Load(new(_directory.File("nothing"))),
        Throws.TypeOf<CredentialException>().With.Message.Contains("loadharness certs init"));

    [TestCase("load-7")]
    [TestCase("name with ünicode/and:more")]
    public void Judge_OwnCertificate_NamesTheIdentity(string id)
    {
        using var certificate = TestCertificates.Agent(State, id, _now);

        Assert.That(Judge(certificate), Is.EqualTo((id, (string?)null)));
    }

    [Test]
    public void Judge_StrangersCertificate_NamesNobodyWithoutAWord()
    {
        var other = new StateDirectory(_directory.File("other"));
        CertificateAuthority.Create(other, _day, _now);
        using var strangers = TestCertificates.Agent(other, "a", _now);
        using var own = TestCertificates.SelfSigned(_now);

        Assert.That(Judge(strangers), Is.EqualTo(((string?)null, (string?)null)));
        Assert.That(Judge(own), Is.EqualTo(((string?)null, (string?)null)));
    }

    [Test]
    public void Judge_AuthorityOfTheSameName_IsNotBelieved()
    {
        using var root = X509CertificateLoader.LoadCertificateFromFile(State.CaCertificate);
        using var forged = Forge(root.Subject, CertificateNames.ClientAuthentication, "loadharness:agent:a");

        var (identity, problem) = Judge(forged);

        Assert.That(identity, Is.Null);
        Assert.That(problem, Does.Contain("is not accepted"));
    }

    [Test]
    public void Judge_ServersCertificate_IsNoAgents()
    {
        using var authority = CertificateAuthority.Load(State);
        using var server = TestCertificates.Of(authority.IssueServer(["a"], _day, _now));

        Assert.That(Judge(server).Problem, Does.Contain("clientAuth"));
    }

    [Test]
    public void Judge_ExpiredOrNotYetValid_SaysFromWhenToWhen()
    {
        using var certificate = TestCertificates.Agent(State, "a", _now);

        Assert.That(Judge(certificate, _now.AddDays(2)).Problem, Does.Contain("valid from"));
        Assert.That(Judge(certificate, _now.AddDays(-2)).Problem, Does.Contain("valid from"));
    }

    [TestCase("loadharness:agent:a", "loadharness:agent:b", null, TestName = "two identities")]
    [TestCase("loadharness:agent:", null, null, TestName = "an empty identity")]
    [TestCase("https://example.com/", null, null, TestName = "another URI")]
    [TestCase("https://example.com/", "loadharness:agent:a", "a", TestName = "one of ours beside another URI")]
    public void AgentIdentity_Uris_NamesExactlyOneOrNone(string uri, string? second, string? expected)
    {
        using var certificate = Forge("CN=x", CertificateNames.ClientAuthentication, uri, second);

        Assert.That(CertificateNames.AgentIdentity(certificate), Is.EqualTo(expected));
    }

    [Test]
    public void AgentIdentity_MalformedExtension_NamesNobody()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=x", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension("2.5.29.17", [0x30, 0x7f, 0x86, 0x01], critical: false));
        using var certificate = request.CreateSelfSigned(_now, _now.AddDays(1));

        Assert.That(CertificateNames.AgentIdentity(certificate), Is.Null);
    }

    private (string? Identity, string? Problem) Judge(X509Certificate2 certificate, DateTimeOffset? now = null) =>
        new AgentCertificates(State.CaCertificate, new FakeTimeProvider(now ?? _now)).Judge(certificate);

    /// <summary>Issued by nobody that has the authority's key.</summary>
    private static X509Certificate2 Forge(string issuer, string usage, params string?[] uris)
    {
        using var issuerKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=forged", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], critical: false));
        var names = new SubjectAlternativeNameBuilder();
        foreach (var uri in uris.OfType<string>())
            names.AddUri(new Uri(uri));
        request.CertificateExtensions.Add(names.Build());
        return request.Create(
            new X500DistinguishedName(issuer), X509SignatureGenerator.CreateForECDsa(issuerKey), _now.AddDays(-1), _now.AddDays(1), [1, 2, 3]);
    }
}
