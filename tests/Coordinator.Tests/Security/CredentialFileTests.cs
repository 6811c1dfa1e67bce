using LoadHarness.Coordinator.Security;

namespace LoadHarness.Coordinator.Tests.Security;

public sealed class CredentialFileTests
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private DirectoryInfo _directory = null!;

    private string File1 => Path.Combine(_directory.FullName, "credential");

    [SetUp]
    public void SetUp() => _directory = Directory.CreateTempSubdirectory("lh-credential-");

    [TearDown]
    public void TearDown() => _directory.Delete(recursive: true);

    [Test]
    public void Write_ThenRead_GivesTheSameSecretInAClosedFile()
    {
        var credential = Credential.Generate();
        File.WriteAllText(File1, "an older one");
        File.SetUnixFileMode(File1, OwnerOnly | UnixFileMode.OtherRead);

        CredentialFile.Write(File1, credential);

        Assert.Multiple(() =>
        {
            Assert.That(CredentialFile.Read(File1).Matches(credential.Value), Is.True);
            Assert.That(File.GetUnixFileMode(File1), Is.EqualTo(OwnerOnly));
            Assert.That(_directory.GetFiles(), Has.Length.EqualTo(1), "nothing is left beside it");
        });
    }

    [Test]
    public void Keep_ASecondTime_GivesTheSameSecret()
    {
        var first = CredentialFile.Keep(File1);

        var second = CredentialFile.Keep(File1);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(second.Matches(first.Value), Is.True);
            Assert.That(File.GetUnixFileMode(File1), Is.EqualTo(OwnerOnly));
        }
    }

    [TestCase(UnixFileMode.GroupRead)]
    [TestCase(UnixFileMode.OtherRead)]
    [TestCase(UnixFileMode.OtherWrite)]
    public void Read_OpenToOthers_IsRefusedWithTheRemedy(UnixFileMode mode)
    {
        CredentialFile.Write(File1, Credential.Generate());
        File.SetUnixFileMode(File1, OwnerOnly | mode);

        Assert.That(() => CredentialFile.Read(File1), Throws.TypeOf<CredentialException>().With.Message.Contains($"chmod 600 {File1}"));
    }

    [Test]
    public void Read_Missing_NamesTheFile() =>
        Assert.That(() => CredentialFile.Read(File1), Throws.TypeOf<CredentialException>().With.Message.Contains(File1));

    [Test]
    public void Read_Garbage_NamesTheFile()
    {
        using (File.Create(File1))
            File.SetUnixFileMode(File1, OwnerOnly);

        Assert.That(() => CredentialFile.Read(File1), Throws.TypeOf<CredentialException>().With.Message.Contains(File1));
    }

    [Test]
    public void PrepareDirectory_New_IsClosedToOthers()
    {
        var directory = Path.Combine(_directory.FullName, "sockets");

        SafeFile.PrepareDirectory(directory);

        Assert.That(File.GetUnixFileMode(directory), Is.EqualTo(OwnerOnly | UnixFileMode.UserExecute));
    }

    [Test]
    public void PrepareDirectory_OpenToOthers_IsRefusedWithTheRemedy()
    {
        _directory.UnixFileMode = OwnerOnly | UnixFileMode.UserExecute | UnixFileMode.OtherExecute;

        Assert.That(
            () => SafeFile.PrepareDirectory(_directory.FullName),
            Throws.TypeOf<CredentialException>().With.Message.Contains($"chmod 700 {_directory.FullName}"));
    }
}
