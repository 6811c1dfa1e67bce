using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Proxies;

namespace LoadHarness.EndToEnd.Tests.Runs;

/// <summary>Reconnect storms through a real HAProxy, which counts for itself.</summary>
[NonParallelizable]
public sealed class StormTests : BenchTest
{
    private const string Proxy = "127.0.0.1:8443";
    private const int Goal = 50_000;
    private const int Part = Goal / 10;

    [Test]
    public async Task Reconnect_TenPercentOfFiftyThousand_RecoveryIsInTheSummaryAndHaProxySawEachConnection()
    {
        // Who is ESTABLISHED has a place in HAProxy's queue, also while it does not run for a while.
        Bench.Namespace.SetSysctl("net.core.somaxconn", "65535");
        await Bench.BackendAsync("127.0.0.1:9000-9009");
        await using var proxy = await HaProxy.StartAsync(new(Proxy, [.. Enumerable.Range(9000, 10).Select(port => $"127.0.0.1:{port}")])
        {
            Namespace = Bench.Namespace,
            Processes = 6,
        });
        // Two sources: a storm by FIN wants tuples that are fresh.
        var run = Bench.LoadHarnessLine($"run {Proxy} -c {Goal} --ramp 10s --hold 60s --sources 127.1.0.1-127.1.0.2 --json");
        await run.HoldingAsync(Goal);
        await Bench.EventuallyAsync(() => proxy.CurrentConnections() == Goal, () => $"HAProxy counts {proxy.CurrentConnections()}");
        var accepted = proxy.Sum("CumConns");

        await StormAsync("--fraction 10% --within 1s", 1);
        // ESTABLISHED comes before HAProxy's accept().
        await Bench.EventuallyAsync(() => proxy.Sum("CumConns") - accepted >= Part - 2, () => $"HAProxy accepted {proxy.Sum("CumConns") - accepted}");
        await Bench.EventuallyAsync(() => proxy.CurrentConnections() == Goal, () => $"HAProxy counts {proxy.CurrentConnections()}");
        var acceptedByFin = proxy.Sum("CumConns") - accepted;
        var heldByFin = proxy.CurrentConnections();
        await StormAsync("--fraction 10% --within 200ms --close rst", 2);
        await Bench.EventuallyAsync(() => proxy.CurrentConnections() == Goal, () => $"HAProxy counts {proxy.CurrentConnections()}");
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();
        var storms = summary.List("storms");
        foreach (var storm in storms)
            await TestContext.Out.WriteLineAsync($"HAProxy accepted {acceptedByFin} for the first; {storm}");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(storms.Select(s => (s.Text("close"), s.Number("held"))), Is.EqualTo(new[] { ("fin", (long)Goal), ("rst", Goal) }));
            // Each agent cuts its part to a whole number.
            Assert.That(storms.Select(s => s.Number("closed")), Has.All.InRange(Part - 2, Part + 2));
            Assert.That(storms.Select(s => s.Number("opened")), Is.EqualTo(storms.Select(s => s.Number("closed"))));
            Assert.That(storms.Select(s => s.Real("recoverySeconds")), Has.All.InRange(0.2, 30));
            Assert.That(acceptedByFin, Is.GreaterThanOrEqualTo(storms[0].Number("closed")), "CumConns of HAProxy");
            Assert.That(heldByFin, Is.EqualTo(Goal).Within(Part), "CurrConns of HAProxy");
            Assert.That(summary.Number("result.opened"), Is.EqualTo(Goal + storms.Sum(s => s.Number("opened"))));
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(Goal), "a storm that was asked for is no failure to hold");
            Assert.That(summary.Number("result.heldEstablishedEnd"), Is.EqualTo(Goal));
            Assert.That(summary.Number("result.closedByPeer"), Is.Zero);
            Assert.That(summary.Number("failures.total"), Is.Zero);
            Assert.That(summary.List("events").Select(e => e.Text("kind")).Where(k => k is "storm" or "recovered"),
                Is.EqualTo(new[] { "storm", "recovered", "storm", "recovered" }));
        }
    }

    // Returns when the run has recovered from it.
    private async Task StormAsync(string options, int number)
    {
        var ordered = await Bench.RunAsync($"runs reconnect {options}", Bench.Soon);
        Assert.That(ordered.ExitCode, Is.Zero, ordered.Log);
        Assert.That(ordered.Error, Does.Contain($"reconnect storm {number}: 10% of 50,000 connections"));
        for (var end = DateTime.UtcNow + Bench.Soon; ; await Task.Delay(200))
        {
            var shown = await Bench.ShowAsync();
            if (shown.Has("events") && shown.List("events").Count(e => e.Text("kind") == "recovered") == number)
                return;
            Assert.That(DateTime.UtcNow, Is.LessThan(end), $"storm {number} is not recovered from:\n{shown}");
        }
    }
}
