using System.Globalization;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Proxies;

namespace LoadHarness.EndToEnd.Tests.Workloads;

/// <summary>HTTP requests one after the other on each connection, counted by a real HAProxy too.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class HttpTests : BenchTest
{
    private const string Where = "127.0.0.1:8080";

    private const string Frontend = $"""
        frontend web
            mode http
            log global
            option http-ignore-probes
            bind {Where} backlog 1024
        """;

    [Test]
    public async Task Closed_WithoutThinkTime_EveryRequestIsOneThatHaProxyHasAnswered()
    {
        const int goal = 50;
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, $"""
            {Frontend}
                log-format "%f %ST"
                http-request set-log-level silent
                http-request return status 200 content-type text/plain string hello
            """);

        var ended = await Bench.RunAsync($"run http://{Where}/ -c {goal} --ramp 1s --hold 8s --json");
        var summary = ended.Summary();
        await proxy.SettleAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Number("requests.completed"), Is.EqualTo(proxy.Stat("web", "hrsp_2xx")).And.GreaterThan(goal));
            Assert.That(summary.Number("requests.offered"), Is.EqualTo(proxy.Stat("web", "req_tot")));
            Assert.That(summary.Number("result.opened"), Is.EqualTo(proxy.Stat("web", "conn_tot")).And.EqualTo(goal));
            Assert.That(summary.Number("requests.notOffered"), Is.Zero);
            Assert.That(summary.Number("failures.total"), Is.Zero);
            foreach (var latency in (string[])["request", "requestService", "timeToFirstByte"])
                Assert.That(summary.Number($"latency.{latency}.count"), Is.EqualTo(summary.Number("requests.completed")), latency);
            ExpectSums(summary);
        }
    }

    [Test]
    public async Task Closed_WithThinkTime_NoConnectionAsksSooner()
    {
        const int goal = 50;
        const int think = 200;
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, $"""
            {Frontend}
                log-format "%f %Ti"
                http-request return status 200 content-type text/plain string hello
            """);

        var ended = await Bench.RunAsync($"run http://{Where}/ -c {goal} --think-time {think}ms --ramp 1s --hold 8s --json");
        var summary = ended.Summary();
        await proxy.SettleAsync();
        // From the end of a response to the first byte of the next request, as HAProxy sees it.
        var idle = proxy.LogOf("web").Select(words => int.Parse(words[0], CultureInfo.InvariantCulture)).ToList();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Number("requests.completed"), Is.EqualTo(idle.Count).And.EqualTo(proxy.Stat("web", "hrsp_2xx")).And.GreaterThan(2 * goal));
            Assert.That(summary.Number("result.opened"), Is.EqualTo(goal));
            Assert.That(summary.Number("failures.total"), Is.Zero);
            Assert.That(idle.Count(i => i < think - 1), Is.LessThanOrEqualTo(goal), "the first request of each connection comes at once");
            ExpectSums(summary);
        }
    }

    [Test]
    public async Task RequestsPerConnection_AndAnswersThatAreNotExpected_AreWhatHaProxySaw()
    {
        const int goal = 40;
        const int each = 5;
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, $$"""
            {{Frontend}}
                log-format "%f %cp %ST"
                http-request wait-for-body time 60s
                http-request return status 503 if { rand(4) eq 0 }
                http-request return status 201 if { method PUT } { path /goods } { hdr(host) shop.example } { hdr(x-run) 7 } { req.body -m str hello }
                http-request return status 400
            """);

        var ended = await Bench.RunAsync(
            $"run http://{Where}/goods --method put --host shop.example --header X-Run:7 --body hello --requests-per-connection {each} --think-time 100ms "
            + $"-c {goal} --connect-rate 400/s --hold 8s --json");
        var summary = ended.Summary();
        await proxy.SettleAsync();
        var connections = proxy.LogOf("web").GroupBy(words => words[0], words => words[1]).Select(c => c.Count()).ToList();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(connections, Has.All.InRange(1, each));
            Assert.That(connections.Count(c => c < each), Is.LessThanOrEqualTo(goal), "those that the drain ended");
            Assert.That(summary.Number("result.opened"), Is.EqualTo(proxy.Stat("web", "conn_tot")).And.GreaterThan(2 * goal));
            Assert.That(summary.Number("result.closedByPeer"), Is.Zero);
            Assert.That(summary.Number("requests.completed"), Is.EqualTo(proxy.Stat("web", "hrsp_2xx")).And.Positive, "answered with 201");
            Assert.That(proxy.Stat("web", "hrsp_4xx"), Is.Zero, "requests that are not what was asked for");
            Assert.That(summary.Number("requests.failed"), Is.EqualTo(proxy.Stat("web", "hrsp_5xx")).And.Positive, "answered with 503");
            Assert.That(summary.Numbers("failures.byReason"), Is.EqualTo(
                new Dictionary<string, long> { ["response/target/unexpected-status"] = summary.Number("requests.failed") }));
            Assert.That(summary.List("failures.details").Select(d => d.Text("words")), Is.EqualTo(new[] { "status 503" }));
            Assert.That(summary.Number("latency.request.count"), Is.EqualTo(summary.Number("requests.completed")), "an error that comes fast flatters nothing");
            ExpectSums(summary);
        }
    }

    // Nothing is under way when a run has ended.
    private static void ExpectSums(Json summary)
    {
        Assert.That(summary.Number("requests.scheduled"), Is.EqualTo(summary.Number("requests.offered") + summary.Number("requests.notOffered")));
        Assert.That(summary.Number("requests.offered"), Is.EqualTo(summary.Number("requests.completed") + summary.Number("requests.failed")));
    }
}
