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
    [TestCase("tcp://[2001:db8::1]:1-3,2-5,7", "2001:db8::1", "1-5,7")]
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

    [TestCase("10.0.0.5", "has no port")]
    [TestCase("10.0.0.5:", "has no port")]
    [TestCase(":80", "has no host")]
    [TestCase("", "has no port")]
    [TestCase("10.0.0.5:0", "has port 0, which does not exist")]
    [TestCase("10.0.0.5:70000", "has port 70000, which does not exist")]
    [TestCase("10.0.0.5:90-80", "runs backwards")]
    [TestCase("10.0.0.5:http", "is not a number")]
    [TestCase("10.0.0.5:80,", "has no port")]
    [TestCase("10.0.0.256:80", "is not an IPv4 address")]
    [TestCase("10.1:80", "is not an IPv4 address")]
    [TestCase("http://10.0.0.5:80", "scheme 'http'")]
    [TestCase("::1:80", "more than one colon")]
    [TestCase("[::1]80", "has no port")]
    [TestCase("[::1", "without a closing one")]
    [TestCase("[10.0.0.1]:80", "not an IPv6 address")]
    [TestCase("[fe80::1%eth0]:80", "not an IPv6 address")]
    [TestCase("ho st:80", "characters that no host name has")]
    [TestCase("a..b:80", "empty part")]
    public void Target_Malformed_SaysWhy(string text, string problem) =>
        Assert.That(TargetText.Parse(text).Problem!.Problem, Does.Contain(problem));

    [TestCase("10.0.1.1", "10.0.1.1", 1)]
    [TestCase("10.0.1.1-10.0.1.14", "10.0.1.1", 14)]
    [TestCase("10.0.1.0/28", "10.0.1.0", 16)]
    [TestCase("10.0.0.0/8", "10.0.0.0", 1 << 24)]
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
    public void Source_Auto_HasNoRange() => Assert.That(SourceText.Parse("AUTO").Value.Range, Is.Null);

    [TestCase("10.0.1.5/28", "is not the first of its network")]
    [TestCase("10.0.0.0/7", "more than 16,777,216 addresses")]
    [TestCase("::/0", "more than 16,777,216 addresses")]
    [TestCase("10.0.0.0/33", "prefix length")]
    [TestCase("10.0.1.9-10.0.1.1", "runs backwards")]
    [TestCase("10.0.1.9-::1", "one address family into the other")]
    [TestCase("0.0.0.0", "unspecified")]
    [TestCase("::", "unspecified")]
    [TestCase("224.0.0.1", "multicast")]
    [TestCase("ff02::1", "multicast")]
    [TestCase("255.255.255.255", "broadcast")]
    [TestCase("eth0", "is not an address")]
    [TestCase("", "is empty")]
    public void Source_Malformed_SaysWhy(string text, string problem) =>
        Assert.That(SourceText.Parse(text).Problem!.Problem, Does.Contain(problem));

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
                _ = AddressText.TryParse(text, out _);
            },
            iter: 5000);
}
