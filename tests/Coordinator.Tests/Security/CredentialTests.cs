using LoadHarness.Coordinator.Security;

namespace LoadHarness.Coordinator.Tests.Security;

public sealed class CredentialTests
{
    [Test]
    public void Generate_Twice_GivesDifferentSecretsOf32Bytes()
    {
        var (one, other) = (Credential.Generate(), Credential.Generate());

        Assert.Multiple(() =>
        {
            Assert.That(one.Value, Does.Match("^[A-Za-z0-9_-]{43}$"));
            Assert.That(one.Matches(one.Value), Is.True);
            Assert.That(one.Matches(other.Value), Is.False);
        });
    }

    [TestCase("")]
    [TestCase("short")]
    [TestCase("not base64url at all, but certainly long enough to be one")]
    [TestCase("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void Parse_NoCredential_SaysWhatIsWanted(string text) =>
        Assert.That(() => Credential.Parse(text), Throws.TypeOf<FormatException>().With.Message.Contains("32 bytes"));

    [Test]
    public void Parse_WrittenOne_Matches()
    {
        var credential = Credential.Generate();

        Assert.That(Credential.Parse(credential.Value + "\n").Matches(credential.Value), Is.True);
    }

    [Test]
    public void Matches_PrefixLongerOrHuge_IsFalse()
    {
        var credential = Credential.Generate();

        Assert.Multiple(() =>
        {
            Assert.That(credential.Matches(credential.Value[..^1]), Is.False);
            Assert.That(credential.Matches(credential.Value + "A"), Is.False);
            Assert.That(credential.Matches(new string('A', 1 << 20)), Is.False);
            Assert.That(credential.Matches(""), Is.False);
        });
    }

    [Test]
    public void ToString_Always_KeepsTheSecret()
    {
        var credential = Credential.Generate();

        Assert.That($"{credential}", Does.Not.Contain(credential.Value));
    }
}
