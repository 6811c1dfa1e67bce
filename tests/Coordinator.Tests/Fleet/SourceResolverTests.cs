using System.Collections.Immutable;
using System.Net;
using Google.Protobuf;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using Microsoft.Extensions.Time.Testing;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Tests.Fleet;

public sealed class SourceResolverTests
{
    private const string Here = "boot/1";
    private const string There = "boot/2";

    [Test]
    public void Resolve_NoSourcesHere_AsksTheKernel()
    {
        var found = SourceResolver.Resolve(Spec("127.0.0.9"), [Agent("a", Here, "10.0.0.1/24 eth0")], id => id == Here);

        Assert.Multiple(() =>
        {
            Assert.That(found.Problems, Is.Empty);
            Assert.That(Texts(found, Here), Is.EqualTo(new[] { "127.0.0.1" }).Or.EqualTo(new[] { "127.0.0.9" }));
            Assert.That(Texts(found, Here), Is.EqualTo(new[] { SourceResolver.AskKernel(Address("127.0.0.9")).ToString() }));
        });
    }

    [TestCase("10.0.0.77", "10.0.0.1", TestName = "Resolve_NoSourcesElsewhere_TakesTheAddressOnTheTargetsNetwork")]
    [TestCase("8.8.8.8", "10.0.0.1", TestName = "Resolve_NoSourcesBehindAGateway_TakesTheFirstUsable")]
    [TestCase("192.168.5.4", "192.168.5.1", TestName = "Resolve_NoSourcesOnTheSecondNetwork_TakesThatOne")]
    public void Resolve_Elsewhere(string target, string expected)
    {
        var agent = Agent(
            "a", There, "127.0.0.1/8 lo", "192.168.5.1/24 eth1", "10.0.0.1/24 eth0", "169.254.3.4/16 eth0", "fd00::1/64 eth0");

        Assert.That(Texts(SourceResolver.Resolve(Spec(target), [agent], _ => false), There), Is.EqualTo(new[] { expected }));
    }

    [TestCase("10.0.0.77", "10.0.0.1-10.0.0.2", TestName = "Resolve_AutoOnANetwork_TakesItsDevice")]
    [TestCase("8.8.8.8", "10.0.0.1-10.0.0.2,192.168.5.1", TestName = "Resolve_AutoBehindAGateway_TakesEveryUsableAddress")]
    [TestCase("127.0.0.5", "127.0.0.1", TestName = "Resolve_AutoLoopback_TakesLoopbackOnly")]
    [TestCase("fd00::9", "fd00::1", TestName = "Resolve_AutoV6_TakesV6Only")]
    public void Resolve_Auto(string target, string expected)
    {
        var agent = Agent(
            "a", There, "127.0.0.1/8 lo", "192.168.5.1/24 eth1", "10.0.0.1/24 eth0", "10.0.0.2/24 eth0", "169.254.3.4/16 eth0",
            "fd00::1/64 eth0", "fe80::1/64 eth0");

        var found = SourceResolver.Resolve(Spec(target, new SourceSpec("auto", null)), [agent], _ => false);

        Assert.That(string.Join(',', Texts(found, There)), Is.EqualTo(expected));
    }

    [Test]
    public void Resolve_NamedInOneNamespace_AreTriedWhateverTheInventoryShows()
    {
        var source = new SourceSpec("10.9.0.0/30", new IpRange(Address("10.9.0.0"), 4));

        var found = SourceResolver.Resolve(Spec("10.0.0.9", source), [Agent("a", There, "10.0.0.1/24 eth0")], _ => false);

        Assert.That(Texts(found, There), Is.EqualTo(new[] { "10.9.0.0-10.9.0.3" }));
    }

    [Test]
    public void Resolve_NamedOverSeveralNamespaces_GoWhereTheyAre()
    {
        var source = new SourceSpec("10.0.0.0/28", new IpRange(Address("10.0.0.0"), 16));
        var agents = ImmutableArray.Create(
            Agent("a", "n/1", "10.0.0.1/24 eth0", "10.0.0.2/24 eth0", "10.0.0.77/24 eth0"), Agent("b", "n/2", "10.0.0.9/24 eth0"));

        var found = SourceResolver.Resolve(Spec("10.0.0.200", source), agents, _ => false);

        Assert.Multiple(() =>
        {
            Assert.That(Texts(found, "n/1"), Is.EqualTo(new[] { "10.0.0.1-10.0.0.2" }));
            Assert.That(Texts(found, "n/2"), Is.EqualTo(new[] { "10.0.0.9" }));
            Assert.That(found.Problems, Is.Empty);
        });
    }

    [Test]
    public void Resolve_NamedThatAHostHasNoneOf_NamesHostAndSources()
    {
        var source = new SourceSpec("10.0.0.1", new IpRange(Address("10.0.0.1"), 1));
        var agents = ImmutableArray.Create(Agent("a", "n/1", "10.0.0.1/24 eth0"), Agent("b", "n/2", "10.0.0.9/24 eth0"));

        var found = SourceResolver.Resolve(Spec("10.0.0.200", source), agents, _ => false);

        Assert.That(found.Problems, Has.One.Contains("host-of-b").And.One.Contains("10.0.0.1"));
    }

    [Test]
    public void Resolve_NoWayToTheTarget_NamesTheHost()
    {
        var found = SourceResolver.Resolve(Spec("fd00::9"), [Agent("a", There, "10.0.0.1/24 eth0")], _ => false);

        Assert.That(found.Problems, Has.One.Contains("host-of-a").And.One.Contains("fd00::9"));
    }

    [Test]
    public void OwnNamespace_Read_IsBootAndCookie() =>
        Assert.That(OwnNamespace.Read(), Does.Match("^[0-9a-f-]{36}/[0-9]+$"));

    private static RunSpec Spec(string target, params SourceSpec[] sources) => new()
    {
        Targets = [new TargetSpec(target, target, [Address(target)], [new PortSpan(80, 80)])],
        Connections = 1,
        Sources = [.. sources],
    };

    private static IpAddress Address(string text) => IpAddress.From(IPAddress.Parse(text));

    private static IEnumerable<string> Texts(SourceResolution found, string id) => found.ByNamespace[id].Select(r => r.ToString());

    // Addresses as `ip -br addr` shows them, with their device.
    private static AgentState Agent(string id, string networkNamespace, params string[] addresses)
    {
        var hello = FakeAgent.MakeHello(id, networkNamespace);
        hello.Inventory.Addresses.Clear();
        foreach (var parts in addresses.Select(a => a.Split('/', ' ')))
        {
            hello.Inventory.Addresses.Add(new V1.HostAddress
            {
                Address = ByteString.CopyFrom(Address(parts[0]).ToBytes()),
                PrefixLength = uint.Parse(parts[1]),
                Device = parts[2],
            });
        }

        var clock = new CoordinatorClock(new FakeTimeProvider());
        return new AgentState(new AgentSession(id, WireTranslation.ToHello(hello), clock), clock, new FleetOptions());
    }
}
