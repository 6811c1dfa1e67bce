using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Fleet;

/// <summary>What an agent's own allow-list does not name is never connected to, whoever asks and however it is written.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class AllowListTests : FleetTest
{
    private const string Allowed = "10.77.0.6";
    private const string Forbidden = "10.77.0.5";
    private const string Translated = "64:ff9b::a4d:5";

    // The last two lead to 10.77.0.5: IPv4-mapped, and through a translator.
    [TestCase($"{Forbidden}:9000", Forbidden, $"{Forbidden}/9000")]
    [TestCase($"{Allowed}:9001", $"{Allowed}:9001", $"{Allowed}/9001")]
    [TestCase($"[::ffff:{Forbidden}]:9000", Forbidden, $"{Forbidden}/9000")]
    [TestCase($"[{Translated}]:9000", Forbidden, $"{Translated}/9000")]
    public async Task Run_OutsideTheAllowList_IsRefusedAndNoSynLeaves(string target, string named, string control)
    {
        var host = Fleet.Lan.AddHost("10.77.1.1/16", "fd77::1/64");
        Fleet.Lan.AddHost($"{Forbidden}/16");
        Fleet.Lan.AddHost($"{Allowed}/16");
        host.Ip("-6", "route", "add", "64:ff9b::/96", "dev", "eth0");
        host.Ip("neighbour", "add", Translated, "lladdr", "02:00:00:00:00:01", "dev", "eth0", "nud", "permanent");
        await Fleet.ServeAsync();
        Fleet.Agent(host, "a1", $"--allow {Allowed}:9000");
        await Fleet.IdleAsync("a1");
        await using var capture = await PacketCapture.StartAsync(host, "(tcp or udp) and not port 7443");

        var run = await Fleet.RunAsync($"run {target} -c 10 --hold 1s");
        var packets = capture.Packets;

        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.ExitCode, Is.EqualTo(2), run.Log);
            Assert.That(run.Error + run.Output, Does.Contain("a1").And.Contain(named).And.Contain("--allow").And.Contain("allow-list"));
            Assert.That(packets, Is.Empty);
        }

        // Had there been a SYN, it would have been seen.
        Connect(host, control);
        await Bench.EventuallyAsync(() => capture.Packets.Any(p => p.Contains("Flags [S]", StringComparison.Ordinal)), () => "the capture sees nothing");
    }

    [Test]
    public async Task Name_ThatMeansAForbiddenAddressAtTheSecondLook_IsRefusedAndNoSynLeaves()
    {
        var host = Fleet.Lan.AddHost("10.77.1.1/16");
        using var names = new HostNames(host);
        names.Set(Allowed, "target.test");
        await Fleet.ServeAsync();
        Fleet.AgentStart(Fleet.Lan.AddHost($"{Allowed}/16"), "backend", "--listen", $"{Allowed}:9000");
        Fleet.Lan.AddHost($"{Forbidden}/16");
        Fleet.AgentWithNames(host, "a1", $"--allow {Allowed}:9000");
        await Fleet.IdleAsync("a1");
        await using var capture = await PacketCapture.StartAsync(host, $"host {Forbidden}");
        var run = Fleet.User("run target.test:9000 -c 500 --ramp 1s --hold 5m --json");
        await run.HoldingAsync(500);

        names.Set(Forbidden, "target.test");
        var scaled = await Fleet.RunAsync("runs scale 800 --over 1s");
        var ended = await Bench.FinishAsync(run);
        var packets = capture.Packets;

        using (Assert.EnterMultipleScope())
        {
            Assert.That(scaled.ExitCode, Is.Zero, scaled.Log);
            Assert.That(ended.ExitCode, Is.EqualTo(2), ended.Log);
            Assert.That(ended.Log, Does.Contain("target.test").And.Contain(Forbidden).And.Contain("allow-list"));
            Assert.That(packets, Is.Empty);
        }

        Connect(host, $"{Forbidden}/9000");
        await Bench.EventuallyAsync(() => capture.Packets.Any(p => p.Contains("Flags [S]", StringComparison.Ordinal)), () => "the capture sees nothing");
    }

    // It ends with the fleet: what is lost on the way is not waited for.
    private void Connect(NetworkNamespace host, string where) =>
        Fleet.Start(new ProgramStart("bash", "-c", $"exec 3<>/dev/tcp/{where}") { Namespace = host });
}
