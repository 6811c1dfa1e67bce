using System.Net;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Safety;

public class AllowProvisionTests
{
    [TestCase("10.0.1.0", "eth0", true)]
    [TestCase("10.0.1.255", "eth0", true)]
    [TestCase("10.0.2.0", "eth0", false)]
    [TestCase("10.0.1.7", "eth1", false)]
    [TestCase("fd00::ff", "eth0", true)]
    [TestCase("fd00::100", "eth0", false)]
    [TestCase("10.9.9.9", "eth1.5", true)]
    [TestCase("10.9.9.8", "eth1.5", false)]
    public void Allows_AddressAndDevice_OnlyInsideAnEntryOfTheDevice(string address, string device, bool isAllowed) =>
        Assert.That(Parse("10.0.1.0/24@eth0", "fd00::/120@eth0", "10.9.9.9@eth1.5").Allows(Address(address), device), Is.EqualTo(isAllowed));

    [Test]
    public void TryParse_NoEntry_AllowsNothing() => Assert.That(Parse().Allows(Address("127.0.0.1"), "lo"), Is.False);

    [TestCase("10.0.1.0/24")]
    [TestCase("10.0.1.0/24@")]
    [TestCase("@eth0")]
    [TestCase("10.0.1.1/24@eth0")]
    [TestCase("0.0.0.0/0@eth0")]
    [TestCase("10.0.1.0/33@eth0")]
    [TestCase("10.0.1.0/+24@eth0")]
    [TestCase("host/24@eth0")]
    [TestCase("10.0.1.0/24@a@b")]
    [TestCase("10.0.1.0/24@../x")]
    [TestCase("10.0.1.0/24@sixteencharacter")]
    [TestCase("fe80::%eth0/64@eth0")]
    public void TryParse_WrongEntry_NamesIt(string text)
    {
        var isParsed = AllowProvision.TryParse([text, "10.0.2.0/24@eth0"], out var allowed, out var errors);

        Assert.That((isParsed, allowed), Is.EqualTo((false, (AllowProvision?)null)));
        Assert.That(errors, Has.Length.EqualTo(1).And.All.StartsWith($"--allow-provision {text}: "));
    }

    [Test]
    public void Texts_ParsedAgain_MeanTheSame()
    {
        string[] texts = ["10.0.1.0/24@eth0", "fd00::/120@eth0", "10.9.9.9/32@lo"];

        Assert.That(Parse(texts).Texts, Is.EqualTo(texts));
    }

    private static AllowProvision Parse(params string[] texts) =>
        AllowProvision.TryParse(texts, out var allowed, out var errors) ? allowed : throw new AssertionException(string.Join("; ", errors));

    private static IpAddress Address(string text) => IpAddress.FromBytes(IPAddress.Parse(text).GetAddressBytes());
}
