using System.Globalization;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Proxies;

namespace LoadHarness.EndToEnd.Tests.Workloads;

/// <summary>How long connections live that churn, and how they end, as a real HAProxy logs it.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class LifetimeTests : BenchTest
{
    private const string Where = "127.0.0.1:8443";
    private const int Goal = 200;

    // What a machine that stands still for some seconds adds to lives, of those that are open then.
    private const double Stalled = 0.13;

    // Shares of lives of at least so many milliseconds.
    [TestCase("1s", "fin", "--", new[] { 970, 1600 }, new[] { 1, 0.0 })]
    [TestCase("500ms-1500ms", "rst", "CD", new[] { 480, 1000, 1600 }, new[] { 1, 0.5, 0 })]
    [TestCase("exp:1s", "fin", "--", new[] { 500, 1000, 2000 }, new[] { 0.607, 0.368, 0.135 })]
    public async Task Lifetime_IsDistributedAsAskedAndEndsAsAsked(string lifetime, string close, string end, int[] millis, double[] shares)
    {
        await using var proxy = await StartAsync("timeout client 1h");

        var ended = await Bench.RunAsync($"run {Where} --workload churn --lifetime {lifetime} --close {close} -c {Goal} --ramp 1s --hold 12s --json");
        var summary = ended.Summary();
        await proxy.SettleAsync();
        var lives = Lives(proxy);
        // Those that could live five times the mean: what the drain ended, and what was so long that it did, tell nothing.
        var last = lives.Max(l => l.End) - 5_500;
        var complete = lives.Where(l => l.End - l.Length < last).ToList();
        await TestContext.Out.WriteLineAsync($"{complete.Count} of {lives.Count} lives; of at least: "
            + string.Join(", ", millis.Select(m => $"{m} ms {ShareOf(m):0.000}")));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(complete, Has.Count.GreaterThan(2 * Goal));
            foreach (var (least, share) in millis.Zip(shares))
                Assert.That(ShareOf(least), Is.InRange(share - (share == 1 ? 0.02 : 0.08), share + Stalled), $"lives of {least} ms and more");
            // Some lives that are drawn are over before HAProxy has reached its server: CC.
            Assert.That(complete.Where(l => l.How != end && (l.How != "CC" || l.Length > 10)), Is.Empty, "how they end");
            Assert.That(lifetime == "1s" || summary.Flag("result.reached"), Is.True, "drawn lives end in bunches, and are made good between them");
            Assert.That(summary.Number("result.opened"), Is.EqualTo(proxy.Stat("clients", "conn_tot")).And.EqualTo(lives.Count));
            Assert.That(summary.Real("rates.completed"), Is.InRange(0.7 * Goal, 1.1 * Goal), "goal / mean lifetime");
            Assert.That(summary.Number("failures.total"), Is.Zero, ended.Log);
        }

        double ShareOf(int least) => complete.Count(l => l.Length >= least) / (double)complete.Count;
    }

    [Test]
    public async Task ClosedByThePeer_NewConnectionsPerSecondAreTheGoal()
    {
        const int rate = 150;
        await using var proxy = await StartAsync("timeout client 1s");

        var ended = await Bench.RunAsync($"run {Where} --workload churn --close peer --reuse immediate -c {Goal} --connect-rate {rate}/s --hold 10s --json");
        var summary = ended.Summary();
        await proxy.SettleAsync();
        var lives = Lives(proxy);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Real("rates.completed"), Is.InRange(0.6 * rate, 1.1 * rate), "per second");
            Assert.That(summary.Number("result.opened"), Is.EqualTo(lives.Count));
            Assert.That(lives.Count(l => l.How == "cD"), Is.GreaterThan(2 * Goal).And.GreaterThanOrEqualTo(lives.Count - Goal), "HAProxy's timeout client; the drain ends the rest");
            Assert.That(summary.Number("failures.total"), Is.Zero, "that the peer closes is what was asked for");
            Assert.That(summary.Number("result.aborted"), Is.Zero);
        }
    }

    private async Task<HaProxy> StartAsync(string timeout)
    {
        await Bench.BackendAsync("127.0.0.1:9000");
        return await HaProxy.StartAsync(Bench.Namespace, $"""
            frontend clients
                log global
                log-format "%f %Tt %ts %[date(0,ms)]"
                {timeout}
                bind {Where} backlog 1024
                default_backend servers
            backend servers
                server one 127.0.0.1:9000
            """);
    }

    private static List<(long Length, string How, long End)> Lives(HaProxy proxy) =>
        [.. proxy.LogOf("clients").Select(w => (Number(w[0]), w[1], Number(w[2])))];

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
