using System.Collections.Immutable;
using System.Net;
using Google.Protobuf;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using Microsoft.Extensions.Time.Testing;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Tests.Fleet;

public sealed class EndsResolverTests
{
    private const string There = "boot/2";

    [Test]
    public void Resolve_NoSourcesAgentAsked_TakesWhatItsKernelSaid()
    {
        var agent = Agent("a", There, "10.0.0.1/24 eth0", "10.0.0.2/24 eth0");

        Assert.That(Texts(Resolve(Spec("10.0.0.77"), [agent], Reply("a", "10.0.0.77", "10.0.0.2")), There), Is.EqualTo(new[] { "10.0.0.2" }));
    }

    [Test]
    public void Resolve_AgentsOfOneNamespaceRoutedDifferently_TakesBothSources()
    {
        var agents = ImmutableArray.Create(Agent("a", There, "10.0.0.1/24 eth0"), Agent("b", There, "10.0.0.1/24 eth0"));

        var found = Resolve(Spec("10.0.0.77"), agents, Reply("a", "10.0.0.77", "10.0.0.2"), Reply("b", "10.0.0.77", "10.0.0.7"));

        Assert.That(Texts(found, There), Is.EqualTo(new[] { "10.0.0.2", "10.0.0.7" }));
    }

    [Test]
    public void Resolve_NoRoute_NamesTheHost()
    {
        var agent = Agent("a", There, "10.0.0.1/24 eth0");

        Assert.That(
            Resolve(Spec("10.0.0.77"), [agent], Reply("a", "10.0.0.77", null)).Problems,
            Has.One.Contains("host-of-a").And.One.Contains("ip route get"));
    }

    [Test]
    public void Resolve_AutoAgentAsked_TakesTheDeviceOfTheRoute()
    {
        var agent = Agent("a", There, "10.0.0.1/24 eth0", "10.0.0.2/24 eth0", "192.168.5.1/24 eth1");

        var found = Resolve(Spec("8.8.8.8", new SourceSpec("auto", null)), [agent], Reply("a", "8.8.8.8", "10.0.0.2"));

        Assert.That(Texts(found, There), Is.EqualTo(new[] { "10.0.0.1-10.0.0.2" }));
    }

    [Test]
    public void Resolve_NameThatMeansOtherThingsElsewhere_GivesEachNamespaceItsOwn()
    {
        var agents = ImmutableArray.Create(
            Agent("a", "n/1", "10.0.0.1/24 eth0"), Agent("b", "n/1", "10.0.0.1/24 eth0"), Agent("c", "n/2", "10.1.0.1/24 eth0"));

        var found = Resolve(Named("web"), agents,
            Reply("a", "10.0.0.5", "10.0.0.1", "web"), Reply("b", "10.0.0.6", "10.0.0.1", "web"), Reply("c", "10.1.0.5", "10.1.0.1", "web"));

        Assert.Multiple(() =>
        {
            Assert.That(found.Problems, Is.Empty);
            Assert.That(Destinations(found, "n/1"), Is.EqualTo(new[] { "10.0.0.5 web True", "10.0.0.6 web True" }));
            Assert.That(Destinations(found, "n/2"), Is.EqualTo(new[] { "10.1.0.5 web True" }));
            Assert.That(Texts(found, "n/2"), Is.EqualTo(new[] { "10.1.0.1" }));
        });
    }

    [Test]
    public void Resolve_NameUnknownToOneAgent_SaysWhoAndWhy()
    {
        var agents = ImmutableArray.Create(Agent("a", "n/1", "10.0.0.1/24 eth0"), Agent("b", "n/1", "10.0.0.1/24 eth0"));
        var unknown = new RouteReply(
            RouteReply.Empty.Names.Add("web", new NameMeaning([], "Name or service not known")), RouteReply.Empty.Sources);

        var found = Resolve(Named("web"), agents, Reply("a", "10.0.0.5", "10.0.0.1", "web"), ("b", unknown));

        Assert.That(found.Problems.Single(), Does.Contain("agent b on host host-of-b").And.Contain("web: Name or service not known"));
    }

    [Test]
    public void Resolve_NameUnknownToManyAgents_IsOneProblem()
    {
        var agents = Enumerable.Range(0, 9).Select(i => Agent($"a{i}", $"n/{i}", "10.0.0.1/24 eth0")).ToImmutableArray();
        var unknown = new RouteReply(RouteReply.Empty.Names.Add("web", new NameMeaning([], "no such name")), RouteReply.Empty.Sources);

        var found = Resolve(Named("web"), agents, [.. agents.Select(a => (a.Id, unknown))]);

        Assert.That(found.Problems.Single(), Does.Contain("agent a0 on host host-of-a0, agent a1").And.Contain("and 4 more: cannot resolve web"));
    }

    [Test]
    public void Resolve_NameAndAnAgentThatCannotBeAsked_SaysWhatItLacks()
    {
        var found = Resolve(Named("web"), [Agent("a", "n/1", "10.0.0.1/24 eth0")]);

        Assert.That(found.Problems.Single(), Does.Contain("agent a").And.Contain("version 1.").And.Contain("`routes`"));
    }

    [Test]
    public void Resolve_NameThatMeansNoHost_IsRefused()
    {
        var found = Resolve(Named("web"), [Agent("a", "n/1", "10.0.0.1/24 eth0")], Reply("a", "0.0.0.0", "10.0.0.1", "web"));

        Assert.That(found.Problems.Single(), Does.Contain("unspecified").And.Contain("web:80").And.Contain("host-of-a"));
    }

    [Test]
    public void Resolve_NameWithBothFamilies_TakesThatOfTheSources()
    {
        var reply = new RouteReply(
            RouteReply.Empty.Names.Add("web", new NameMeaning([Address("10.0.0.5"), Address("fd00::5")], "")), RouteReply.Empty.Sources);
        var source = new SourceSpec("fd00::1", new IpRange(Address("fd00::1"), 1));

        var found = Resolve(Named("web", source), [Agent("a", "n/1", "fd00::1/64 eth0")], ("a", reply));

        Assert.That(Destinations(found, "n/1"), Is.EqualTo(new[] { "fd00::5 web True" }));
    }

    [TestCase("10.0.0.77", "10.0.0.1", TestName = "Resolve_NoSourcesElsewhere_TakesTheAddressOnTheTargetsNetwork")]
    [TestCase("8.8.8.8", "10.0.0.1", TestName = "Resolve_NoSourcesBehindAGateway_TakesTheFirstUsable")]
    [TestCase("192.168.5.4", "192.168.5.1", TestName = "Resolve_NoSourcesOnTheSecondNetwork_TakesThatOne")]
    public void Resolve_Elsewhere(string target, string expected)
    {
        var agent = Agent(
            "a", There, "127.0.0.1/8 lo", "192.168.5.1/24 eth1", "10.0.0.1/24 eth0", "169.254.3.4/16 eth0", "fd00::1/64 eth0");

        Assert.That(Texts(Resolve(Spec(target), [agent]), There), Is.EqualTo(new[] { expected }));
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

        var found = Resolve(Spec(target, new SourceSpec("auto", null)), [agent]);

        Assert.That(string.Join(',', Texts(found, There)), Is.EqualTo(expected));
    }

    [Test]
    public void Resolve_NamedInOneNamespace_AreTriedWhateverTheInventoryShows()
    {
        var source = new SourceSpec("10.9.0.0/30", new IpRange(Address("10.9.0.0"), 4));

        var found = Resolve(Spec("10.0.0.9", source), [Agent("a", There, "10.0.0.1/24 eth0")]);

        Assert.That(Texts(found, There), Is.EqualTo(new[] { "10.9.0.0-10.9.0.3" }));
    }

    [Test]
    public void Resolve_NamedOverSeveralNamespaces_GoWhereTheyAre()
    {
        var source = new SourceSpec("10.0.0.0/28", new IpRange(Address("10.0.0.0"), 16));
        var agents = ImmutableArray.Create(
            Agent("a", "n/1", "10.0.0.1/24 eth0", "10.0.0.2/24 eth0", "10.0.0.77/24 eth0"), Agent("b", "n/2", "10.0.0.9/24 eth0"));

        var found = Resolve(Spec("10.0.0.200", source), agents);

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

        var found = Resolve(Spec("10.0.0.200", source), agents);

        Assert.That(found.Problems, Has.One.Contains("host-of-b").And.One.Contains("10.0.0.1"));
    }

    [Test]
    public void Resolve_NoWayToTheTarget_NamesTheHost()
    {
        var found = Resolve(Spec("fd00::9"), [Agent("a", There, "10.0.0.1/24 eth0")]);

        Assert.That(found.Problems, Has.One.Contains("host-of-a").And.One.Contains("fd00::9"));
    }

    [Test]
    public void Resolve_Device_IsEachHostsOwn()
    {
        var agents = ImmutableArray.Create(
            Agent("a", "n/1", "10.0.0.1/24 eth0", "10.0.0.2/24 eth0", "10.5.0.1/24 eth1", "fe80::1/64 eth0"), Agent("b", "n/2", "10.0.0.9/24 eth0"));

        var found = Resolve(Spec("10.0.0.77", SourceText.Parse("dev:eth0").Value), agents);

        Assert.That(found.Problems, Is.Empty);
        Assert.That(found.ByNamespace["n/1"].Sources, Is.EqualTo(new[] { new IpRange(Address("10.0.0.1"), 2) }));
        Assert.That(found.ByNamespace["n/2"].Sources, Is.EqualTo(new[] { new IpRange(Address("10.0.0.9"), 1) }));
    }

    [TestCase("dev:eth7", "no interface eth7", "there are: eth0, eth1")]
    [TestCase("dev:eth1", "interface eth1 of host", "from which 10.0.0.77 can be reached")]
    public void Resolve_DeviceThatHasNothing_SaysWhatThereIs(string source, params string[] words)
    {
        var found = Resolve(
            Spec("10.0.0.77", SourceText.Parse(source).Value), [Agent("a", There, "10.0.0.1/24 eth0", "2001:db8::1/64 eth1")]);

        foreach (var word in words)
            Assert.That(found.Problems, Has.One.Contains(word));
    }

    private static RunSpec Spec(string target, params SourceSpec[] sources) => new()
    {
        Targets = [new TargetSpec(target, target, [Address(target)], [new PortSpan(80, 80)])],
        Connections = 1,
        Sources = [.. sources],
    };

    private static IpAddress Address(string text) => IpAddress.From(IPAddress.Parse(text));

    private static RunSpec Named(string name, params SourceSpec[] sources) => Spec("10.0.0.5", sources) with
    {
        Targets = [new TargetSpec($"{name}:80", name, [], [new PortSpan(80, 80)])],
    };

    private static EndsResolution Resolve(
        RunSpec spec, ImmutableArray<AgentState> agents, params (string Agent, RouteReply Reply)[] replies) =>
        EndsResolver.Resolve(spec, agents, replies.ToDictionary(r => r.Agent, r => r.Reply));

    // One address with its route, and a name for it.
    private static (string, RouteReply) Reply(string agent, string target, string? source, string? name = null)
    {
        var names = name is null
            ? RouteReply.Empty.Names
            : RouteReply.Empty.Names.Add(name, new NameMeaning([Address(target)], ""));
        return (agent, new RouteReply(names, RouteReply.Empty.Sources.Add(Address(target), source is null ? null : Address(source))));
    }

    private static IEnumerable<string> Texts(EndsResolution found, string id) => found.ByNamespace[id].Sources.Select(r => r.ToString());

    private static IEnumerable<string> Destinations(EndsResolution found, string id) =>
        found.ByNamespace[id].Destinations.Select(d => $"{d.Addresses} {d.Name} {d.LookUp}");

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
