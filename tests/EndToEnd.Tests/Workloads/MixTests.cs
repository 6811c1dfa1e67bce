using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Proxies;
using LoadHarness.TestKit.Targets;

namespace LoadHarness.EndToEnd.Tests.Workloads;

/// <summary>Connections of several kinds in one run, and those that want their bytes back.</summary>
[Parallelizable(ParallelScope.All)]
public sealed partial class MixTests : BenchTest
{
    private const string Where = "127.0.0.1:8080";

    [Test]
    public async Task Weights_AreSharesOfTheConnectionsThatLive()
    {
        const int goal = 1_000;
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, $"""
            frontend web
                mode http
                bind {Where} backlog 2000
                http-request return status 200 content-type text/plain string hello
            """);
        var run = Bench.LoadHarnessLine($"run http://{Where}/ --workload hold=80,http=15,churn=5 --lifetime 1s --think-time 500ms -c {goal} --ramp 3s --hold 14s --json");
        await run.HoldingAsync(goal);

        // What ss says: http has sent something, churn is another connection some seconds later.
        var before = BytesSent();
        await Task.Delay(TimeSpan.FromSeconds(4));
        var after = BytesSent();
        var stayed = after.Where(c => before.ContainsKey(c.Key)).ToList();
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();
        await proxy.SettleAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(stayed.Count(c => c.Value == 0), Is.EqualTo(800).Within(3), "hold: lives and sends nothing");
            Assert.That(stayed.Count(c => c.Value > 0), Is.EqualTo(150).Within(3), "http");
            Assert.That(after.Count - stayed.Count, Is.InRange(20, 53), "churn: was not there four seconds ago");
            Assert.That(summary.Number("requests.completed"), Is.EqualTo(proxy.Stat("web", "hrsp_2xx")).And.GreaterThan(150));
            Assert.That(summary.Number("result.opened"), Is.EqualTo(proxy.Stat("web", "conn_tot")).And.GreaterThan(goal + 100), "those that churn are replaced");
            Assert.That(summary.Number("failures.total"), Is.Zero, ended.Log);
        }
    }

    [TestCase(0, 0)]
    [TestCase(100_000, 1)]
    public async Task Echo_ThroughHaProxy_EveryMessageComesBackAndAWrongByteIsFound(int wrongByteEvery, int leastWrong)
    {
        const int size = 1_000;
        using var target = EchoTarget.Start(Bench.Namespace, IPEndPoint.Parse("127.0.0.1:9000"), wrongByteEvery);
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, $"""
            frontend clients
                bind {Where}
                default_backend servers
            backend servers
                server one 127.0.0.1:9000
            """);

        var ended = await Bench.RunAsync($"run {Where} --workload echo --message-size {size} --think-time 100ms -c 40 --ramp 1s --hold 8s --json");
        var summary = ended.Summary();
        await proxy.SettleAsync();
        var wrong = wrongByteEvery == 0 ? [] : new Dictionary<string, long> { ["response/target/protocol-error"] = target.WrongBytes };

        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Number("requests.offered") * size, Is.EqualTo(target.Bytes).And.EqualTo(proxy.Stat("clients", "bin")));
            Assert.That(summary.Number("requests.completed"), Is.EqualTo((target.Bytes / size) - target.WrongBytes).And.GreaterThan(100));
            Assert.That(target.WrongBytes, Is.GreaterThanOrEqualTo(leastWrong));
            Assert.That(summary.Numbers("failures.byReason"), Is.EqualTo(wrong), ended.Log);
            Assert.That(summary.List("failures.details").Select(d => d.Text("words")), Is.EqualTo(wrong.Keys.Select(_ => "other bytes than were sent")));
            Assert.That(summary.Number("result.opened"), Is.EqualTo(40 + target.WrongBytes).And.EqualTo(proxy.Stat("clients", "conn_tot")), "whose content is wrong is closed and replaced");
        }
    }

    // By local port.
    private Dictionary<string, long> BytesSent() => Bench.Namespace.Exec("ss", "-HOtin", "state", "established", "( dport = :8080 )")
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .ToDictionary(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2], line => Sent().Match(line) is { Success: true } sent
            ? long.Parse(sent.Groups[1].Value, CultureInfo.InvariantCulture) : 0);

    [GeneratedRegex(@"bytes_sent:(\d+)")]
    private static partial Regex Sent();
}
