using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.EndToEnd.Tests.Runs;

/// <summary>Connections that end and are replaced, as the kernels of both ends see it.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class ChurnTests : BenchTest
{
    // 5,000 tuples that rest for 60 s after a life of 1 s: 81.97 closes a second.
    private const string OneTuplePerPort = "run 127.0.0.1:5000 --agents 1 --source-ports 20480-25479 --workload churn";
    private const double Ceiling = 5000 / 61.0;

    [Test]
    public async Task Fin_AtThePlannedCeiling_RunsWithoutAnErrorAndTimeWaitIsWhatSsCounts()
    {
        await Bench.BackendAsync("127.0.0.1:5000");
        var run = Bench.LoadHarnessLine($"{OneTuplePerPort} -c 81 --lifetime 1s --close fin --connect-rate 100/s --hold 110s --json");
        await run.HoldingAsync(81);
        // Longer than a tuple rests: from now on each one is used again as soon as it may.
        await Task.Delay(TimeSpan.FromSeconds(68));
        var counted = await CountTimeWaitAsShownAsync();
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Number("failures.total"), Is.Zero, ended.Log);
            // Never more than the ceiling; a machine that stops for some seconds closes none meanwhile, and nothing makes up for them.
            Assert.That(summary.Real("rates.completed"), Is.InRange(0.8 * Ceiling, 1.01 * Ceiling));
            Assert.That(counted, Is.InRange(0.8 * 60 * Ceiling, 1.01 * 60 * Ceiling), "60 s of closes rest");
        }

        ExpectNoReset();
    }

    [Test]
    public async Task Fin_ReusedAtOnce_HasNoCeilingAndThePeersSeeNoReset()
    {
        await Bench.BackendAsync("127.0.0.1:5000");

        var ended = await Bench.RunAsync("run 127.0.0.1:5000 --agents 1 --source-ports 20480-21479 --workload churn -c 200 --lifetime 50ms "
            + "--close fin --reuse immediate --connect-rate 4000/s --hold 15s --json");
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            // At thousands of closes a second some are always under way, so a busy machine may never have the goal at the end of a second.
            // Tuples that rested would be enough for one.
            Assert.That(summary.Number("result.peakEstablished"), Is.GreaterThan(50), ended.Log);
            Assert.That(summary.Number("failures.total"), Is.Zero, ended.Log);
            Assert.That(summary.Number("result.opened"), Is.GreaterThan(10_000), "each of 1,000 ports many times within 60 s");
        }

        ExpectNoReset();
    }

    [Test]
    public async Task Rst_OneTuplePerPort_HasNoCeilingAndLeavesNoTimeWait()
    {
        await Bench.BackendAsync("127.0.0.1:5000");

        var ended = await Bench.RunAsync("run 127.0.0.1:5000 --agents 1 --source-ports 20480-20735 --workload churn -c 100 --lifetime 50ms "
            + "--close rst --connect-rate 2000/s --hold 15s --json");
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Number("result.peakEstablished"), Is.GreaterThan(25), ended.Log);
            Assert.That(summary.Number("failures.total"), Is.Zero, ended.Log);
            Assert.That(summary.Number("result.opened"), Is.GreaterThan(5_000), "each of 256 ports many times within 60 s");
            Assert.That(Bench.Sockets.Count("time-wait", 5000, 5000), Is.LessThanOrEqualTo(100), "only the drain closes by FIN");
        }
    }

    [Test]
    public async Task ConnectRate_AsTheGoal_OpensSoManyEachSecond()
    {
        const int perSecond = 200;
        await Bench.BackendAsync("127.0.0.1:5000");

        var ended = await Bench.RunAsync($"run 127.0.0.1:5000 --workload churn --connect-rate {perSecond}/s --lifetime exp:2s --close rst --hold 20s --json");
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Number("target.connections"), Is.EqualTo(2 * perSecond), "as many as are there at that rate");
            // A machine that stops for some seconds opens none meanwhile.
            Assert.That(summary.Real("result.holdOpenRateMean"), Is.InRange(0.7 * perSecond, 1.15 * perSecond));
            Assert.That(summary.Number("failures.total"), Is.Zero, ended.Log);
        }
    }

    [Test]
    public async Task Fin_BeyondTheCeiling_IsRefusedWithTheArithmeticAndForcedItSaysWhatItReached()
    {
        await Bench.BackendAsync("127.0.0.1:5000");
        // 512 tuples that rest for 60 s and live for 1 s: 8.4 closes a second, and so 8 connections.
        const string Run = "run 127.0.0.1:5000 --agents 1 --source-ports 20480-20991 --workload churn -c 100 --lifetime 1s --connect-rate 1000/s --hold 10s";

        var refused = await Bench.RunAsync(Run);
        var forced = await Bench.RunAsync($"{Run} --force --json");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(refused.ExitCode, Is.EqualTo(7), refused.Log);
            Assert.That(refused.Error, Does.Contain("512").And.Contain("TIME-WAIT").And.Contain("8.4/s").And.Contain("--reuse immediate"));
            Assert.That(forced.ExitCode, Is.Zero, forced.Log);
            Assert.That(forced.Summary().Number("target.connections"), Is.EqualTo(8), "what fits");
            Assert.That(forced.Summary().Number("failures.total"), Is.Zero, "exhaustion is a stated condition and no storm of failures");
            Assert.That(string.Join(' ', forced.Summary().Texts("notes")), Does.Contain("cut from 100 to 8"), "what was asked for");
        }
    }

    // The live view is a reading old, and what a busy machine was late to close comes in a crowd.
    private async Task<int> CountTimeWaitAsShownAsync()
    {
        var counted = 0;
        await Bench.ShowOnceAsync(
            s => Math.Abs(s.Numbers("progress.kernel.states")["TIME-WAIT"] - (counted = Bench.Sockets.Count("time-wait", 5000, 5000))) <= 200,
            "TIME-WAIT in the live view is not what ss counts");
        return counted;
    }

    /// <summary>Neither end was reset, nor did either send one: /proc/net/snmp of the namespace, which is the test's own.</summary>
    private void ExpectNoReset() => Assert.That(Bench.Sockets.TcpCounter("EstabResets"), Is.Zero, "connections that were reset");
}
