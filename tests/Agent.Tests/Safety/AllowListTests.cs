using System.Net;
using CsCheck;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Safety;

public class AllowListTests
{
    [TestCase("127.0.0.1", ExpectedResult = true)]
    [TestCase("127.255.255.255", ExpectedResult = true)]
    [TestCase("::1", ExpectedResult = true)]
    [TestCase("128.0.0.0", ExpectedResult = false)]
    [TestCase("126.255.255.255", ExpectedResult = false)]
    [TestCase("::2", ExpectedResult = false)]
    [TestCase("10.0.0.1", ExpectedResult = false)]
    [TestCase("0.0.0.0", ExpectedResult = false)]
    [TestCase("::", ExpectedResult = false)]
    public bool Allows_TheDefault_IsLoopbackOnly(string address) => AllowList.Loopback.Allows(Ip(address), 9000, out _);

    /// <summary>Forms that reach another address than they seem to name.</summary>
    [TestCase("127.0.0.0/8", "::ffff:127.0.0.1", ExpectedResult = true)]
    [TestCase("127.0.0.0/8", "::ffff:10.0.0.1", ExpectedResult = false)]
    [TestCase("10.0.0.0/8", "::ffff:10.0.0.1", ExpectedResult = true)]
    [TestCase("10.0.0.0/8", "64:ff9b::10.0.0.1", ExpectedResult = true)]
    [TestCase("10.0.0.0/8", "64:ff9b::11.0.0.1", ExpectedResult = false)]
    [TestCase("127.0.0.0/8", "64:ff9b::127.0.0.1", ExpectedResult = false)]
    [TestCase("::/0", "64:ff9b::127.0.0.1", ExpectedResult = false)]
    [TestCase("::/0", "::ffff:10.0.0.1", ExpectedResult = false)]
    [TestCase("::/0", "64:ff9b::10.0.0.1", ExpectedResult = false)]
    [TestCase("::ffff:10.0.0.0/104", "10.1.2.3", ExpectedResult = true)]
    [TestCase("64:ff9b::10.0.0.0/104", "64:ff9b::10.1.2.3", ExpectedResult = true)]
    [TestCase("::/0", "2001:db8::1", ExpectedResult = true)]
    [TestCase("::/0", "10.0.0.1", ExpectedResult = false)]
    [TestCase("0.0.0.0/0", "2001:db8::1", ExpectedResult = false)]
    public bool Allows_EmbeddedForms_JudgesWhatIsReached(string entry, string address) => List(entry).Allows(Ip(address), 443, out _);

    [TestCase("0.0.0.0/0", "0.0.0.0", ExpectedResult = false)]
    [TestCase("0.0.0.0/0", "0.1.2.3", ExpectedResult = false)]
    [TestCase("0.0.0.0/0", "169.254.169.254", ExpectedResult = false)]
    [TestCase("168.0.0.0/6", "169.254.169.254", ExpectedResult = false)]
    [TestCase("0.0.0.0/0", "::ffff:169.254.169.254", ExpectedResult = false)]
    [TestCase("0.0.0.0/0", "64:ff9b::169.254.169.254", ExpectedResult = false)]
    [TestCase("0.0.0.0/0", "224.0.0.1", ExpectedResult = false)]
    [TestCase("0.0.0.0/0", "239.255.255.255", ExpectedResult = false)]
    [TestCase("0.0.0.0/0", "255.255.255.255", ExpectedResult = false)]
    [TestCase("0.0.0.0/0", "8.8.8.8", ExpectedResult = true)]
    [TestCase("::/0", "::", ExpectedResult = false)]
    [TestCase("::/0", "fe80::1", ExpectedResult = false)]
    [TestCase("::/0", "febf::1", ExpectedResult = false)]
    [TestCase("::/0", "ff02::1", ExpectedResult = false)]
    [TestCase("169.254.169.254", "169.254.169.254", ExpectedResult = true)]
    [TestCase("169.254.0.0/16", "169.254.1.1", ExpectedResult = true)]
    [TestCase("fe80::/64", "fe80::1", ExpectedResult = true)]
    [TestCase("0.0.0.0", "0.0.0.0", ExpectedResult = true)]
    public bool Allows_SpecialAddresses_OnlyByAnEntryInsideThem(string entry, string address) =>
        List(entry).Allows(Ip(address), 443, out _);

    [TestCase(442, ExpectedResult = false)]
    [TestCase(443, ExpectedResult = true)]
    [TestCase(444, ExpectedResult = false)]
    [TestCase(8443, ExpectedResult = true)]
    [TestCase(8450, ExpectedResult = true)]
    [TestCase(8451, ExpectedResult = false)]
    public bool Allows_AnEntryWithPorts_AllowsThoseOnly(int port) => List("10.0.0.0/24:443,8443-8450").Allows(Ip("10.0.0.5"), port, out _);

    [Test]
    public void Allows_NotOnTheList_PrintsTheFlagToAdd()
    {
        Assert.That(List("10.0.0.0/24:443").Allows(Ip("10.0.1.5"), 443, out var rule), Is.False);
        Assert.That(rule, Is.EqualTo("10.0.1.5:443 is not on this agent's allow-list (10.0.0.0/24:443); "
            + "to allow it start the agent with --allow 10.0.1.5/32:443"));
    }

    [Test]
    public void Allows_LinkLocalUnderAWideEntry_SaysWhyTheEntryDoesNotCount()
    {
        Assert.That(List("0.0.0.0/0").Allows(Ip("169.254.169.254"), 80, out var rule), Is.False);
        Assert.That(rule, Does.Contain("it is link-local, so only an entry inside 169.254.0.0/16 can allow it")
            .And.Contain("--allow 169.254.169.254/32:80"));
    }

    [Test]
    public void Allows_OnTheList_NamesTheEntry()
    {
        Assert.That(List("10.0.0.0/24:443", "10.0.1.0/24").Allows(Ip("10.0.1.5"), 80, out var rule), Is.True);
        Assert.That(rule, Is.EqualTo("10.0.1.0/24"));
    }

    [TestCase("10.0.0.0-10.0.0.7:443", ExpectedResult = true)]
    [TestCase("10.0.0.0-10.0.0.8:443", ExpectedResult = true, TestName = "Allows_ARangeOverTwoEntries_IsAllowed")]
    [TestCase("10.0.0.0-10.0.0.9:443", ExpectedResult = false)]
    [TestCase("9.255.255.255-10.0.0.7:443", ExpectedResult = false)]
    [TestCase("10.0.0.0-10.0.0.7:443-444", ExpectedResult = false)]
    [TestCase("10.0.0.0-10.0.0.7:80-81", ExpectedResult = true, TestName = "Allows_PortsOfTwoEntries_AreAllowed")]
    public bool Allows_AWholeDestination_WantsEveryPart(string text)
    {
        var (from, to) = (text.Split('-')[0], text.Split('-', 2)[1].Split(':')[0]);
        var ports = text[(text.LastIndexOf(':') + 1)..].Split('-');
        var count = (long)(Ip(to).Value - Ip(from).Value) + 1;
        var destination = new Destination(new(Ip(from), count), new(int.Parse(ports[0]), int.Parse(ports[^1])), "");
        return List("10.0.0.0/29:443", "10.0.0.8:443", "10.0.0.0/24:80", "10.0.0.0/29:81").Allows(destination, out _);
    }

    [Test]
    public void Allows_AnyDestination_AgreesWithEveryAddressAndPort()
    {
        // Around the edges of special ranges and of the embedding forms, where a range check can go wrong.
        var bases = new[]
        {
            "127.255.255.250", "0.255.255.250", "223.255.255.250", "10.0.0.0", "::", "::ffff:10.0.0.0", "::fffe:ffff:fff0",
            "64:ff9b::127.255.255.250", "64:ff9b::169.253.255.250",
        };
        var address = Gen.Select(Gen.Int[0, bases.Length - 1], Gen.UInt[0, 20]).Select((b, n) => Ip(bases[b]).Plus(n));
        var entry = Gen.Select(address, Gen.Int[0, 12], Gen.Int[1, 6], Gen.Int[0, 3])
            .Select((a, bits, port, more) => (Prefix: AddressPrefix.Of(a, (a.IsV6 ? 128 : 32) - bits), Ports: $"{port}-{port + more}"))
            .Select(e => e.Prefix.Address.IsV6 ? $"[{e.Prefix}]:{e.Ports}" : $"{e.Prefix}:{e.Ports}");
        Gen.Select(entry.Array[1, 5], address, Gen.Int[1, 24], Gen.Int[1, 6], Gen.Int[0, 3]).Sample((entries, first, count, port, more) =>
        {
            var list = List(entries);
            var ports = Enumerable.Range(port, more + 1);
            var wanted = Enumerable.Range(0, count).All(a => ports.All(p => list.Allows(first.Plus(a), p, out _)));
            Assert.That(list.Allows(new Destination(new(first, count), new(port, port + more), ""), out _), Is.EqualTo(wanted));
        });
    }

    [TestCase("")]
    [TestCase("localhost")]
    [TestCase("10.0.0.5/8")]
    [TestCase("10.0.0.0/33")]
    [TestCase("10.0.0.0/-1")]
    [TestCase("10.0.0.0/")]
    [TestCase("010.0.0.1")]
    [TestCase("0x7f.0.0.1")]
    [TestCase("2130706433")]
    [TestCase("10.1")]
    [TestCase("10.0.0.256")]
    [TestCase("10.0.0.1:0")]
    [TestCase("10.0.0.1:65536")]
    [TestCase("10.0.0.1:443,")]
    [TestCase("10.0.0.1:8450-8443")]
    [TestCase("10.0.0.1:1-2-3")]
    [TestCase("10.0.0.1: 443")]
    [TestCase("fe80::1%lo")]
    [TestCase("2001:db8::/129")]
    [TestCase("[2001:db8::")]
    [TestCase("[10.0.0.1]:443")]
    [TestCase("[::1]443")]
    public void TryParse_NoEntry_SaysWhichAndWhy(string text)
    {
        Assert.That(AllowList.TryParse([text], out _, out var errors), Is.False);
        Assert.That(errors, Has.Length.EqualTo(1).And.All.StartsWith($"--allow {text}: "));
    }

    [Test]
    public void TryParse_SeveralWrongEntries_NamesThemAll()
    {
        Assert.That(AllowList.TryParse(["10.0.0.0/33", "10.0.0.1", "x"], out _, out var errors), Is.False);
        Assert.That(errors, Has.Length.EqualTo(2));
    }

    [TestCase("[2001:db8::]/32:443")]
    [TestCase("[2001:db8::/32]:443")]
    [TestCase("2001:db8::/32")]
    public void TryParse_V6_TakesEveryWayOfWriting(string text) => Assert.That(List(text).Allows(Ip("2001:db8::5"), 443, out _), Is.True);

    /// <summary>As the bytes are, without the framework's own unwrapping.</summary>
    private static IpAddress Ip(string text) => IpAddress.FromBytes(IPAddress.Parse(text).GetAddressBytes());

    private static AllowList List(params string[] entries) =>
        AllowList.TryParse(entries, out var list, out var errors) ? list : throw new FormatException(string.Join('\n', errors));
}
