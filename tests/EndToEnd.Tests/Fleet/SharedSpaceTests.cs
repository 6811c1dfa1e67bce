using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.EndToEnd.Tests.Fleet;

/// <summary>Three agents in one network namespace, whose blocks come and go.</summary>
[NonParallelizable]
public sealed class SharedSpaceTests : FleetTest
{
    private const string Target = "10.77.0.6";

    [Test]
    public async Task Run_ScaledUpAndDownOverASpaceThatIsNearlyFull_NeverCollides()
    {
        var shared = Fleet.Lan.AddHost("10.77.1.1/16");
        await Fleet.ServeAsync();
        Fleet.AgentStart(Fleet.Lan.AddHost($"{Target}/16"), "backend", "--listen", $"{Target}:9000");
        foreach (var id in new[] { "a1", "a2", "a3" })
            Fleet.Agent(shared, id, $"--allow {Target}:9000");
        await Fleet.IdleAsync("a1", "a2", "a3");

        // 30 blocks of 256 ports, one destination: 7,680 tuples.
        var run = Fleet.User($"run {Target}:9000 -c 2000 --agents 3 --source-ports 20480-28159 --reuse immediate --ramp 1s --hold 3m --json");
        await run.HoldingAsync(2_000);
        foreach (var goal in new[] { 7_000, 1_000, 7_500, 300, 7_000 })
        {
            var scaled = await Fleet.RunAsync($"runs scale {goal} --over 2s");
            Assert.That(scaled.ExitCode, Is.Zero, scaled.Log);
            var sockets = new SocketStatistics(shared);
            await Bench.EventuallyAsync(() => sockets.Established(9000, 9000) == goal, () => $"{sockets.Established(9000, 9000)} and not {goal}");
            Assert.That(Tuples(shared), Is.Unique);
            // A peak is the most at the end of a second: the goal stands at least until one has passed.
            await run.HoldingAsync(goal);
        }

        await Fleet.RunAsync("runs stop");
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Number("failures.total"), Is.Zero, ended.Log);
            Assert.That(summary.Number("result.peakEstablished"), Is.EqualTo(7_500));
            Assert.That(summary.Flag("kernel.agrees"), Is.True);
        }
    }

    private static List<string> Tuples(NetworkNamespace host) =>
        [.. new SocketStatistics(host).Lines("established", "( dport = :9000 )").Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2..4]))];
}
