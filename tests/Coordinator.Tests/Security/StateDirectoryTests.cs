using System.Globalization;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.LocalFleet;

namespace LoadHarness.Coordinator.Tests.Security;

public sealed class StateDirectoryTests
{
    [TestCase("/named", "/systemd", 0u, "/named")]
    [TestCase(null, "/systemd:/second", 0u, "/systemd")]
    [TestCase(null, null, 0u, "/var/lib/loadharness")]
    [TestCase(null, "", 1000u, "/xdg/loadharness")]
    public void Resolve_Variables_TakesTheFirstThatIsThere(string? named, string? systemd, uint user, string expected)
    {
        var variables = new Dictionary<string, string?> { ["STATE_DIRECTORY"] = systemd, ["XDG_STATE_HOME"] = "/xdg", ["HOME"] = "/home/u" };

        Assert.That(StateDirectory.Resolve(named, variables.GetValueOrDefault, user).Path, Is.EqualTo(expected));
    }

    [TestCase(null)]
    [TestCase("")]
    [TestCase("relative")]
    public void Resolve_WithoutXdg_LivesInTheHome(string? xdg)
    {
        var variables = new Dictionary<string, string?> { ["XDG_STATE_HOME"] = xdg, ["HOME"] = "/home/u" };

        Assert.That(StateDirectory.Resolve(null, variables.GetValueOrDefault, 1000).Path, Is.EqualTo("/home/u/.local/state/loadharness"));
        Assert.That(() => StateDirectory.Resolve(null, _ => null, 1000), Throws.TypeOf<CredentialException>().With.Message.Contains("--state"));
    }

    [Test]
    public void Lock_Held_IsRefusedNamingTheProcess()
    {
        using var temporary = new TemporaryDirectory();
        var state = new StateDirectory(temporary.File("state"));
        using (state.Lock())
        {
            Assert.That(state.Lock, Throws.TypeOf<CredentialException>().With.Message
                .Contains(string.Create(CultureInfo.InvariantCulture, $"(process {Environment.ProcessId})")));
        }

        Assert.That(() => state.Lock().Dispose(), Throws.Nothing);
    }

    [Test]
    public void Lock_FolderOpenToOthers_IsRefusedWithTheRemedy()
    {
        using var temporary = new TemporaryDirectory();
        var path = temporary.File("state");
        Directory.CreateDirectory(path);
        File.SetUnixFileMode(path, SafeFile.OwnerOnlyDirectory | UnixFileMode.OtherExecute);

        Assert.That(new StateDirectory(path).Lock, Throws.TypeOf<CredentialException>().With.Message.Contains($"chmod 700 {path}"));
    }

    [Test]
    public void Create_ThereIsAFile_IsRefusedAndLeftAsItIs()
    {
        using var temporary = new TemporaryDirectory();
        var path = temporary.File("secret");
        SafeFile.Create(path, "token file", "one", SafeFile.OwnerOnly);

        Assert.That(() => SafeFile.Create(path, "token file", "two", SafeFile.OwnerOnly),
            Throws.TypeOf<CredentialException>().With.Message.Contains("already"));
        Assert.That(File.ReadAllText(path), Is.EqualTo("one"));
        Assert.That(Directory.GetFiles(temporary.Path), Has.Length.EqualTo(1));
    }

    [Test]
    public void ReadSecret_TooLarge_IsRefused()
    {
        using var temporary = new TemporaryDirectory();
        var path = temporary.File("secret");
        SafeFile.Create(path, "key file", "12345", SafeFile.OwnerOnly);

        Assert.That(() => SafeFile.ReadSecret(path, "key file", 4), Throws.TypeOf<CredentialException>().With.Message.Contains("at most 4"));
    }
}
