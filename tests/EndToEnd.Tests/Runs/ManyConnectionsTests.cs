using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Runs;

/// <summary>One agent process with more connections than RLIMIT_NOFILE, in a slice that is full to the last tuple.</summary>
[NonParallelizable]
public sealed class ManyConnectionsTests : BenchTest
{
    // 198 blocks of 256 ports, each with two destinations: 101,376 tuples. Above them the ephemeral range goes on.
    private const string Run = "run 127.0.0.1:5000-5001 -c 101376 --agents 1 --source-ports 6144-56831 --ramp 8s --json";
    private const int Goal = 101_376;

    [Test]
    public async Task OneAgent_FullSlice_HoldsMoreThanItsDescriptorLimitAndTheHostStillConnects()
    {
        await Bench.BackendAsync("127.0.0.1:5000-5001");
        await Bench.BackendAsync("127.0.0.1:5080", "--http");
        var run = Bench.LoadHarnessLine($"{Run} --hold 25s");
        await run.HoldingAsync(Goal);

        var curl = Bench.Namespace.Exec("curl", "-sS", "--max-time", "60", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:5080/");
        var counted = Bench.Sockets.Established(5000, 5001);
        var agent = run.FamilyOf("loadharness-agent").Single();
        var limit = DescriptorLimit(agent);
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(curl, Is.EqualTo("200"), "an ordinary program while the slice is full");
            Assert.That(counted, Is.EqualTo(Goal));
            Assert.That(limit, Is.LessThan(Goal), "otherwise this test shows nothing");
            Assert.That(summary.Number("kernel.established"), Is.EqualTo(Goal));
            Assert.That(summary.Flag("kernel.agrees"), Is.True);
            Assert.That(summary.List("agents"), Has.Count.EqualTo(1));
            Assert.That(summary.Number("failures.total"), Is.Zero);
        }
    }

    [Test]
    [Category("Long")]
    public async Task OneAgent_TenMinutes_KeepsLinkLoggingAndCollectorWorking()
    {
        await Bench.BackendAsync("127.0.0.1:5000-5001");
        var run = Bench.LoadHarnessLine($"{Run} --hold 10m");
        await run.HoldingAsync(Goal);
        var agent = run.FamilyOf("loadharness-agent").Single();
        var first = ResidentKilobytes(agent);

        for (var minute = 1; minute < 10; minute++)
        {
            await Task.Delay(TimeSpan.FromMinutes(1));
            var shown = await Bench.ShowAsync();
            Assert.That(shown.Number("progress.established"), Is.EqualTo(Goal), $"after {minute} minutes");
            Assert.That(shown.Real("progress.kernel.ageSeconds"), Is.LessThan(30), "the link brings fresh readings");
        }

        var last = ResidentKilobytes(agent);
        var ended = await Bench.FinishAsync(run, TimeSpan.FromMinutes(5));
        var summary = ended.Summary();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(Goal));
            Assert.That(summary.List("gaps"), Is.Empty);
            Assert.That(last, Is.LessThan(2 * first), "resident memory, in KB, after ten minutes of samples");
        }
    }

    private static int DescriptorLimit(ProcessEntry process) => int.Parse(File.ReadLines($"/proc/{process.Pid}/limits")
        .First(l => l.StartsWith("Max open files", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[3]);

    private static int ResidentKilobytes(ProcessEntry process) => int.Parse(File.ReadLines($"/proc/{process.Pid}/status")
        .First(l => l.StartsWith("VmRSS", StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1]);
}
