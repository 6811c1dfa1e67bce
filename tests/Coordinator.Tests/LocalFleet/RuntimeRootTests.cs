using System.Net.Sockets;
using LoadHarness.Coordinator.LocalFleet;

namespace LoadHarness.Coordinator.Tests.LocalFleet;

public class RuntimeRootTests
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private TemporaryDirectory _temporary = null!;
    private RuntimeRoot _root = null!;

    [SetUp]
    public void SetUp()
    {
        _temporary = new TemporaryDirectory();
        _root = new RuntimeRoot(_temporary.File("root"));
    }

    [TearDown]
    public void TearDown() => _temporary.Dispose();

    [TestCase(null, "/tmp/loadharness-1000")]
    [TestCase("", "/tmp/loadharness-1000")]
    [TestCase("/no/such/directory", "/tmp/loadharness-1000")]
    [TestCase("/usr", "/usr/loadharness-1000")]
    public void Under_RuntimeDirectory_FallsBackToTmp(string? directory, string expected) =>
        Assert.That(RuntimeRoot.Under(directory, 1000).Path, Is.EqualTo(expected));

    [Test]
    public void Ensure_OpenToOthers_IsClosed()
    {
        Directory.CreateDirectory(_root.Path, OwnerOnly | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        _root.Ensure();
        Assert.That(File.GetUnixFileMode(_root.Path), Is.EqualTo(OwnerOnly));
    }

    [Test]
    public void Ensure_SymbolicLink_IsRefused()
    {
        Directory.CreateSymbolicLink(_root.Path, "/tmp");
        Assert.That(_root.Ensure, Throws.TypeOf<LocalFleetException>().With.Message.Contains("symbolic link"));
    }

    [Test]
    public void Ensure_OwnedBySomebodyElse_IsRefused()
    {
        // Root can give a directory away; anybody else finds a foreign one ready made.
        if (Environment.UserName == "root")
        {
            Assert.That(Run("chown", "12345", Directory.CreateDirectory(_root.Path).FullName), Is.Zero);
            Assert.That(_root.Ensure, Throws.TypeOf<LocalFleetException>().With.Message.Contains("belongs to user 12345"));
        }
        else
        {
            Assert.That(new RuntimeRoot("/usr").FindLive, Throws.TypeOf<LocalFleetException>().With.Message.Contains("belongs to user 0"));
        }
    }

    [Test]
    public void Create_Twice_GivesTwoClosedDirectories()
    {
        var now = DateTimeOffset.UtcNow;
        using var first = RunDirectory.Create(_root, now);
        using var second = RunDirectory.Create(_root, now);
        Assert.That(second.Paths.Directory, Is.Not.EqualTo(first.Paths.Directory));
        Assert.That(File.GetUnixFileMode(first.Paths.Directory), Is.EqualTo(OwnerOnly));
    }

    [Test]
    public void Create_PathTooLongForSocket_NamesTheVariable()
    {
        var root = new RuntimeRoot(_temporary.File(new string('x', 100)));
        Assert.That(() => RunDirectory.Create(root, DateTimeOffset.UtcNow),
            Throws.TypeOf<LocalFleetException>().With.Message.Contains("XDG_RUNTIME_DIR"));
    }

    [Test]
    public void Dispose_Owner_DeletesTheDirectory()
    {
        var directory = RunDirectory.Create(_root, DateTimeOffset.UtcNow);
        File.WriteAllText(directory.Paths.LogOf("agent-1"), "x");
        directory.Dispose();
        Assert.That(Directory.Exists(directory.Paths.Directory), Is.False);
    }

    [Test]
    public void FindLive_OnlyOneListens_FindsThatOne()
    {
        using var quiet = RunDirectory.Create(_root, DateTimeOffset.UtcNow);
        using var serving = RunDirectory.Create(_root, DateTimeOffset.UtcNow);
        using var listener = Listen(serving.Paths.Socket);
        Assert.That(_root.FindLive(), Is.EqualTo(new[] { serving.Paths }));
    }

    [Test]
    public void FindLive_NoRoot_IsEmpty() => Assert.That(_root.FindLive(), Is.Empty);

    [Test]
    public void RemoveStale_OwnerLives_Stays()
    {
        using var living = RunDirectory.Create(_root, DateTimeOffset.UtcNow);
        Assert.That(_root.RemoveStale(DateTimeOffset.UtcNow.AddDays(1)), Is.Empty);
        Assert.That(File.Exists(living.Paths.Lock), Is.True);
    }

    [Test]
    public void RemoveStale_OwnerDied_Goes()
    {
        var paths = Abandoned("run-1");
        File.WriteAllText(paths.Lock, "");
        Assert.That(_root.RemoveStale(DateTimeOffset.UtcNow), Is.EqualTo(new[] { paths.Directory }));
        Assert.That(Directory.Exists(paths.Directory), Is.False);
    }

    [Test]
    public void RemoveStale_SomebodyListens_Stays()
    {
        var paths = Abandoned("run-1");
        File.WriteAllText(paths.Lock, "");
        using var listener = Listen(paths.Socket);
        Assert.That(_root.RemoveStale(DateTimeOffset.UtcNow.AddDays(1)), Is.Empty);
    }

    [Test]
    public void RemoveStale_BeingMade_StaysForAMinute()
    {
        var paths = Abandoned("run-1");
        Assert.That(_root.RemoveStale(DateTimeOffset.UtcNow), Is.Empty);
        Assert.That(_root.RemoveStale(DateTimeOffset.UtcNow.AddMinutes(2)), Is.EqualTo(new[] { paths.Directory }));
    }

    [Test]
    public void RemoveStale_NotNamedAsOurs_Stays()
    {
        var paths = Abandoned("precious");
        File.WriteAllText(paths.Lock, "");
        Directory.CreateSymbolicLink(Path.Combine(_root.Path, "run-link"), paths.Directory);
        Assert.That(_root.RemoveStale(DateTimeOffset.UtcNow.AddDays(1)), Is.Empty);
        Assert.That(File.Exists(paths.Lock), Is.True);
    }

    private RunPaths Abandoned(string name)
    {
        _root.Ensure();
        return new(Directory.CreateDirectory(Path.Combine(_root.Path, name)).FullName);
    }

    private static Socket Listen(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        return socket;
    }

    private static int Run(string program, params string[] arguments)
    {
        using var process = System.Diagnostics.Process.Start(program, arguments);
        process.WaitForExit();
        return process.ExitCode;
    }
}
