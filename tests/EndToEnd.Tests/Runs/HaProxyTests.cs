using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Proxies;

namespace LoadHarness.EndToEnd.Tests.Runs;

/// <summary>Through a real HAProxy in mode tcp, which counts for itself.</summary>
[NonParallelizable]
public sealed class HaProxyTests : BenchTest
{
    private const string Proxy = "127.0.0.1:8443";
    private static readonly string[] _servers = [.. Enumerable.Range(9000, 10).Select(port => $"127.0.0.1:{port}")];

    [TestCase(9_000, 1, "3s")]
    [TestCase(40_000, 5, "8s")]
    public async Task Hold_ThroughHaProxy_CurrConnsIsWhatTheSummarySays(int goal, int processes, string ramp)
    {
        // Who is ESTABLISHED has a place in HAProxy's queue, also while it does not run for a while.
        Bench.Namespace.SetSysctl("net.core.somaxconn", "65535");
        await Bench.BackendAsync("127.0.0.1:9000-9009");
        await using var proxy = await HaProxy.StartAsync(new(Proxy, _servers) { Namespace = Bench.Namespace, Processes = processes });
        var run = Bench.LoadHarnessLine($"run {Proxy} -c {goal} --ramp {ramp} --hold 12s --json");
        await run.HoldingAsync(goal);

        await Bench.EventuallyAsync(() => proxy.CurrentConnections() >= goal, () => $"HAProxy counts {proxy.CurrentConnections()}");
        var current = proxy.CurrentConnections();
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(current, Is.EqualTo(goal), "CurrConns of HAProxy");
            Assert.That(summary.Number("kernel.established"), Is.EqualTo(current));
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(current));
            Assert.That(summary.Flag("kernel.agrees"), Is.True);
            Assert.That(summary.Number("failures.total"), Is.Zero);
        }

        await Bench.EventuallyAsync(() => proxy.CurrentConnections() == 0, () => $"after the drain HAProxy still has {proxy.CurrentConnections()}");
    }

    [Test]
    public async Task Hold_BeyondMaxconn_ConfirmsWhatHaProxyAcceptedAndExplainsTheRest()
    {
        const int maxconn = 5_000;
        const int goal = 8_000;
        Bench.Namespace.SetSysctl("net.core.somaxconn", "65535");
        await Bench.BackendAsync("127.0.0.1:9000-9009", "--greet");
        await using var proxy = await HaProxy.StartAsync(new(Proxy, _servers) { Namespace = Bench.Namespace, MaxConnections = maxconn });
        var run = Bench.LoadHarnessLine($"run {Proxy} -c {goal} --ramp 3s --hold 15s --expect-greeting --json");
        await run.HoldingAsync(goal);

        await Bench.EventuallyAsync(() => proxy.CurrentConnections() >= maxconn, () => $"HAProxy counts {proxy.CurrentConnections()}");
        var current = proxy.CurrentConnections();
        // Whom it has accepted it greets a little later, and the sample after that says so.
        await Bench.ShowOnceAsync(s => s.Number("progress.confirmed") == maxconn, $"the run does not come to {maxconn} confirmed");
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(current, Is.EqualTo(maxconn), "CurrConns of HAProxy");
            Assert.That(summary.Number("kernel.established"), Is.EqualTo(goal));
            Assert.That(summary.Number("result.confirmed"), Is.EqualTo(maxconn));
            Assert.That(summary.Texts("notes"), Has.Some.Contain("3,000").And.Some.Contain("maxconn"), "in words");
        }
    }
}
