using System.Globalization;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Proxies;

namespace LoadHarness.EndToEnd.Tests.Workloads;

/// <summary>Held connections that send something now and then, to a proxy that ends those that do not.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class HeartbeatTests : BenchTest
{
    private const string Where = "127.0.0.1:8080";
    private const int PeriodMillis = 2_000;

    // Whole numbers of each on two, three, four or six reactors.
    private const int Beating = 240;
    private const int Asking = 60;
    private const int Silent = 60;

    [Test]
    public async Task Heartbeat_OfTheHeldOnesOfAMix_KeepsThoseThatHaProxyWouldEnd()
    {
        // Longer than a period and the longest stall, and much shorter than the hold.
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, $"""
            frontend web
                mode http
                log global
                log-format "%f %cp %ST %[date(0,ms)]"
                timeout client 6s
                timeout http-request 6s
                timeout http-keep-alive 6s
                bind {Where} backlog 1024
                http-request return status 200 content-type text/plain string hello
            """);

        var ended = await Bench.RunAsync(
            $"run http://{Where}/ --workload hold={Beating},http={Asking},churn={Silent} --heartbeat {PeriodMillis}ms --think-time 250ms --close peer "
            + $"-c {Beating + Asking + Silent} --ramp 2s --hold 16s --json");
        var summary = ended.Summary();
        await proxy.SettleAsync();
        var asked = proxy.LogOf("web").Where(words => words[1] == "200")
            .GroupBy(words => words[0], words => long.Parse(words[2], CultureInfo.InvariantCulture)).Select(c => c.Order().ToList()).ToList();
        // Those that think for a quarter of a second ask several times as often, however this machine stands still.
        var beats = asked.Where(c => c.Count <= 12).ToList();
        var silent = proxy.LogOf("web").Count(words => words[1] == "408");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(beats, Has.Count.EqualTo(Beating), "those that beat were opened once and lived to the end");
            Assert.That(beats.Select(c => c.Count), Has.All.InRange(6, 10), "none misses a beat, and what is late is made good");
            Assert.That(Median(beats.SelectMany(c => c.Zip(c.Skip(1), (a, b) => b - a))), Is.EqualTo(PeriodMillis).Within(50));
            Assert.That(asked, Has.Count.EqualTo(Beating + Asking), "and so did those that ask as soon as they have thought");
            Assert.That(asked.Except(beats).Select(c => c.Count), Has.All.GreaterThan(20));
            Assert.That(summary.Number("requests.completed"), Is.EqualTo(asked.Sum(c => c.Count)).And.EqualTo(summary.Number("requests.scheduled")));
            Assert.That(summary.Number("requests.failed"), Is.Zero);
            ExpectSpreadEvenly([.. beats.SelectMany(c => c)]);

            Assert.That(silent, Is.GreaterThanOrEqualTo(Silent), "those without a heartbeat end by HAProxy's time-out, and so do those in their place");
            Assert.That(summary.Number("failures.total"), Is.Zero, "the target's end is what --close peer waits for");
            Assert.That(summary.Number("result.opened"), Is.EqualTo(proxy.Stat("web", "conn_tot")));
        }
    }

    // Of a period each part has its share in most periods: one that the machine stood still in says nothing.
    private static void ExpectSpreadEvenly(List<long> beats)
    {
        const int parts = 4;
        const int partMillis = PeriodMillis / parts;
        const double share = Beating / (double)parts;
        // All are open by then.
        var first = beats.Min() + 4_000;
        var counts = beats.Where(b => b >= first && b < first + (5 * PeriodMillis)).CountBy(b => (b - first) / partMillis).ToDictionary();
        var medians = Enumerable.Range(0, parts)
            .Select(part => Median(Enumerable.Range(0, 5).Select(period => (long)counts.GetValueOrDefault((period * parts) + part)))).ToList();
        Assert.That(medians, Has.All.InRange(0.8 * share, 1.2 * share), "beats in each quarter of a period");
    }

    private static long Median(IEnumerable<long> values)
    {
        var sorted = values.Order().ToList();
        return sorted.Count == 0 ? 0 : sorted[sorted.Count / 2];
    }
}
