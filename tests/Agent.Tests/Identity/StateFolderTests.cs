using LoadHarness.Agent.Identity;

namespace LoadHarness.Agent.Tests.Identity;

public sealed class StateFolderTests
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private DirectoryInfo _directory = null!;

    private string Folder => Path.Combine(_directory.FullName, "state");

    [SetUp]
    public void SetUp() => _directory = Directory.CreateTempSubdirectory("lh-state-");

    [TearDown]
    public void TearDown() => _directory.Delete(recursive: true);

    [Test]
    public void Open_NoSuchFolder_IsMadeForThisUserAlone()
    {
        using var state = StateFolder.Open(Folder);

        Assert.That(File.GetUnixFileMode(Folder), Is.EqualTo(Private | UnixFileMode.UserExecute));
        Assert.That((state.Identity, state.IsEnrolled("a")), Is.EqualTo(((string?)null, false)));
    }

    [Test]
    public void Open_InUse_NamesTheProcess()
    {
        using var state = StateFolder.Open(Folder);

        Assert.That(() => StateFolder.Open(Folder),
            Throws.InstanceOf<IdentityException>().With.Message.Contains($"in use by process {Environment.ProcessId}").And.Message.Contains("--state DIR"));
    }

    [Test]
    public void Open_LeftByAProcessThatHasEnded_IsFree()
    {
        StateFolder.Open(Folder).Dispose();

        Assert.That(() => StateFolder.Open(Folder).Dispose(), Throws.Nothing);
    }

    [Test]
    public void Open_OthersMayWriteToIt_IsRefused()
    {
        StateFolder.Open(Folder).Dispose();
        File.SetUnixFileMode(Folder, (UnixFileMode)0b111_111_101);

        Assert.That(() => StateFolder.Open(Folder), Throws.InstanceOf<IdentityException>().With.Message.Contains($"chmod 700 {Folder}"));
    }

    [Test]
    public void Open_AFileIsThere_SaysSo()
    {
        File.WriteAllText(Folder, "");

        Assert.That(() => StateFolder.Open(Folder), Throws.InstanceOf<IdentityException>().With.Message.Contains("--state DIR"));
        Assert.That(File.ReadAllText(Folder), Is.Empty, "nothing is overwritten");
    }

    [Test]
    public void KeepIdentity_ReopenedLater_IsThere()
    {
        using (var first = StateFolder.Open(Folder))
        {
            first.KeepIdentity("load-7");
            first.MarkEnrolled("load-7");
        }

        using var later = StateFolder.Open(Folder);
        Assert.That((later.Identity, later.IsEnrolled("load-7"), later.IsEnrolled("load-8")), Is.EqualTo(("load-7", true, false)));
        Assert.That(Directory.EnumerateFiles(Folder, "*.new"), Is.Empty);
    }

    [TestCase("STATE_DIRECTORY=/var/lib/private/x:/other", false, "/var/lib/private/x")]
    [TestCase("STATE_DIRECTORY=/var/lib/x", true, "/var/lib/x")]
    [TestCase("", true, "/var/lib/loadharness-agent")]
    [TestCase("XDG_STATE_HOME=/s", false, "/s/loadharness-agent")]
    [TestCase("HOME=/home/u", false, "/home/u/.local/state/loadharness-agent")]
    public void DefaultPath_ByEnvironmentAndUser_IsWhereStateBelongs(string variable, bool isRoot, string expected)
    {
        var pair = variable.Split('=');

        Assert.That(StateFolder.DefaultPath(name => name == pair[0] ? pair[1] : null, isRoot), Is.EqualTo(expected));
    }
}
