using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Fleet;

/// <summary>A coordinator that outlives terminals, and agents that outlive coordinators.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class ServiceTests : FleetTest
{
    private const string Target = "10.77.0.6";
    private const string Ports = "( dport = :9000 )";

    private NetworkNamespace _client = null!;

    [Test]
    public async Task Run_WhoseTerminalGoesAway_GoesOnAndCanBeWatchedAgain()
    {
        await StartAsync();
        var run = Fleet.User($"run {Target}:9000 -c 500 --ramp 1s --hold 20s --name soak");
        await run.HoldingAsync(500);

        run.Send(Signal.Hangup);
        var left = await Bench.FinishAsync(run, Bench.Soon);
        var held = Established();
        var kept = Directory.GetFiles(Fleet.PathOf(""), "detached.log", SearchOption.AllDirectories).Select(File.ReadAllText).ToList();
        var watched = await Fleet.RunAsync("runs watch --json");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(left.ExitCode, Is.EqualTo(130), left.Log);
            Assert.That(kept, Has.Exactly(1).Items.And.Some.Contains("runs watch"), "where a terminal that is lost shows nothing");
            Assert.That(left.Log, Does.Contain("runs watch").And.Contain($"--coordinator {FleetBench.Url}"));
            Assert.That(held, Is.EqualTo(500), "the run went on without its terminal");
            Assert.That(watched.ExitCode, Is.Zero, watched.Log);
            Assert.That(watched.Output, Does.Contain("\"reached\":true"));
        }
    }

    [Test]
    public async Task Run_Detached_IsLeftToTheCoordinator()
    {
        await StartAsync();

        var detached = await Fleet.RunAsync($"run {Target}:9000 -c 500 --ramp 1s --hold 4s --detach");
        var watched = await Fleet.RunAsync("runs watch");
        var listed = Json.Parse((await Fleet.RunAsync("runs list --json")).Output).Elements;

        using (Assert.EnterMultipleScope())
        {
            Assert.That(detached.ExitCode, Is.Zero, detached.Log);
            Assert.That(detached.Log, Does.Contain("runs watch"));
            Assert.That(watched.ExitCode, Is.Zero, watched.Log);
            Assert.That(watched.Output, Does.Contain("REACHED"));
            Assert.That(listed, Has.Count.EqualTo(1));
        }
    }

    [Test]
    public async Task Coordinator_Interrupted_DrainsItsRunsAndKeepsTheirReports()
    {
        await StartAsync();
        var run = Fleet.User($"run {Target}:9000 -c 500 --ramp 1s --hold 60s");
        await run.HoldingAsync(500);

        Fleet.Coordinator.Send(Signal.Terminate);
        var code = await Fleet.Coordinator.WaitForExitAsync(Bench.Soon);
        var established = Established();
        await Bench.FinishAsync(run);
        await Fleet.ServeAsync();
        await Fleet.IdleAsync("a1");
        var shown = await Fleet.RunAsync("runs show --json");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(code, Is.Zero, Fleet.Coordinator.Log.Everything);
            Assert.That(established, Is.Zero, "drained before it ended");
            Assert.That(shown.ExitCode, Is.Zero, shown.Log);
            Assert.That(shown.Output, Does.Contain("STOPPED").IgnoreCase.And.Contain("heldEstablishedMin"));
        }
    }

    [Test]
    public async Task Coordinator_KilledForLongerThanTheLease_AgentsDrainAndJoinTheNextOneByTheirKeys()
    {
        await StartAsync("--lease", "10s");
        Fleet.Agent(Fleet.Lan.AddHost("10.77.0.7/16"), "b1", "--role backend");
        await Fleet.IdleAsync("a1", "b1");
        var run = Fleet.User($"run {Target}:9000 -c 500 --ramp 1s --hold 5m --backends 1 --backend-listen 9100");
        await run.HoldingAsync(500);
        await Bench.FinishAsync(Fleet.Administer("tokens", "revoke", "fleet"), Bench.Soon);

        Fleet.Coordinator.Send(Signal.Kill);
        await Fleet.Coordinator.WaitForExitAsync(Bench.Soon);
        var before = Established();
        await Bench.EventuallyAsync(() => Established() == 0, () => $"{Established()} are still established long after the lease");
        await Fleet.ServeAsync("--lease", "10s");
        // Its agents have drained, but it is not certain yet: they take up again what they did.
        await Bench.EventuallyAsync(() => Established() == 500, () => $"{Established()} are established again");
        await Fleet.RunAsync("runs stop");
        await Fleet.RunAsync("runs watch");
        await Fleet.IdleAsync("a1", "b1");
        var listed = Json.Parse((await Fleet.RunAsync("runs list --json")).Output).Elements.Single();
        var again = await Fleet.RunAsync($"run {Target}:9000 -c 300 --ramp 1s --hold 1s --backends 1 --backend-listen 9100");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(before, Is.EqualTo(500), "nothing is closed just because the coordinator has gone");
            Assert.That(listed.Text("state"), Is.EqualTo("stopped"));
            Assert.That(again.ExitCode, Is.Zero, again.Log);
        }
    }

    [Test]
    public async Task Certificate_IssuedAnew_IsPresentedWithoutARestart()
    {
        await StartAsync();
        var before = Presented();

        await Bench.FinishAsync(Fleet.Administer("certs", "issue", "server", "--host", FleetBench.Address), Bench.Soon);
        await Bench.EventuallyAsync(() => Presented() != before, () => $"still {before}");

        var listed = await Fleet.RunAsync("runs list");
        Assert.That(listed.ExitCode, Is.Zero, listed.Log);
        await Fleet.IdleAsync("a1");
    }

    private async Task StartAsync(params string[] options)
    {
        _client = Fleet.Lan.AddHost("10.77.1.1/16");
        await Fleet.ServeAsync(options);
        Fleet.AgentStart(Fleet.Lan.AddHost($"{Target}/16"), "backend", "--listen", $"{Target}:9000");
        Fleet.Agent(_client, "a1", $"--allow {Target}:9000");
        await Fleet.IdleAsync("a1");
    }

    private int Established() => new SocketStatistics(_client).Lines("established", Ports).Length;

    private string Presented() => Fleet.Host.Enter(() =>
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Parse(FleetBench.Address), 7443);
        using var tls = new SslStream(new NetworkStream(socket), leaveInnerStreamOpen: false, (_, _, _, _) => true);
        tls.AuthenticateAsClient(FleetBench.Address);
        return tls.RemoteCertificate!.GetCertHashString();
    });
}
