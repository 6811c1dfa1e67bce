using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.LocalFleet;
using Microsoft.Extensions.Logging;

namespace LoadHarness.Coordinator.Tests.Security;

public sealed class TokenFileTests
{
    private const string Hash = "18fa2ca699fd3ebc45e27eeba4cd5e106ff5e31043c5eb8b9f2cbef02445d286";

    private TemporaryDirectory _directory = null!;
    private ListLog _log = null!;

    private string Path => _directory.File("tokens.json");

    private TokenFile File1 => new(Path);

    [SetUp]
    public void SetUp() => (_directory, _log) = (new(), new());

    [TearDown]
    public void TearDown()
    {
        _directory.Dispose();
        _log.Dispose();
    }

    [Test]
    public void Change_ThenRead_GivesTheSameTokensInAClosedFile()
    {
        var token = Make("alice", TokenRole.Operator) with { Expires = DateTimeOffset.UnixEpoch.AddDays(9).AddTicks(7) };
        var join = Make("lab", TokenRole.Agent);
        join = join with { Labels = join.Labels.Add("zone", "a") };

        File1.Change(_ => [token, join]);

        var read = File1.Read();
        Assert.Multiple(() =>
        {
            Assert.That(read[0], Is.EqualTo(token with { Labels = read[0].Labels }));
            Assert.That(read[1].Labels, Is.EqualTo(join.Labels));
            Assert.That(File.GetUnixFileMode(Path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            Assert.That(Directory.GetFiles(_directory.Path), Is.EquivalentTo(new[] { Path, Path + ".lock" }));
        });
    }

    [Test]
    public void Change_ManyAtOnce_LosesNone()
    {
        Parallel.For(0, 20, i => new TokenFile(Path).Change(tokens => tokens.Add(Make($"t{i}", TokenRole.Viewer))));

        Assert.That(File1.Read(), Has.Length.EqualTo(20));
    }

    [Test]
    public void Change_ThatThrows_LeavesTheFileAsItWas()
    {
        File1.Change(_ => [Make("alice", TokenRole.Viewer)]);

        Assert.That(() => File1.Change(_ => throw new CredentialException("no")), Throws.TypeOf<CredentialException>());
        Assert.That(File1.Read().Single().Name, Is.EqualTo("alice"));
    }

    private static readonly string[] _hostile =
    [
        "",
        "null",
        "[]",
        "{}",
        "{\"tokens\":null}",
        "{\"version\":1,\"tokens\":[null]}",
        "{\"version\":1,\"tokens\":[{}]}",
        "{\"tokens\":[",
        "\0\0\0",
        Json("\"name\":\"a\"", "\"role\":\"root\"", "\"sha256\":\"" + Hash + "\""),
        Json("\"name\":\"a\"", "\"role\":0", "\"sha256\":\"" + Hash + "\""),
        Json("\"name\":\"a\"", "\"role\":\"viewer\"", "\"sha256\":\"\""),
        Json("\"name\":\"a\"", "\"role\":\"viewer\"", "\"sha256\":null"),
        Json("\"name\":\"a\"", "\"role\":\"viewer\"", "\"sha256\":\"" + Hash[..^1] + "g\""),
        Json("\"name\":\"a\"", "\"role\":\"viewer\"", "\"sha256\":\"" + Hash.ToUpperInvariant() + "\""),
        Json("\"name\":null", "\"role\":\"viewer\"", "\"sha256\":\"" + Hash + "\""),
        Json("\"name\":\"a\\u001b[2J\"", "\"role\":\"viewer\"", "\"sha256\":\"" + Hash + "\""),
        Json("\"name\":\"a\"", "\"role\":\"viewer\"", "\"sha256\":\"" + Hash + "\"", "\"labels\":{\"k\":null}"),
        Json("\"name\":\"a\"", "\"role\":\"viewer\"", "\"sha256\":\"" + Hash + "\"", "\"admin\":true"),
        Json("\"name\":\"a\"", "\"role\":\"viewer\"", "\"sha256\":\"" + Hash + "\"", "\"expires\":\"soon\""),
        Twice(),
        string.Concat(Enumerable.Repeat("{\"tokens\":[", 10_000)),
    ];

    [TestCaseSource(nameof(_hostile))]
    public void Read_HostileContent_IsRefusedInWordsAndLeftAsItIs(string content)
    {
        Write(content);

        Assert.That(() => File1.Read(), Throws.TypeOf<CredentialException>().With.Message.Contains(Path).And.Message.Contains("left as it is"));
        Assert.That(File.ReadAllText(Path), Is.EqualTo(content));
    }

    [TestCase(UnixFileMode.GroupRead)]
    [TestCase(UnixFileMode.OtherRead)]
    [TestCase(UnixFileMode.GroupWrite)]
    public void Read_OpenToOthers_IsRefusedWithTheRemedy(UnixFileMode mode)
    {
        File1.Change(_ => [Make("alice", TokenRole.Viewer)]);
        File.SetUnixFileMode(Path, SafeFile.OwnerOnly | mode);

        Assert.That(() => File1.Read(), Throws.TypeOf<CredentialException>().With.Message.Contains($"chmod 600 {Path}"));
    }

    [Test]
    public void Read_ADirectoryInItsPlace_IsRefusedInWords()
    {
        Directory.CreateDirectory(Path, SafeFile.OwnerOnlyDirectory);

        Assert.That(() => File1.Read(), Throws.TypeOf<CredentialException>().With.Message.Contains("is a directory"));
    }

    [Test]
    public async Task Read_ANamedPipeInItsPlace_IsRefusedInWordsAndNotWaitedFor()
    {
        using (var made = System.Diagnostics.Process.Start("mkfifo", ["-m", "600", Path]))
            await made.WaitForExitAsync();

        var reading = Task.Run(() => File1.Read());

        Assert.That(await Task.WhenAny(reading, Task.Delay(TimeSpan.FromSeconds(60))), Is.SameAs(reading), "it waits for a writer");
        Assert.That(async () => await reading, Throws.TypeOf<CredentialException>().With.Message.Contains($"{Path}: it is no regular file"));
    }

    [Test]
    public void Find_Secret_FindsItsTokenOnly()
    {
        File1.Change(_ => [Make("alice", TokenRole.Operator, "secret-a"), Make("bob", TokenRole.Viewer, "secret-b")]);
        var store = Store();

        Assert.Multiple(() =>
        {
            Assert.That(store.Find("secret-a")?.Name, Is.EqualTo("alice"));
            Assert.That(store.Find("secret-b")?.Name, Is.EqualTo("bob"));
            Assert.That(store.Find("secret-c"), Is.Null);
            Assert.That(store.Find(""), Is.Null);
            Assert.That(store.Find(Token.HashOf("secret-a")), Is.Null, "the hash is no secret");
            Assert.That(store.Find(new string('x', 100_000)), Is.Null);
        });
    }

    [Test]
    public void Find_FileChanged_HearsOfItAtOnce()
    {
        var store = Store();
        Assert.That(store.Find("secret"), Is.Null, "there is no file yet");

        File1.Change(_ => [Make("alice", TokenRole.Operator, "secret")]);
        Assert.That(store.Find("secret")?.Name, Is.EqualTo("alice"));

        File1.Change(_ => []);
        Assert.That(store.Find("secret"), Is.Null);
    }

    [Test]
    public void Find_FileBecameUnusable_LetsNobodyInUntilItIsMended()
    {
        File1.Change(_ => [Make("alice", TokenRole.Operator, "secret")]);
        var store = Store();
        var good = File.ReadAllText(Path);

        Write("{");
        Assert.That(() => store.Find("secret"), Throws.TypeOf<CredentialException>());
        Assert.That(() => store.Find("secret"), Throws.TypeOf<CredentialException>());
        Assert.That(_log.Lines, Has.Count.EqualTo(1), "it is said once");

        Write(good);
        Assert.That(store.Find("secret")?.Name, Is.EqualTo("alice"));
    }

    [TestCase("alice", true)]
    [TestCase("lab-2.b_c@d", true)]
    [TestCase("", false)]
    [TestCase(".", false)]
    [TestCase("..", false)]
    [TestCase("-x", false)]
    [TestCase("a/b", false)]
    [TestCase("a b", false)]
    [TestCase("ä", false)]
    public void IsName_Text_TakesOnlyWhatIsSafeInAFileName(string text, bool expected) => Assert.That(Token.IsName(text), Is.EqualTo(expected));

    private static Token Make(string name, TokenRole role, string secret = "x") =>
        new() { Name = name, Role = role, Sha256 = Token.HashOf(secret), Created = DateTimeOffset.UnixEpoch };

    private static string Json(params string[] members) =>
        "{\"version\":1,\"tokens\":[{\"created\":\"2026-01-01T00:00:00Z\"," + string.Join(',', members) + "}]}";

    private static string Twice()
    {
        var one = "{\"created\":\"2026-01-01T00:00:00Z\",\"name\":\"a\",\"role\":\"viewer\",\"sha256\":\"" + Hash + "\"}";
        return "{\"version\":1,\"tokens\":[" + one + "," + one + "]}";
    }

    private TokenStore Store() => new(File1, new LoggerFactory([_log]).CreateLogger<TokenStore>());

    private void Write(string content)
    {
        File.WriteAllText(Path, content);
        File.SetUnixFileMode(Path, SafeFile.OwnerOnly);
    }
}
