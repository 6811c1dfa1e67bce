using System.Diagnostics;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Store;
using LoadHarness.Coordinator.Tests.LocalFleet;
using LoadHarness.Coordinator.Tests.Store;

namespace LoadHarness.Coordinator.Tests.Security;

/// <summary>Where a file of a state folder should lie lies something else: it is refused in words, soon, and left as it is.</summary>
public sealed class StrangeFilesTests
{
    private const uint Stranger = 12345;

    private static readonly Dictionary<string, Action<StateDirectory>> _uses = new()
    {
        ["lock"] = state => state.Lock().Dispose(),
        ["credential"] = state => CredentialFile.Keep(state.Credential),
        ["tokens.json"] = state => new TokenFile(state.Tokens).Read(),
        ["tokens.json.lock"] = state => new TokenFile(state.Tokens).Change(tokens => tokens),
        ["store.db"] = state => StoreFixture.Open(state.Store).Dispose(),
    };

    private static readonly Dictionary<string, Action<string>> _things = new()
    {
        ["a named pipe"] = path => Run("mkfifo", "-m", "600", path),
        ["a directory"] = path => Directory.CreateDirectory(path, SafeFile.OwnerOnlyDirectory),
        ["a device"] = path => File.CreateSymbolicLink(path, "/dev/full"),
    };

    private TemporaryDirectory _directory = null!;
    private StateDirectory _state = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = new TemporaryDirectory();
        _state = new StateDirectory(_directory.Path);
    }

    [TearDown]
    public void TearDown() => _directory.Dispose();

    private static IEnumerable<string[]> Cases() => _uses.Keys.SelectMany(_ => _things.Keys, (name, thing) => new[] { name, thing });

    [TestCaseSource(nameof(Cases))]
    public async Task Use_SomethingElseInItsPlace_IsRefusedInWordsAndNotWaitedFor(string name, string thing)
    {
        var path = _directory.File(name);
        _things[thing](path);

        var using_ = Task.Run(() => _uses[name](_state));

        Assert.That(await Task.WhenAny(using_, Task.Delay(TimeSpan.FromSeconds(60))), Is.SameAs(using_), "it waits for a peer");
        Assert.That(async () => await using_, Throws.InstanceOf<CredentialException>().Or.InstanceOf<StoreException>());
        var said = using_.Exception!.InnerException!.Message;
        Assert.That(said, Does.Contain(path));
        await TestContext.Out.WriteLineAsync(said);
        Assert.That(File.Exists(path) || Directory.Exists(path), "it is still there");
        Assert.That(Directory.GetFileSystemEntries(_directory.Path), Has.None.EndsWith(".new"));
    }

    [Test]
    public async Task Lock_HeldAndAPipeInsteadOfTheOwner_IsRefusedAndNotWaitedFor()
    {
        using var held = _state.Lock();
        File.Delete(_directory.File("owner"));
        _things["a named pipe"](_directory.File("owner"));

        var locking = Task.Run(() => _state.Lock());

        Assert.That(await Task.WhenAny(locking, Task.Delay(TimeSpan.FromSeconds(60))), Is.SameAs(locking), "it waits for a writer");
        Assert.That(async () => await locking, Throws.TypeOf<CredentialException>().With.Message.Contains("in use by another coordinator;"));
    }

    [TestCase("")]
    [TestCase("credential")]
    [TestCase("tokens.json")]
    public void Use_OfAnotherUser_IsRefusedNamingBoth(string name)
    {
        // Root can give a file away; anybody else finds foreign ones ready made.
        var (path, owner) = (System.IO.Path.Combine(_directory.Path, name), 0u);
        if (Environment.UserName == "root")
        {
            owner = Stranger;
            if (name.Length > 0)
                SafeFile.Create(path, "file", "?", SafeFile.OwnerOnly);
            Run("chown", "12345", path);
        }
        else if (name.Length > 0)
        {
            File.CreateSymbolicLink(path, "/etc/passwd");
        }
        else
        {
            _state = new("/");
        }

        Action use = name switch
        {
            "" => () => _state.Lock(),
            "credential" => () => CredentialFile.Keep(_state.Credential),
            _ => () => new TokenFile(_state.Tokens).Change(tokens => tokens),
        };

        Assert.That(use, Throws.TypeOf<CredentialException>().With.Message
            .Contains($"belongs to user {owner}, and this is user {PeerCredentials.OwnUserId()}: run it as that user"));
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, program);
    }
}
