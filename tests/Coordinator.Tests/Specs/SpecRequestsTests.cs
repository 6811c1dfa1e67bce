using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.Specs;

/// <summary>Which requests connections carry, and when.</summary>
public class SpecRequestsTests
{
    private static readonly RunSpecInput _http = new() { Targets = ["http://10.0.0.5/a?b=c"], Connections = "100" };
    private static readonly RunSpecInput _tcp = new() { Targets = ["10.0.0.5:443"], Connections = "100" };

    private static WorkloadSpec Only(RunSpecInput input)
    {
        var result = RunSpecValidator.Validate(input, _ => []);
        Assert.That(result.Errors, Is.Empty);
        return result.Spec!.Workload.Single().Workload;
    }

    // By weight.
    private static Dictionary<int, WorkloadSpec> Mix(RunSpecInput input)
    {
        var result = RunSpecValidator.Validate(input, _ => []);
        Assert.That(result.Errors, Is.Empty);
        return result.Spec!.Workload.ToDictionary(w => w.Weight, w => w.Workload);
    }

    private static ImmutableArray<string> Errors(RunSpecInput input) => [.. RunSpecValidator.Validate(input, _ => []).Errors.Select(e => e.Message)];

    [Test]
    public void Validate_HttpTarget_SendsGetsOneAfterTheOther()
    {
        var http = (WorkloadSpec.Http)Only(_http);
        using (Assert.EnterMultipleScope())
        {
            Assert.That((http.Request.Method, http.Request.Path, http.Request.Host, http.Request.Body.Length), Is.EqualTo(("GET", "/a?b=c", (string?)null, 0)));
            Assert.That(http.Expected, Is.EqualTo(new[] { new PortSpan(200, 399) }));
            Assert.That(http.Pace, Is.EqualTo(new PaceSpec(new LoadSpec.Closed(TimeSpan.Zero), TimeSpan.FromSeconds(30), 0)));
        }
    }

    [Test]
    public void Validate_EverythingOfARequest_IsTaken()
    {
        var http = (WorkloadSpec.Http)Only(_http with
        {
            Method = "put",
            Headers = ["Accept: */*", "X-Empty:"],
            Body = "hello"u8.ToArray(),
            Host = "www.example.com:8080",
            ExpectStatus = " 200-299, 404",
            RequestTimeout = "5s",
            RequestsPerConnection = "100",
            RequestsPerSecond = "20k",
        });
        using (Assert.EnterMultipleScope())
        {
            Assert.That((http.Request.Method, http.Request.Host, http.Request.Body.Length), Is.EqualTo(("PUT", "www.example.com:8080", 5)));
            Assert.That(http.Request.Fields, Is.EqualTo(new[] { new HttpField("Accept", "*/*"), new HttpField("X-Empty", "") }));
            Assert.That(http.Expected, Is.EqualTo(new[] { new PortSpan(200, 299), new PortSpan(404, 404) }));
            Assert.That(http.Pace, Is.EqualTo(new PaceSpec(new LoadSpec.Open(20_000), TimeSpan.FromSeconds(5), 100)));
        }
    }

    [Test]
    public void Validate_ABody_MakesItAPost() => Assert.That(((WorkloadSpec.Http)Only(_http with { Body = "x"u8.ToArray() })).Request.Method, Is.EqualTo("POST"));

    [Test]
    public void Validate_HoldWithHeartbeatsOfAnHttpTarget_IsHttp() => Assert.That(
        ((WorkloadSpec.Http)Only(_http with { Workload = "hold", Heartbeat = "30s" })).Pace.Load, Is.EqualTo(new LoadSpec.Heartbeat(TimeSpan.FromSeconds(30))));

    [TestCase("hold=80,http=15,churn=5")]
    [TestCase("http=15,hold=80,churn=5")]
    public void Validate_MixWithHeartbeats_HeldOnesBeatAndHttpHasTheRest(string workload)
    {
        var mix = Mix(_http with { Workload = workload, Heartbeat = "30s", RequestsPerSecond = "500", RequestsPerConnection = "10", RequestTimeout = "5s", Method = "HEAD", Lifetime = "10s" });
        var (held, http) = ((WorkloadSpec.Http)mix[80], (WorkloadSpec.Http)mix[15]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(held.Pace, Is.EqualTo(new PaceSpec(new LoadSpec.Heartbeat(TimeSpan.FromSeconds(30)), TimeSpan.FromSeconds(5), 0)));
            Assert.That(http.Pace, Is.EqualTo(new PaceSpec(new LoadSpec.Open(500), TimeSpan.FromSeconds(5), 10)));
            Assert.That((held.Request.Method, held.Request), Is.EqualTo(("HEAD", http.Request)));
            Assert.That(mix[5], Is.InstanceOf<WorkloadSpec.Churn>());
        }
    }

    [Test]
    public void Validate_HeldWithHeartbeatsBesideChurn_BeatAndHaveAllThatIsSaidOfRequests()
    {
        var mix = Mix(_http with { Workload = "hold=95,churn=5", Heartbeat = "30s", RequestsPerConnection = "10", Lifetime = "10s" });
        Assert.That(mix[95].Requests, Is.EqualTo(new PaceSpec(new LoadSpec.Heartbeat(TimeSpan.FromSeconds(30)), TimeSpan.FromSeconds(30), 10)));
    }

    [Test]
    public void Validate_MixWithoutHeartbeats_HeldOnesSendNothing() =>
        Assert.That(Mix(_http with { Workload = "hold=80,http=20", ThinkTime = "1s" })[80], Is.EqualTo(new WorkloadSpec.Hold()));

    [Test]
    public void Validate_Echo_HasASizeAndAPace()
    {
        var echo = (WorkloadSpec.Echo)Only(_tcp with { Workload = "echo", MessageSize = "1k", ThinkTime = "10ms" });
        Assert.That((echo.Size, echo.Pace.Load), Is.EqualTo((1000, (LoadSpec)new LoadSpec.Closed(TimeSpan.FromMilliseconds(10)))));
    }

    private static IEnumerable<TestCaseData> Wrong()
    {
        yield return Case(_tcp with { RequestsPerSecond = "5/s", RequestTimeout = "1s" }, "--requests-per-second: is for requests", "--request-timeout: is for requests");
        yield return Case(_tcp with { ThinkTime = "1s" }, "--think-time: is for requests, and these connections send none. Write --target http://HOST:PORT/ or --workload echo, or leave it out");
        yield return Case(_tcp with { Heartbeat = "1s", RequestsPerConnection = "5" }, "--heartbeat: is for requests", "--requests-per-connection: is for requests");
        yield return Case(_tcp with { Method = "GET", Headers = ["A: b"], Host = "h", ExpectStatus = "200", Body = "b"u8.ToArray() },
            "--method: is for HTTP", "--header: is for HTTP", "--body: is for HTTP", "--host: is for HTTP", "--expect-status: is for HTTP");
        yield return Case(_tcp with { Workload = "echo", Method = "GET" }, "--method: is for HTTP requests");
        yield return Case(_http with { MessageSize = "5" }, "--message-size: is for an echo");
        yield return Case(_http with { Workload = "echo" }, "--workload echo: has an echo, which is no HTTP, and the target is http:// or https://. Write --target tcp://10.0.0.5:80");
        yield return Case(_http with { RequestsPerSecond = "5", ThinkTime = "1s", Heartbeat = "1s" }, "--requests-per-second: cannot stand together with --think-time and --heartbeat");
        yield return Case(_http with { Workload = "hold", ThinkTime = "1s", Heartbeat = "1s" }, "--think-time: cannot stand together with --heartbeat");
        yield return Case(_http with { Workload = "hold=1,http=1", RequestsPerSecond = "5", ThinkTime = "1s", Heartbeat = "1s" }, "--requests-per-second: cannot stand together with --think-time. Each");
        yield return Case(_http with { Workload = "hold=1,http=1", Heartbeat = "1ms", Method = "q q" }, "--heartbeat 1ms: is too short", "--method q q: is no method");
        yield return Case(_http with { RequestsPerSecond = "0" }, "--requests-per-second 0: is too low");
        yield return Case(_http with { RequestsPerSecond = "2e9" }, "--requests-per-second 2e9");
        yield return Case(_http with { ThinkTime = "5" }, "--think-time 5: has no unit");
        yield return Case(_http with { Heartbeat = "1ms" }, "--heartbeat 1ms: is too short; allowed: 10ms to 1d");
        yield return Case(_http with { RequestsPerConnection = "0" }, "--requests-per-connection 0: is too small; allowed: 1 to 4,294,967,295");
        yield return Case(_http with { RequestTimeout = "0s" }, "--request-timeout 0s: is zero");
        yield return Case(_http with { Method = "GE T" }, "--method GE T: is no method");
        yield return Case(_http with { Method = "connect" }, "--method connect: is no method");
        yield return Case(_http with { Headers = ["no colon", "B\u00e4d: x", "A: b\r\nEvil: c", ": x"] },
            "--header no colon: is no header line", "--header B\u00e4d: x: is no header line", "--header A: b??Evil: c: is no header line", "--header : x: is no header line");
        yield return Case(_http with { Headers = ["host: x", "Content-Length: 3", "TRANSFER-ENCODING: chunked", "Connection: close"] },
            "--header host: x: is set by the agent itself. Write --host NAME instead", "--header Content-Length: 3: is set by the agent", "--header TRANSFER-ENCODING: chunked: is set", "--header Connection: close: is set");
        yield return Case(_http with { Headers = [.. Enumerable.Repeat("A: b", 101)] }, "--header: is given 101 times; allowed: at most 100 times");
        yield return Case(_http with { Host = "a b" }, "--host a b: cannot be sent as a host");
        yield return Case(_http with { ExpectStatus = "200,9" }, "--expect-status 200,9: has '9', which is no status; allowed: statuses and ranges of them, 100 to 999");
        yield return Case(_http with { ExpectStatus = "300-200" }, "--expect-status 300-200: has '300-200'");
        yield return Case(_http with { Body = new byte[(1 << 20) + 1] }, "--body: has 1,048,577 bytes; allowed: at most 1,048,576");
        yield return Case(_tcp with { Workload = "echo", MessageSize = "2M" }, "--message-size 2M: is out of range; allowed: 1 to 1,048,576 bytes");
        yield return Case(_tcp with { Workload = "echo", MessageSize = "lots" }, "--message-size lots");

        static TestCaseData Case(RunSpecInput input, params string[] messages) => new TestCaseData(input, messages).SetArgDisplayNames(messages[0]);
    }

    [TestCaseSource(nameof(Wrong))]
    public void Validate_WhatIsWrong_IsSaidAllAtOnceWithARemedy(RunSpecInput input, string[] messages)
    {
        var errors = RunSpecValidator.Validate(input, _ => []).Errors;
        Assert.That(errors, Has.Length.EqualTo(messages.Length), string.Join('\n', errors));
        using (Assert.EnterMultipleScope())
        {
            foreach (var (error, message) in errors.Zip(messages))
                Assert.That(error.Message, Does.StartWith(message));
            Assert.That(errors.Select(e => e.Remedy), Has.All.Not.Empty);
        }
    }

    [Test]
    public void Validate_MixOfAllKinds_OneErrorEach()
    {
        var errors = Errors(_http with { Workload = "hold=80,churn=5,http=15", Lifetime = "x", Close = "y", RequestsPerSecond = "z", Method = "q q", ExpectStatus = "1" });
        Assert.That(errors.Select(e => e.Split(' ')[0]), Is.EquivalentTo(new[] { "--lifetime", "--close", "--requests-per-second", "--method", "--expect-status" }));
    }
}
