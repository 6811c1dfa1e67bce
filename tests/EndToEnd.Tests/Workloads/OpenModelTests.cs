using System.Diagnostics;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Processes;
using LoadHarness.TestKit.Proxies;

namespace LoadHarness.EndToEnd.Tests.Workloads;

/// <summary>Requests on schedule, whatever becomes of those before: what a target's standstill does to latencies.</summary>
[NonParallelizable]
public sealed class OpenModelTests : BenchTest
{
    private const string Where = "127.0.0.1:8080";
    private const int Connections = 40;

    [Test]
    public async Task TargetStandsStill_CorrectedLatencyIsWhatTheArithmeticSaysAndServiceTimeShowsTheNaiveFigure()
    {
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, $"""
            frontend web
                mode http
                bind {Where} backlog 1024
                http-request return status 200 content-type text/plain string hello
            """);
        var rate = await CarriedAsync();
        var before = proxy.Stat("web", "req_tot");
        var since = Standstills.Now;
        var run = Bench.LoadHarnessLine($"run http://{Where}/ -c {Connections} --requests-per-second {rate} --ramp 1s --hold 12s --json");
        await run.HoldingAsync(Connections);
        await Task.Delay(TimeSpan.FromSeconds(3));

        proxy.Send(Signal.Stop);
        var stopped = Stopwatch.GetTimestamp();
        await Task.Delay(TimeSpan.FromSeconds(1));
        var shortest = Stopwatch.GetElapsedTime(stopped);
        proxy.Send(Signal.Continue);
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();
        await proxy.SettleAsync();

        // Whoever was to be sent while the target stood still waits until it goes on: evenly from all of the stall to nothing. Of all
        // requests, so many in a hundred as make one percent wait longer than the stall less a hundredth of the run. Those that the
        // agent was too late to send would have waited too.
        var (stall, slack) = (shortest.TotalMilliseconds, 350 + (1000 * Standstills.SecondsSince(since)));
        var (completed, unsent) = (summary.Number("requests.completed"), summary.Number("requests.notOffered"));
        var p99 = stall - ((0.01 * completed) + unsent) / rate * 1000;
        await TestContext.Out.WriteLineAsync(
            $"{rate}/s, stall {stall:0} ms: expected p99 {p99:0} ms; corrected {summary.Real("latency.request.p99"):0}, max {summary.Real("latency.request.max"):0}; "
            + $"service p99 {summary.Real("latency.requestService.p99"):0}, max {summary.Real("latency.requestService.max"):0}; {completed} completed, {unsent} not offered");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Real("latency.request.p99"), Is.InRange(0.98 * p99, stall - (0.01 * completed / rate * 1000) + slack), "of one run, corrected");
            Assert.That(summary.Real("latency.request.max"), Is.InRange(0.98 * stall, stall + slack));
            // Each connection had one request under way when it began, which are too few to matter to a percentile.
            Assert.That(completed, Is.GreaterThan(200 * Connections));
            Assert.That(summary.Real("latency.requestService.p99"), Is.LessThan(summary.Real("latency.request.p99") / 2), "what a naive clock shows");
            Assert.That(summary.Real("latency.requestService.max"), Is.InRange(0.95 * stall, stall + slack));

            Assert.That(summary.Number("requests.scheduled"), Is.EqualTo(summary.Number("requests.offered") + unsent));
            Assert.That(summary.Number("requests.offered"), Is.EqualTo(completed + summary.Number("requests.failed")));
            Assert.That(completed, Is.EqualTo(proxy.Stat("web", "req_tot") - before), "what HAProxy answered");
            Assert.That(summary.Number("requests.failed"), Is.Zero);
        }
    }

    // A fifth of what the machine carries now, at most 20,000 a second.
    private async Task<long> CarriedAsync()
    {
        var measured = await Bench.RunAsync($"run http://{Where}/ -c {Connections} --ramp 1s --hold 4s --json");
        Assert.That(measured.ExitCode, Is.Zero, measured.Log);
        return Math.Clamp((long)measured.Summary().Real("requests.perSecond.completed") / 5, 1000, 20_000);
    }
}
