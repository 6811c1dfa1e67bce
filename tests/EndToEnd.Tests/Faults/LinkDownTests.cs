using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Hostile;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>
/// The link between an agent and its coordinator goes down, and that alone: the load has a link of its own. Within the lease nothing closes;
/// beyond it the agent drains by itself.
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed class LinkDownTests : FleetTest
{
    private const string Target = "10.88.0.6";
    private const string Ports = "( dport = :9000 )";

    private NetworkNamespace _client = null!;

    [Test]
    public async Task LinkDown_ForLessThanTheLease_ClosesNothing()
    {
        var (lease, down) = LongTests.Wanted ? ("60s", 30) : ("30s", 8);
        await StartAsync(lease);
        var run = Fleet.User($"run {Target}:9000 -c 500 --ramp 1s --hold {down + 20}s --json");
        await run.HoldingAsync(500);
        var before = Ends();

        SetLink("down");
        var fewest = 500;
        for (var end = DateTime.UtcNow.AddSeconds(down); DateTime.UtcNow < end; await Task.Delay(500))
            fewest = Math.Min(fewest, Established());
        SetLink("up");
        await Fleet.User("agents list").WaitForLineAsync("a1", Bench.Soon);
        var after = Ends();
        var ended = await Bench.FinishAsync(run);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(fewest, Is.EqualTo(500));
            Assert.That(after, Is.EquivalentTo(before), "the very same connections");
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(ended.Summary().Number("result.closedByPeer") + ended.Summary().Number("result.reopened"), Is.Zero);
            // The samples of that time came later.
            Fleet.ExpectNoGaps(ended.Summary(), g => g.Number("fromSecond") <= down);
        }
    }

    [Test]
    public async Task LinkDown_ForLongerThanTheLease_DrainsByItself()
    {
        await StartAsync("15s");
        var run = Fleet.User($"run {Target}:9000 -c 500 --ramp 1s --hold 5m");
        await run.HoldingAsync(500);

        SetLink("down");
        await Task.Delay(TimeSpan.FromSeconds(2));
        var within = Established();
        await Bench.EventuallyAsync(() => Established() == 0, () => $"{Established()} are still established long after the lease");
        await Bench.EventuallyAsync(() => new SocketStatistics(_client).Lines("time-wait", Ports).Length > 0, () => "it did not drain with FIN");
        SetLink("up");
        await Fleet.RunAsync("runs stop --now");

        Assert.That(within, Is.EqualTo(500), "nothing closes before the lease ends");
        await Bench.FinishAsync(run);
    }

    private async Task StartAsync(string lease)
    {
        _client = Fleet.Lan.AddHost("10.77.1.1/16");
        var backend = Fleet.Lan.AddHost("10.77.0.6/16");
        _client.Connect("10.88.0.1/24", backend, $"{Target}/24");
        await Fleet.ServeAsync("--lease", lease);
        Fleet.AgentStart(backend, "backend", "--listen", $"{Target}:9000");
        Fleet.Agent(_client, "a1", $"--allow {Target}:9000");
        await Fleet.IdleAsync("a1");
    }

    private void SetLink(string state) => _client.Ip("link", "set", "eth0", state);

    private int Established() => new SocketStatistics(_client).Lines("established", Ports).Length;

    private string[] Ends() => [.. new SocketStatistics(_client).Lines("established", Ports).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2])];
}
