using CsCheck;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.LocalFleet;

public class AgentArgumentsTests
{
    [Test]
    public void Join_Targets_AllowsThemAndNothingElse()
    {
        var arguments = AgentArguments.Join(new RunPaths("/run/x"), "local-1",
        [
            new Destination(Range("10.0.0.5", 1), new PortSpan(443, 443), "web"),
            new Destination(Range("10.0.0.5", 1), new PortSpan(8443, 8450), "web"),
            new Destination(Range("fd00::1", 1), new PortSpan(80, 80), "six"),
        ]);
        Assert.That(string.Join(' ', arguments), Is.EqualTo(
            "join unix:/run/x/coordinator.sock --id local-1 --credential-file /run/x/credential "
            + "--allow 10.0.0.5/32:443 --allow 10.0.0.5/32:8443-8450 --allow [fd00::1/128]:80 --exit-with-parent"));
    }

    [TestCase("10.0.0.0", 256, "10.0.0.0/24")]
    [TestCase("10.0.0.1", 3, "10.0.0.1/32 10.0.0.2/31")]
    [TestCase("0.0.0.0", 4294967296, "0.0.0.0/0")]
    [TestCase("::", 4, "[::/126]")]
    public void Cidrs_Range_AreTheFewest(string first, long count, string expected) =>
        Assert.That(string.Join(' ', AgentArguments.Cidrs(Range(first, count))), Is.EqualTo(expected));

    [Test]
    public void Cidrs_AnyRange_CoverItExactly() =>
        Gen.Select(Gen.UInt, Gen.UInt[1, 100_000]).Sample((first, count) =>
        {
            var range = new IpRange(new IpAddress(false, first), Math.Min(count, uint.MaxValue - first + 1L));
            var next = range.First.Value;
            foreach (var cidr in AgentArguments.Cidrs(range))
            {
                var network = System.Net.IPNetwork.Parse(cidr);
                if (IpAddress.From(network.BaseAddress).Value != next)
                    return false;
                next += UInt128.One << (32 - network.PrefixLength);
            }

            return next == range.Last.Value + 1;
        });

    private static IpRange Range(string first, long count) => new(IpAddress.From(System.Net.IPAddress.Parse(first)), count);
}
