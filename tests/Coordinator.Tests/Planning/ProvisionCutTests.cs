using System.Collections.Immutable;
using System.Net;
using CsCheck;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.Planning;

public class ProvisionCutTests
{
    private static readonly ImmutableArray<ProvisionSpec> _asked = [ProvisionText.Parse("10.0.1.0/24@eth0").Value];

    [Test]
    public void Cut_TwoHostsThatAllowAll_GetEvenContiguousParts()
    {
        var cut = Cut(Host("a", ["10.0.1.0/24@eth0"]), Host("b", ["10.0.0.0/16@eth0"]));

        Assert.That(cut.Problems, Is.Empty);
        Assert.That(Text(cut, "a"), Is.EqualTo("10.0.1.1-10.0.1.127"));
        Assert.That(Text(cut, "b"), Is.EqualTo("10.0.1.128-10.0.1.254"));
    }

    [Test]
    public void Cut_HostsThatAllowDifferentParts_GetThose()
    {
        var cut = Cut(Host("a", ["10.0.1.0/25@eth0"]), Host("b", ["10.0.1.128/25@eth0", "10.0.1.0/25@eth1"]));

        Assert.That(cut.Problems, Is.Empty);
        Assert.That((Text(cut, "a"), Text(cut, "b")), Is.EqualTo(("10.0.1.1-10.0.1.127", "10.0.1.128-10.0.1.254")));
    }

    [Test]
    public void Cut_AddressesOfHostsAndTargets_StayWhereTheyAre()
    {
        var cut = Cut(Host("a", ["10.0.1.0/24@eth0"], ("10.0.1.1", "eth0"), ("10.0.1.2", "eth1")), Host("b", ["10.0.1.0/24@eth0"], ("10.0.1.3", "eth0")));

        Assert.That(Text(cut, "a"), Is.EqualTo("10.0.1.1,10.0.1.4-10.0.1.128"));
        Assert.That(Text(cut, "b"), Is.EqualTo("10.0.1.3,10.0.1.129-10.0.1.252,10.0.1.254"), "10.0.1.253 is the target");
    }

    [Test]
    public void Cut_SourcesNamed_OnlyThose()
    {
        var cut = ProvisionCut.Cut(_asked, [new(Address("10.0.1.10"), 4), new(Address("10.0.9.1"), 2)], [Host("a", ["10.0.1.0/24@eth0"])], Targets);

        Assert.That(Text(cut, "a"), Is.EqualTo("10.0.1.10-10.0.1.13"));
    }

    [Test]
    public void Cut_NobodyMay_SaysWithWhichFlag()
    {
        var cut = Cut(Host("a", ["10.0.1.0/25@eth0", "nonsense", "10.0.1.0/24@eth1"]));

        Assert.That(cut.Problems, Has.Length.EqualTo(1));
        Assert.That(cut.Problems[0], Does.Contain("10.0.1.128-10.0.1.254").And.Contain("--allow-provision 10.0.1.0/24@eth0"));
    }

    [Test]
    public void Cut_Any_EveryAddressOnceAndEvenly() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[0, 255].Array[0, 12], Gen.Int[24, 30]).Sample((count, owned, length) =>
        {
            var spec = ProvisionText.Parse($"10.0.1.0/{length}@eth0").Value;
            var hosts = Enumerable.Range(0, count)
                .Select(i => Host($"h{i}", ["10.0.0.0/16@eth0"], [.. owned.Where(o => o % count == i).Distinct().Select(o => ($"10.0.1.{o}", "eth0"))]))
                .ToImmutableArray();
            var cut = ProvisionCut.Cut([spec], [], hosts, new HashSet<IpAddress>());
            var given = cut.ByNamespace.ToDictionary(p => p.Key, p => p.Value.SelectMany(a => a.Addresses).SelectMany(Each).ToList());
            var all = given.Values.SelectMany(v => v).ToList();
            var added = given.Values.Select(v => v.Count(a => !owned.Any(o => Address($"10.0.1.{o}") == a))).ToList();
            return all.Order().SequenceEqual(Each(spec.Range)) && added.Max() - added.Min() <= 1;
        });

    private static IReadOnlySet<IpAddress> Targets => new HashSet<IpAddress> { Address("10.0.1.253") };

    private static ProvisionCutResult Cut(params ProvisionHost[] hosts) => ProvisionCut.Cut(_asked, [], [.. hosts], hosts.Length == 2 && !hosts[0].Addresses.IsEmpty ? Targets : new HashSet<IpAddress>());

    private static ProvisionHost Host(string name, string[] allowed, params (string Address, string Device)[] addresses) => new(
        name, name, [.. allowed.Select(ProvisionRule.Parse).OfType<ProvisionRule>()], [.. addresses.Select(a => (Address(a.Address), a.Device))]);

    private static string Text(ProvisionCutResult cut, string host) => string.Join(',', cut.ByNamespace[host].SelectMany(p => p.Addresses));

    private static IEnumerable<IpAddress> Each(IpRange range) => Enumerable.Range(0, (int)range.Count).Select(i => range.First.Plus(i));

    private static IpAddress Address(string text) => IpAddress.From(IPAddress.Parse(text));
}
