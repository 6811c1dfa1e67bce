using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.EndToEnd.Tests.Runs;

/// <summary>
/// As many connections as this machine's memory takes, both ends on it. Each wants the machine for itself, 11 GB of memory for each million,
/// and for two million a higher fs.file-max (which a test sets and puts back).
/// </summary>
[NonParallelizable]
[Category("Long")]
public sealed class MillionTests : BenchTest
{
    private const string FileMax = "/proc/sys/fs/file-max";
    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(20);

    // Each agent's link, samples and heap take some 13 MB once it works, which four of them spread over fewer connections.
    [TestCase(1_000_000, 1, 64)]
    [TestCase(2_000_000, 1, 64)]
    [TestCase(2_000_000, 4, 80)]
    public async Task Demo_Millions_AreHeldAndTheKernelAgrees(int goal, int agents, int bytesPerConnection)
    {
        await using var files = await RoomForFilesAsync((2L * goal) + 100_000);
        var demo = Bench.LoadHarnessLine($"demo -c {goal} --agents {agents} --ramp {goal / 20_000}s --hold 60s --json");
        await demo.WaitForLineAsync("holding", _patience);
        // The kernel's own number, of both ends, while the run's readers count the one and the other.
        var inUse = Bench.Sockets.Tcp()["inuse"];

        var ended = await Bench.FinishAsync(demo, _patience);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(inUse, Is.InRange(2L * goal, (2L * goal) + 2_000), "sockets that /proc/net/sockstat counts");
            Assert.That(summary.List("agents"), Has.Count.EqualTo(agents));
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(goal));
            Assert.That(summary.Number("kernel.established"), Is.EqualTo(goal));
            Assert.That(summary.Flag("kernel.agrees"), Is.True);
            Assert.That(summary.Real("rates.failed"), Is.Zero, "connects that failed");
            foreach (var agent in summary.List("agents").Concat(summary.List("backends")))
                Assert.That(agent.Real("bytesPerConnection"), Is.LessThanOrEqualTo(bytesPerConnection), $"user-space bytes a connection over the base of {agent.Text("id")}");
        }
    }

    private static async Task<Restore> RoomForFilesAsync(long files)
    {
        var before = await File.ReadAllTextAsync(FileMax);
        if (long.Parse(before) < files)
            await File.WriteAllTextAsync(FileMax, $"{files}");
        return new(before);
    }

    private sealed class Restore(string before) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await File.WriteAllTextAsync(FileMax, before);
    }
}
