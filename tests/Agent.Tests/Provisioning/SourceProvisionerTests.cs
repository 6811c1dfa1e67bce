using System.Net;
using System.Net.Sockets;
using LoadHarness.TestKit.Networks;
using static LoadHarness.Agent.Tests.Provisioning.ProvisionFixture;

namespace LoadHarness.Agent.Tests.Provisioning;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class SourceProvisionerTests : IDisposable
{
    private readonly Lan _lan = Lan.Create();
    private readonly NetworkNamespace _host;
    private readonly NetworkNamespace _neighbour;
    private readonly ProvisionFixture _fixture;

    public SourceProvisionerTests()
    {
        _host = _lan.AddHost("10.77.0.1/16", "fd77::1/64");
        _neighbour = _lan.AddHost("10.77.0.2/16", "10.77.5.9/16", "fd77::2/64", "fd77::5:9/64");
        _host.Ip("route", "add", "default", "via", "10.77.9.254");
        _fixture = new ProvisionFixture(_host);
    }

    public void Dispose()
    {
        _fixture.Dispose();
        _lan.Dispose();
    }

    [Test]
    public void Provide_RangeOfBothFamilies_AddsThemAndChangesNothingElse_ReleaseRemovesJustThose()
    {
        _host.AddAddress("10.77.4.3/32", "eth0");
        var (addresses, routes, routes6) = (_fixture.Addresses, Routes(), Routes6());
        using var provisioner = _fixture.Create("10.77.4.0/24@eth0", "fd77::4:0/112@eth0");

        Assert.That(_fixture.Provide(provisioner, Work("10.77.4.1", 250, "eth0", 24), Work("fd77::4:1", 20, "eth0", 120)), Is.Null);

        Assert.That(Bound("10.77.4.1"), Is.EqualTo(SocketError.Success));
        Assert.That(Bound("10.77.4.250"), Is.EqualTo(SocketError.Success));
        Assert.That(Bound("fd77::4:14"), Is.EqualTo(SocketError.Success));
        Assert.That((Routes(), Routes6()), Is.EqualTo((routes, routes6)), "no route of the host changes");
        Assert.That(_host.Ip("route", "get", "10.77.4.200", "oif", "eth0"), Does.Contain("local"));
        Assert.That(_host.Ip("route", "get", "10.77.0.2"), Does.Contain("src 10.77.0.1 "), "the host's own connections do not use them");
        Assert.That(_host.Ip("-6", "route", "get", "fd77::2"), Does.Contain("src fd77::1 "));
        Assert.That(_fixture.Journals, Is.EqualTo(1));
        _fixture.Do(provisioner.Release);
        Assert.That(_fixture.Addresses, Is.EqualTo(addresses));
        Assert.That(_fixture.Journals, Is.Zero);
    }

    [TestCase("10.77.5.1", "eth0", 24, "10.77.5.9 is in use by ")]
    [TestCase("fd77::5:1", "eth0", 120, "fd77::5:9 is in use by another host")]
    [TestCase("10.77.9.250", "eth0", 16, "10.77.9.254 is a gateway")]
    [TestCase("10.77.255.250", "eth0", 16, "10.77.255.255 is the network or broadcast address")]
    [TestCase("10.77.0.250", "eth0", 24, "10.77.0.255 is the network or broadcast address")]
    [TestCase("10.77.0.1", "lo", 24, "10.77.0.1 is this host's already, on eth0")]
    [TestCase("10.77.6.1", "eth7", 24, "no device eth7; it has eth0, lo")]
    [TestCase("224.0.0.1", "eth0", 24, "224.0.0.1 is no address of a single host")]
    public void Provide_AddressThatMustNotBeAdded_IsRefusedByName_AndNothingStays(string first, string device, int length, string reason)
    {
        var addresses = _fixture.Addresses;
        using var provisioner = _fixture.Create("10.0.0.0/8@eth0", "10.0.0.0/8@lo", "10.0.0.0/8@eth7", "fd77::/16@eth0", "224.0.0.0/8@eth0");

        var refusal = _fixture.Provide(provisioner, Work(first, 10, device, length));

        Assert.That(refusal?.Rule, Is.EqualTo("address"));
        Assert.That(refusal!.Message, Does.Contain(reason));
        _fixture.Do(provisioner.Release);
        Assert.That(_fixture.Addresses, Is.EqualTo(addresses));
    }

    [Test]
    public void Provide_OutsideAllowProvision_IsRefusedWithTheFlag()
    {
        using var provisioner = _fixture.Create("10.77.4.0/25@eth0");

        var refusal = _fixture.Provide(provisioner, Work("10.77.4.1", 254, "eth0", 24));

        Assert.That(refusal?.Rule, Is.EqualTo("allow-provision"));
        Assert.That(refusal!.Message, Does.Contain("10.77.4.128 ").And.Contain("--allow-provision 10.77.4.0/24@eth0"));
        Assert.That(_fixture.Addresses, Does.Not.Contain("10.77.4."));
    }

    [Test]
    public void CleanUp_AfterAnAgentThatWasKilled_RemovesWhatItLeft_ButNotWhatSomebodyChanged()
    {
        var before = _fixture.Addresses;
        LeaveAsKilled("10.77.4.1", "10.77.4.2", "10.77.4.3");
        using (var living = _fixture.Create("10.77.3.0/24@eth0"))
        {
            Assert.That(_fixture.Provide(living, Work("10.77.3.1", 2, "eth0", 24)), Is.Null);
            _host.Ip("address", "del", "10.77.4.2/32", "dev", "eth0");
            _host.AddAddress("10.77.4.2/32", "eth0");

            using var next = _fixture.Create();
            _fixture.Do(next.CleanUp);

            Assert.That(_fixture.Addresses, Does.Contain("10.77.3.1/32"), "its agent lives");
            Assert.That(_fixture.Addresses, Does.Contain("10.77.4.2/32"), "somebody else has added it anew");
            Assert.That(_fixture.Addresses, Does.Not.Contain("10.77.4.1/32").And.Not.Contain("10.77.4.3/32"));
            _fixture.Do(living.Release);
        }

        _host.Ip("address", "del", "10.77.4.2/32", "dev", "eth0");
        Assert.That((_fixture.Addresses, _fixture.Journals), Is.EqualTo((before, 0)));
    }

    [Test]
    public void Release_SocketsOfOthersOnAnAddress_LeavesItUntilTheyAreGone()
    {
        using var provisioner = _fixture.Create("10.77.4.0/24@eth0");
        Assert.That(_fixture.Provide(provisioner, Work("10.77.4.1", 2, "eth0", 24)), Is.Null);
        using var listener = _neighbour.Enter(() => Listening("10.77.0.2"));
        using (var socket = _host.Enter(() => Connected("10.77.4.1", (IPEndPoint)listener.LocalEndPoint!)))
        {
            _fixture.Do(provisioner.Release);

            Assert.That(_fixture.Addresses, Does.Contain("10.77.4.1/32").And.Not.Contain("10.77.4.2/32"));
            Assert.That(_fixture.Warnings, Has.One.Contains("1 addresses"));
            socket.LingerState = new LingerOption(true, 0);
        }

        Assert.That(() => _fixture.Addresses, Does.Not.Contain("10.77.4.1/32").After(60_000, 100));
    }

    [Test]
    public void Provide_NotTheOwner_WaitsUntilTheOwnerHasAddedThem()
    {
        using var owner = _fixture.Create("10.77.4.0/24@eth0");
        using var other = _fixture.Create();
        var waiting = Task.Run(() => _fixture.Provide(other, Work("10.77.4.1", 20, "eth0", 24, owner: false)));

        Assert.That(_fixture.Provide(owner, Work("10.77.4.1", 20, "eth0", 24)), Is.Null);

        Assert.That(waiting.Result, Is.Null);
        _fixture.Do(other.Release);
        Assert.That(_fixture.Addresses, Does.Contain("10.77.4.20/32"), "who has not added them does not remove them");
    }

    [Test]
    public void Provide_AgainInTheSameRun_DoesNotBringBackWhatSomebodyTookAway()
    {
        using var provisioner = _fixture.Create("10.77.4.0/24@eth0");
        Assert.That(_fixture.Provide(provisioner, Work("10.77.4.1", 2, "eth0", 24)), Is.Null);
        _host.Ip("address", "del", "10.77.4.2/32", "dev", "eth0");

        Assert.That(_fixture.Provide(provisioner, Work("10.77.4.1", 2, "eth0", 24)), Is.Null);

        Assert.That(_fixture.Addresses, Does.Not.Contain("10.77.4.2/32"));
    }

    // As kill -9 does: the lock on the journal goes, the journal and the addresses stay.
    private void LeaveAsKilled(params string[] addresses)
    {
        using (var killed = _fixture.Create("10.77.4.0/24@eth0"))
        {
            Assert.That(_fixture.Provide(killed, Work(addresses[0], addresses.Length, "eth0", 24)), Is.Null);
            _fixture.CopyJournal();
            _fixture.Do(killed.Release);
        }

        foreach (var address in addresses)
            _host.Ip("address", "add", $"{address}/32", "dev", "eth0", "noprefixroute", "preferred_lft", "0");
    }

    private string Routes() => _host.Ip("route", "show", "table", "main");

    private string Routes6() => _host.Ip("-6", "route", "show", "table", "main");

    private SocketError Bound(string address) => _host.Enter(() =>
    {
        using var socket = new Socket(IPAddress.Parse(address).AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
            return SocketError.Success;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    });

    private static Socket Listening(string address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        socket.Listen();
        return socket;
    }

    private static Socket Connected(string source, IPEndPoint target)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Parse(source), 0));
        socket.Connect(target);
        return socket;
    }
}
