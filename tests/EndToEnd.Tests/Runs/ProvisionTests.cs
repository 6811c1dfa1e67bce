using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;
using LoadHarness.TestKit.Targets;

namespace LoadHarness.EndToEnd.Tests.Runs;

/// <summary>Sources that a run adds to its hosts, on a switch with two agents' hosts and the target's.</summary>
[NonParallelizable]
public sealed class ProvisionTests : FleetTest
{
    private const string TargetAddress = "10.77.0.9";
    private const string TargetAddress6 = "fd77::9";
    private const string Allowed = "--allow 10.77.0.0/16 --allow fd77::/64 --allow-provision 10.77.4.0/24@eth0 --allow-provision fd77::4:0/120@eth0";

    [TestCase("10.77.4.0/24", TargetAddress, 254)]
    [TestCase("fd77::4:0/120", TargetAddress6, 256)]
    public async Task Run_TwoHostsAddOneRange_EachAddressOnce_AndNothingStays(string range, string target, int sources)
    {
        var (one, two, far) = AddHosts();
        await Fleet.ServeAsync();
        Fleet.Agent(one, "one-1", Allowed);
        Fleet.Agent(one, "one-2", Allowed);
        Fleet.Agent(two, "two-1", Allowed);
        await Fleet.IdleAsync("one-1", "one-2", "two-1");
        using var service = MisbehavingTarget.Start(Misbehaviour.None, far, 9000, address: System.Net.IPAddress.Parse(target));
        var (before, routes) = (AddressesOf(one, two), RoutesOf(one, two));
        var endpoint = target.Contains(':', StringComparison.Ordinal) ? $"[{target}]:9000" : $"{target}:9000";

        var run = Fleet.User($"run {endpoint} -c 1200 --ramp 2s --hold 12s --provision-sources {range}@eth0 --json");
        await run.HoldingAsync(1_200);
        var (added, routesInRun) = (AddressesOf(one, two), RoutesOf(one, two));
        var ended = await Bench.FinishAsync(run);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(ended.Summary().Number("kernel.established"), Is.EqualTo(1_200));
            Assert.That(ended.Summary().Numbers("kernel.bySource").Keys, Is.All.StartsWith(range[..^5]), "all of them from what was added");
            Assert.That(added.Except(before).Select(l => l.Split(' ')[1]), Is.Unique.And.Exactly(sources).Items);
            Assert.That(routesInRun, Is.EqualTo(routes));
            Assert.That(AddressesOf(one, two), Is.EqualTo(before));
        }
    }

    [Test]
    public async Task Run_AddressInUseByAnotherHost_IsRefusedByName()
    {
        var (one, _, far) = AddHosts();
        far.AddAddress("10.77.4.7/16", "eth0");
        await Fleet.ServeAsync();
        Fleet.Agent(one, "one-1", Allowed);
        await Fleet.IdleAsync("one-1");
        var before = AddressesOf(one);

        var ended = await Fleet.RunAsync($"run {TargetAddress}:9000 -c 100 --provision-sources 10.77.4.0/24@eth0");

        Assert.That(ended.ExitCode, Is.EqualTo(2), ended.Log);
        Assert.That(ended.Log, Does.Contain("10.77.4.7 is in use by "));
        Assert.That(AddressesOf(one), Is.EqualTo(before));
    }

    [Test]
    public async Task Run_HostThatAllowsNothing_IsRefusedWithTheFlag()
    {
        var (one, _, _) = AddHosts();
        await Fleet.ServeAsync();
        Fleet.Agent(one, "one-1", "--allow 10.77.0.0/16");
        await Fleet.IdleAsync("one-1");

        var ended = await Fleet.RunAsync($"run {TargetAddress}:9000 -c 100 --provision-sources 10.77.4.0/24@eth0");

        Assert.That(ended.ExitCode, Is.EqualTo(2), ended.Log);
        Assert.That(ended.Log, Does.Contain("--allow-provision 10.77.4.0/24@eth0"));
    }

    [Test]
    public async Task Agent_Killed_LeavesAddressesThatItsNextStartRemoves()
    {
        var (one, _, far) = AddHosts();
        await Fleet.ServeAsync();
        var agent = Fleet.Agent(one, "one-1", Allowed);
        await Fleet.IdleAsync("one-1");
        using var service = MisbehavingTarget.Start(Misbehaviour.None, far, 9000, address: System.Net.IPAddress.Parse(TargetAddress));
        var before = AddressesOf(one);
        var run = Fleet.User($"run {TargetAddress}:9000 -c 300 --ramp 1s --hold 60s --provision-sources 10.77.4.0/24@eth0 --json");
        await run.HoldingAsync(300);

        agent.Send(Signal.Kill);
        await agent.WaitForExitAsync(Bench.Soon);
        var left = AddressesOf(one);
        Fleet.Agent(one, "one-1", Allowed);

        await Bench.EventuallyAsync(() => AddressesOf(one).SequenceEqual(before), () => string.Join('\n', AddressesOf(one)));
        Assert.That(left.Except(before), Has.Exactly(254).Items, "nobody was there to remove them");
    }

    private (NetworkNamespace One, NetworkNamespace Two, NetworkNamespace Far) AddHosts() => (
        Fleet.Lan.AddHost("10.77.0.2/16", "fd77::2/64"),
        Fleet.Lan.AddHost("10.77.0.3/16", "fd77::3/64"),
        Fleet.Lan.AddHost($"{TargetAddress}/16", $"{TargetAddress6}/64"));

    // "2: eth0    inet 10.77.0.2/16 scope global eth0": one line an address.
    private static string[] AddressesOf(params NetworkNamespace[] hosts) =>
    [
        .. from host in hosts
           from line in host.Ip("-o", "address", "show", "dev", "eth0").Split('\n', StringSplitOptions.RemoveEmptyEntries)
           select $"{host.Name} {line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[3]}",
    ];

    private static string RoutesOf(params NetworkNamespace[] hosts) =>
        string.Concat(hosts.SelectMany(h => new[] { h.Ip("route", "show"), h.Ip("-6", "route", "show") }));
}
