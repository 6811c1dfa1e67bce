using LoadHarness.Agent.Cli;
using LoadHarness.Agent.Identity;

namespace LoadHarness.Agent.Tests.Cli;

public sealed class JoinIdentityTests
{
    private readonly Dictionary<string, string> _environment = [];
    private DirectoryInfo _directory = null!;

    private string TokenPath => Path.Combine(_directory.FullName, "token");

    [SetUp]
    public void SetUp()
    {
        _environment.Clear();
        _directory = Directory.CreateTempSubdirectory("lh-join-");
    }

    [TearDown]
    public void TearDown() => _directory.Delete(recursive: true);

    [Test]
    public void Remote_NobodyNamesIt_TakesTheHostsNameAndKeepsIt()
    {
        using (var identity = Remote())
            Assert.That(identity.AgentId, Is.EqualTo(Environment.MachineName));
        using (var renamed = Remote("load-7"))
            Assert.That(renamed.AgentId, Is.EqualTo("load-7"));
        using var later = Remote();
        Assert.That(later.AgentId, Is.EqualTo("load-7"));
    }

    [Test]
    public void Remote_TokenInAFile_IsSentUntilEnrolled()
    {
        WriteToken("file-token");
        _environment["LOADHARNESS_JOIN_TOKEN"] = "passed-over";
        using (var identity = Remote(tokenFile: TokenPath))
        {
            Assert.That(Sent(identity), Is.EqualTo("Bearer file-token"));
            identity.Credential.Welcomed();
            Assert.That(Sent(identity), Is.Null);
        }

        using var later = Remote(tokenFile: TokenPath);
        Assert.That(Sent(later), Is.Null);
        Assert.That((later.Credential.OfferToken(), Sent(later), later.Credential.OfferToken()), Is.EqualTo((true, "Bearer file-token", false)));
    }

    [Test]
    public void Remote_AnotherIdentityThanWasEnrolled_SendsTheToken()
    {
        _environment["LOADHARNESS_JOIN_TOKEN"] = "token";
        using (var identity = Remote("a"))
            identity.Credential.Welcomed();

        using var another = Remote("b");

        Assert.That(Sent(another), Is.EqualTo("Bearer token"));
    }

    [TestCase("LOADHARNESS_JOIN_TOKEN", " from-environment\n", ExpectedResult = "Bearer from-environment")]
    [TestCase("LOADHARNESS_JOIN_TOKEN", "", ExpectedResult = null)]
    [TestCase("OTHER", "x", ExpectedResult = null)]
    public string? Remote_TokenInTheEnvironment_IsSent(string name, string value)
    {
        _environment[name] = value;
        using var identity = Remote();
        return Sent(identity);
    }

    [Test]
    public void Remote_TokenFileInTheEnvironment_IsRead()
    {
        WriteToken("named");
        _environment["LOADHARNESS_JOIN_TOKEN_FILE"] = TokenPath;

        using var identity = Remote();

        Assert.That(Sent(identity), Is.EqualTo("Bearer named"));
    }

    [Test]
    public void Remote_TokenFileOpenToOthers_IsRefusedAndTheFolderFree()
    {
        WriteToken("secret");
        File.SetUnixFileMode(TokenPath, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        Assert.That(() => Remote(tokenFile: TokenPath),
            Throws.InstanceOf<SecretFileException>().With.Message.Contains($"chmod 600 {TokenPath}").And.Message.Not.Contains("secret"));
        Assert.That(() => Remote().Dispose(), Throws.Nothing);
    }

    [Test]
    public void Remote_TokenFileIsGone_MattersOnlyUntilEnrolled()
    {
        Assert.That(() => Remote(tokenFile: TokenPath), Throws.InstanceOf<SecretFileException>().With.Message.Contains("is missing"));
        WriteToken("token");
        using (var identity = Remote(tokenFile: TokenPath))
            identity.Credential.Welcomed();
        File.Delete(TokenPath);

        using var later = Remote(tokenFile: TokenPath);
        Assert.That((Sent(later), later.Credential.OfferToken()), Is.EqualTo(((string?)null, false)));
    }

    [TestCase("two words")]
    [TestCase("")]
    public void Remote_NoToken_IsRefused(string text)
    {
        WriteToken(text);

        Assert.That(() => Remote(tokenFile: TokenPath), Throws.InstanceOf<SecretFileException>().With.Message.Contains("one line"));
    }

    private JoinIdentity Remote(string? id = null, string? tokenFile = null) => JoinIdentity.Remote(
        id, new JoinFiles(null, tokenFile, Path.Combine(_directory.FullName, "state"), null, null), _environment.GetValueOrDefault);

    private static string? Sent(JoinIdentity identity) => identity.Credential.Headers().GetValue("authorization");

    private void WriteToken(string text)
    {
        File.WriteAllText(TokenPath, text + "\n");
        File.SetUnixFileMode(TokenPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
