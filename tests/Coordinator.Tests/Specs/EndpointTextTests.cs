using System.Collections.Immutable;
using CsCheck;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.Specs;

public class EndpointTextTests
{
    private static readonly Gen<ImmutableArray<PortSpan>> _ports =
        Gen.Int[1, 65535].Select(Gen.Int[0, 300]).Select((first, more) => new PortSpan(first, Math.Min(65535, first + more)))
            .Array[1, 6].Select(PortText.Merge);

    private static readonly Gen<IpAddress> _addresses = Gen.OneOf(
        Gen.UInt.Select(v => new IpAddress(false, v)),
        Gen.Byte.Array[16].Select(bytes => IpAddress.FromBytes(bytes)).Where(a => a.Value >> 32 != 0xFFFF));

    [TestCase("tcp://10.0.0.5:443,8443-8450", "10.0.0.5", "443,8443-8450")]
    [TestCase("10.0.0.5:443", "10.0.0.5", "443")]
    [TestCase("TCP://example.test:80/", "example.test", "80")]
    [TestCase("[::1]:80", "::1", "80")]
    [TestCase("tcp://[2001:db8::1]:1-3,7,4-5", "2001:db8::1", "1-5,7")]
    [TestCase("my_service:9000", "my_service", "9000")]
    public void Target_WellFormed_IsTakenApart(string text, string host, string ports)
    {
        var parts = TargetText.Parse(text).Value;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(parts.Host, Is.EqualTo(host));
            Assert.That(PortText.Format(parts.Ports), Is.EqualTo(ports));
        }
    }

    [TestCase("10.0.0.5:443", 1)]
    [TestCase("tcp://10.0.0.5:443,8443,weight=3", 3)]
    [TestCase(" [::1]:1-9,Weight=1000 ", 1000)]
    public void Target_Weight_IsReadAndWritten(string text, int weight)
    {
        var parts = TargetText.Parse(text).Value;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(parts.Weight, Is.EqualTo(weight));
            Assert.That(TargetText.Parse(TargetText.Format(parts)).Value.Weight, Is.EqualTo(weight));
        }
    }

    [TestCase("tls://10.0.0.5:443", TargetScheme.Tls, "443", "/")]
    [TestCase("HTTP://web.example", TargetScheme.Http, "80", "/")]
    [TestCase("https://[::1]/a/b?c=d&e=f", TargetScheme.Https, "443", "/a/b?c=d&e=f")]
    [TestCase("http://10.0.0.5:8000-8009,9000/health,weight=2", TargetScheme.Http, "8000-8009,9000", "/health")]
    public void Target_SchemeAndPath_AreReadAndWritten(string text, TargetScheme scheme, string ports, string path)
    {
        var parts = TargetText.Parse(text).Value;

        Assert.That((parts.Scheme, PortText.Format(parts.Ports), parts.Path), Is.EqualTo((scheme, ports, path)));
        Assert.That(TargetText.Format(TargetText.Parse(TargetText.Format(parts)).Value), Is.EqualTo(TargetText.Format(parts)));
    }

    [TestCase("10.0.0.5", "has no port")]
    [TestCase("10.0.0.5:", "has no port")]
    [TestCase(":80", "has no host")]
    [TestCase("", "has no port")]
    [TestCase("10.0.0.5:0", "has port 0, which does not exist")]
    [TestCase("10.0.0.5:70000", "has port 70000, which does not exist")]
    [TestCase("10.0.0.5:90-80", "runs backwards")]
    [TestCase("10.0.0.5:http", "is not a number")]
    [TestCase("10.0.0.5:80,", "has no port")]
    [TestCase("10.0.0.5:80-90,85-95", "names 80-90 and 85-95, which overlap")]
    [TestCase("10.0.0.5:80,81,80", "names 80 twice")]
    [TestCase("10.0.0.256:80", "is not an IPv4 address")]
    [TestCase("10.1:80", "is not an IPv4 address")]
    [TestCase("udp://10.0.0.5:80", "scheme 'udp'")]
    [TestCase("tcp://10.0.0.5:80/x", "has a path '/x'")]
    [TestCase("http://10.0.0.5:80/a b", "has a path '/a b' that cannot be sent")]
    [TestCase("tls://10.0.0.5", "has no port")]
    [TestCase("::1:80", "more than one colon")]
    [TestCase("[::1]80", "has no port")]
    [TestCase("[::1", "without a closing one")]
    [TestCase("[10.0.0.1]:80", "not an IPv6 address")]
    [TestCase("[fe80::1%eth0]:80", "not an IPv6 address")]
    [TestCase("ho st:80", "characters that no host name has")]
    [TestCase("a..b:80", "empty part")]
    [TestCase("10.0.0.5:80,weight=0", "has a weight '0'")]
    [TestCase("10.0.0.5:80,weight=1001", "has a weight '1001'")]
    [TestCase("10.0.0.5:80,weight=", "has a weight ''")]
    [TestCase("10.0.0.5:80,weight=3,81", "has a weight '3,81'")]
    [TestCase("10.0.0.5:80,weight=3,weight=4", "has a weight '3,weight=4'")]
    [TestCase("10.0.0.5,weight=3", "has no port")]
    public void Target_Malformed_SaysWhy(string text, string problem) =>
        Assert.That(TargetText.Parse(text).Problem!.Problem, Does.Contain(problem));

    [TestCase("10.0.1.1", "10.0.1.1", 1)]
    [TestCase("10.0.1.1-10.0.1.14", "10.0.1.1", 14)]
    [TestCase("10.0.1.0/28", "10.0.1.1", 14)]
    [TestCase("10.0.1.0/30", "10.0.1.1", 2)]
    [TestCase("10.0.1.0/31", "10.0.1.0", 2)]
    [TestCase("10.0.0.0/8", "10.0.0.1", (1 << 24) - 2)]
    [TestCase("2001:db8::/120", "2001:db8::", 256)]
    [TestCase("10.0.1.5/32", "10.0.1.5", 1)]
    public void Source_WellFormed_IsRead(string text, string first, long count)
    {
        var range = SourceText.Parse(text).Value.Range!.Value;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(range.First.ToString(), Is.EqualTo(first));
            Assert.That(range.Count, Is.EqualTo(count));
        }
    }

    [Test]
    public void Source_Auto_HasNoRange() => Assert.That(SourceText.Parse("AUTO").Value.IsAuto, Is.True);

    [Test]
    public void Source_Device_IsNamed()
    {
        var source = SourceText.Parse("dev:eth0.5").Value;
        Assert.That((source.Device, source.Range, source.IsAuto), Is.EqualTo(("eth0.5", (IpRange?)null, false)));
    }

    [TestCase("10.0.1.5/28", "has host bits set: 10.0.1.5 is not the first address of its /28")]
    [TestCase("2001:db8::/64", "holds 2^64 addresses")]
    [TestCase("10.0.0.0/7", "holds 33,554,432 addresses, more than 16,777,216")]
    [TestCase("::/0", "holds 2^128 addresses, more than 16,777,216")]
    [TestCase("10.0.0.0/33", "prefix length")]
    [TestCase("10.0.1.9-10.0.1.1", "runs backwards")]
    [TestCase("10.0.1.9-::1", "one address family into the other")]
    [TestCase("0.0.0.0", "unspecified")]
    [TestCase("::", "unspecified")]
    [TestCase("224.0.0.1", "multicast")]
    [TestCase("ff02::1", "multicast")]
    [TestCase("255.255.255.255", "broadcast")]
    [TestCase("eth0", "is not an address")]
    [TestCase("dev:", "is empty")]
    [TestCase("dev:eth0/24", "no interface name has")]
    [TestCase("", "is empty")]
    public void Source_Malformed_SaysWhy(string text, string problem) =>
        Assert.That(SourceText.Parse(text).Problem!.Problem, Does.Contain(problem));

    [TestCase("10.0.1.0/24@eth0", "10.0.1.1-10.0.1.254", 24, "eth0")]
    [TestCase(" 2001:db8::/120 @ veth-1.5 ", "2001:db8::-2001:db8::ff", 120, "veth-1.5")]
    [TestCase("10.0.1.7/32@lo", "10.0.1.7", 32, "lo")]
    public void Provision_WellFormed_IsRead(string text, string range, int length, string device)
    {
        var read = ProvisionText.Parse(text).Value;
        Assert.That((read.Range.ToString(), read.PrefixLength, read.Device), Is.EqualTo((range, length, device)));
    }

    [TestCase("10.0.1.0/24", "does not name the device")]
    [TestCase("", "does not name the device")]
    [TestCase("10.0.1.0/24@", "is empty")]
    [TestCase("10.0.1.0/24@../etc", "no interface name has")]
    [TestCase("10.0.1.0/24@..", "no interface name has")]
    [TestCase("10.0.1.0/24@a-name-of-sixteen", "longer than 15")]
    [TestCase("10.0.1.1@eth0", "has no prefix length")]
    [TestCase("10.0.1.1/24@eth0", "has host bits set")]
    [TestCase("10.0.0.0/8@eth0", "more than 65,536")]
    [TestCase("224.0.0.0/24@eth0", "multicast")]
    public void Provision_Malformed_SaysWhy(string text, string problem) =>
        Assert.That(ProvisionText.Parse(text).Problem!.Problem, Does.Contain(problem));

    [Test]
    public void Target_Formatted_ReadsBack() =>
        _addresses.Select(_ports).Sample((address, ports) =>
        {
            var parts = new TargetParts(address.ToString(), ports);
            var read = TargetText.Parse(TargetText.Format(parts)).Value;
            return read.Host == parts.Host && read.Ports.SequenceEqual(ports);
        });

    [Test]
    public void Address_Formatted_ReadsBack() =>
        _addresses.Sample(address => AddressText.TryParse(address.ToString(), out var read) && read == address);

    [Test]
    public void MergePorts_AnySpans_KeepsEveryPortOnce() =>
        Gen.Int[1, 500].Select(Gen.Int[0, 40]).Select((first, more) => new PortSpan(first, first + more)).Array[0, 20].Sample(spans =>
        {
            var merged = PortText.Merge(spans);
            var ports = merged.SelectMany(s => Enumerable.Range(s.First, s.Count)).ToList();
            var wanted = spans.SelectMany(s => Enumerable.Range(s.First, s.Count)).Distinct().Order();
            return ports.SequenceEqual(wanted) && merged.Zip(merged.Skip(1)).All(pair => pair.First.Last + 1 < pair.Second.First);
        });

    [Test]
    public void WithoutPorts_AnySpans_IsTheDifference() =>
        Gen.Int[1, 300].Select(Gen.Int[0, 40]).Select((first, more) => new PortSpan(first, first + more)).Array[0, 10].Array[2].Sample(sides =>
            PortText.Without(sides[0], sides[1]).SelectMany(s => Enumerable.Range(s.First, s.Count)).SequenceEqual(
                Enumerable.Range(1, 400).Where(p => sides[0].Any(s => s.Contains(p)) && !sides[1].Any(s => s.Contains(p)))));

    [Test]
    public void Parsers_HostileText_NeverThrow() =>
        HostileText.Any.Sample(
            text =>
            {
                _ = CountText.Parse(text);
                _ = DurationText.Parse(text);
                _ = RateText.Parse(text);
                _ = PortText.ParseList(text);
                _ = TargetText.Parse(text);
                _ = SourceText.ParseList(text);
                _ = ProvisionText.ParseList(text);
                _ = AddressText.TryParse(text, out _);
            },
            iter: 5000);
}
