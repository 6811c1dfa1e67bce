using System.Net;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Certificates;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Proxies;
using LoadHarness.TestKit.Targets;

namespace LoadHarness.EndToEnd.Tests.Workloads;

/// <summary>
/// Servers that do not answer as HTTP and TLS want it: right counters and right words, and one agent that meets them all keeps nothing of it.
/// </summary>
[NonParallelizable]
public sealed class BadPeerTests
{
    private const string Agent = "client";
    private const string Target = "10.77.2.1";
    private const int Passed = 0;
    private const int GoalMissed = 4;

    private static FleetBench _fleet = null!;
    private static NetworkNamespace _client = null!;
    private static NetworkNamespace _target = null!;
    private static AgentTraces _traces = null!;

    [OneTimeSetUp]
    public static async Task MakeFleet()
    {
        _fleet = await FleetBench.CreateAsync();
        (_client, _target) = (_fleet.Lan.AddHost("10.77.1.1/16"), _fleet.Lan.AddHost($"{Target}/16"));
        await _fleet.ServeAsync();
        _traces = new(_fleet, _client, Agent, _fleet.Agent(_client, Agent, "--allow 10.77.0.0/16").Pid);
        await _fleet.IdleAsync(Agent);
        using var target = MisbehavingTarget.Start(Misbehaviour.None, _target, 9000, address: IPAddress.Parse(Target));
        await _fleet.RunAsync($"run {Target}:9000 -c 10 --hold 1s --json");
        _traces.Remember();
    }

    [OneTimeTearDown]
    public static Task RemoveFleet() => _fleet.DisposeAsync().AsTask();

    [Test]
    public async Task Responses_ThatAreNone_AreToldApartAndOthersGoOn()
    {
        const int goal = 40;
        var targets = new Dictionary<string, ScriptedTarget>
        {
            ["a response that ends in the middle"] = Serve(9001, new("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nnot all of it") { Closes = true }),
            ["a header of more than 64 KB"] = Serve(9002, new($"HTTP/1.1 200 OK\r\nX-Long: {new string('x', 10_000_000)}\r\nContent-Length: 0\r\n\r\n")),
            ["a bad chunk"] = Serve(9003, new("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n")),
            ["bytes that no request asked for"] = Serve(9004, new("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nmore")),
            ["an HTTP/2 frame: the target speaks HTTP/2 only"] = Serve(9005, new("\0\0\u0006\u0004\0\0\0\0\0\0\u0003\0\0\0d")),
            ["a response with two lengths, or with one where there is no body"] =
                Serve(9006, new("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")),
        };
        // Without an end, as far as 64 KB are concerned.
        using var interim = Serve(9007, new(string.Concat(Enumerable.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100_000))));
        using var good = Serve(9008, ScriptedAnswer.Ok);

        var ended = await _fleet.RunAsync($"run http://{Target}:9001-9008/ -c {goal} --think-time 200ms --ramp 1s --hold 8s --json");
        var summary = ended.Summary();
        var counts = summary.List("failures.details").ToDictionary(d => d.Text("words"), d => d.Number("count"));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.AnyOf(Passed, GoalMissed), ended.Log);
            Assert.That(counts.Keys, Is.EquivalentTo(targets.Keys), ended.Log);
            foreach (var (words, target) in targets)
            {
                var asked = target.Requests.Count + (target == targets["a header of more than 64 KB"] ? interim.Requests.Count : 0);
                Assert.That(counts.GetValueOrDefault(words), Is.EqualTo(asked).And.GreaterThan(5), words);
            }

            // What comes behind a complete response ends the connection, and the request is answered.
            var answered = good.Requests.Count + targets["bytes that no request asked for"].Requests.Count;
            Assert.That(summary.Number("requests.completed"), Is.EqualTo(answered));
            Assert.That(good.Requests.Max(r => r.Connection), Is.LessThan(goal), "nobody closes those to the good one, which has all in the end");
            Assert.That(summary.Number("requests.offered"), Is.EqualTo(summary.Number("requests.completed") + summary.Number("requests.failed")));
            Assert.That(summary.Numbers("failures.byReason").Keys, Is.EqualTo(new[] { "hold/target/protocol-error", "response/target/protocol-error" }));
            Assert.That(ended.Log, Does.Not.Contain("   at "), "no trace of a stack");
        }

        foreach (var target in targets.Values)
            target.Dispose();
        await _traces.ExpectNoneAsync();
    }

    [Test]
    public async Task Alert_InTheMiddleOfARun_IsSaidAndTheConnectionsAreReplaced()
    {
        const int goal = 50;
        using var authority = new PemAuthority();
        await using var proxy = await HaProxy.StartAsync(_target, $"""
            frontend secure
                mode http
                log global
                log-format "%f %sslv %ST"
                bind {Target}:8444 ssl crt {authority.Issue(Target).BothPath}
                http-request return status 200 content-type text/plain string hello
            """);
        using var relay = CorruptingRelay.Start(_target, IPEndPoint.Parse($"{Target}:8443"), IPEndPoint.Parse($"{Target}:8444"));
        var run = _fleet.User($"run https://{Target}:8443/ --tls-ca {authority.Path} --heartbeat 1s -c {goal} --ramp 2s --hold 12s --json");
        await run.HoldingAsync(goal);

        relay.Corrupt();
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();
        await proxy.SettleAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(relay.Corrupted, Is.EqualTo(goal), "once on each connection that was open");
            Assert.That(summary.Numbers("failures.byReason"), Is.EqualTo(new Dictionary<string, long> { ["response/target/alert"] = goal }), ended.Log);
            Assert.That(summary.List("failures.details").Select(d => d.Text("words")), Is.EqualTo(new[] { "alert 20, bad record MAC" }));
            Assert.That(summary.Number("result.reopened"), Is.EqualTo(goal));
            Assert.That(summary.Number("result.heldEstablishedEnd"), Is.EqualTo(goal));
            Assert.That(summary.Number("requests.failed"), Is.EqualTo(goal));
            Assert.That(summary.Number("requests.completed"), Is.EqualTo(proxy.Stat("secure", "hrsp_2xx")));
        }

        await _traces.ExpectNoneAsync();
    }

    private static ScriptedTarget Serve(int port, ScriptedAnswer answer) =>
        _target.Enter(() => new ScriptedTarget(IPAddress.Parse(Target), port, _ => answer));
}
