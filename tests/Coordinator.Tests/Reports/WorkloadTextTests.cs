using System.Text.Json.Nodes;
using CsCheck;
using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.Specs;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Tests.Reports;

/// <summary>What a plan says of workload and transport: in `run`, in `plan`, and as JSON.</summary>
public class WorkloadTextTests
{
    private static readonly HypotheticalFleet _one = new() { Agents = 1, SourcesPerAgent = 1 };

    private static RunSpec Valid(RunSpecInput input)
    {
        var result = RunSpecValidator.Validate(input with { Connections = input.Connections ?? "1000" }, _ => []);
        Assert.That(result.Errors, Is.Empty);
        return result.Spec!;
    }

    private static string Text(RunSpecInput input)
    {
        var spec = Valid(input);
        var lines = PlanText.Lines(spec, Planned(spec, [Agent("a")], Sources(("ns1", "10.1.0.1"))));
        Assert.That(lines.Select(l => l.Length), Has.All.LessThanOrEqualTo(SummaryText.Width));
        return string.Join(' ', string.Join(' ', lines).Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    private static IEnumerable<TestCaseData> Plans()
    {
        var http = new RunSpecInput { Targets = ["http://10.0.0.5/health"] };
        var tcp = new RunSpecInput { Targets = ["10.0.0.5:443"] };
        var tls = new RunSpecInput { Targets = ["tls://10.0.0.5:443"] };
        yield return Case(tcp, "goal 1,000 connections, held for 1m workload each connection is kept open and sends nothing opening");
        yield return Case(http, "kept up for 1m workload GET /health over HTTP/1.1, one request at a time on each connection; fine: 200-399; within 30s load closed model: the next request as soon as an answer is there");
        yield return Case(http with { ThinkTime = "2s", Method = "POST", Body = "abc"u8.ToArray(), Headers = ["A: b"], Host = "x.test", ExpectStatus = "201" },
            "workload POST /health over HTTP/1.1, one request at a time on each connection; Host x.test; 1 header line more; a body of 3 bytes; fine: 201; within 30s load closed model: the next request 2s after each answer");
        yield return Case(http with { RequestsPerSecond = "20k" }, "load open model: 20,000/s over the whole run, whatever the answers; at the goal 20/s on each connection, so an answer has 50 ms on average");
        yield return Case(http with { Heartbeat = "30s", RequestsPerConnection = "2" }, "closed by FIN after 2 requests load heartbeat: one request per connection every 30s, spread evenly: 33.33/s at the goal");
        yield return Case(http with { RequestsPerConnection = "2", ConnectRate = "100" },
            "churn how often connections end depends on the target and is not known beforehand; at most 100/s are opened again, which is room for 200/s of requests; each leaves a tuple that rests 1m, and there are");
        yield return Case(http with { Workload = "hold=80,http=15,churn=5", Lifetime = "exp:1m" },
            "workload 80 % hold: each connection is kept open and sends nothing 15 % http: GET /health over HTTP/1.1, one request at a time on each connection; fine: 200-399; within 30s "
            + "5 % churn: each connection lives 1m on average, exponentially distributed, then FIN, and another one takes its place load");
        yield return Case(http with { Workload = "hold=80,http=20", Heartbeat = "10s", ThinkTime = "2s" },
            "workload 80 % hold: GET /health over HTTP/1.1", "load 80 % hold: heartbeat: one request per connection every 10s, spread evenly: 80/s at the goal 20 % http: closed model: the next request 2s after each answer");
        yield return Case(tcp with { Workload = "echo", MessageSize = "1k" }, "workload each connection sends 1,000 bytes and takes them back, one message at a time; the content is checked load closed");
        yield return Case(tcp with { Workload = "churn", Close = "peer" }, "each connection stays until the target closes it, and another one takes its place");
        yield return Case(tcp with { Workload = "churn", Lifetime = "10s-20s", Close = "rst" }, "each connection lives 10s to 20s, every time as likely, then RST, and another one takes its place", "churn connections live 15s on average: 66/s end and are replaced at the goal");
        yield return Case(tls, "TLS TLS 1.2 to 1.3; certificates verified by the roots of each agent's host, for the name in the target; every handshake in full");
        yield return Case(tls with { Tls = new() { Insecure = true, Min = "1.3", Resume = "30%", Idle = "release" } },
            "INSECURE certificates are NOT verified (--tls-insecure): whoever answers is taken for the target TLS TLS 1.3 only; 30% of the handshakes resume a session; TLS state given back");
        yield return Case(tcp with { ProxyProtocol = "v2", ProxyClients = "10.128.0.0/11", KeepAlive = "30s" },
            "PROXY each connection begins with a PROXY v2 header, from 2,097,150 made-up clients one after the other (10.128.0.1-10.159.255.254) sockets keepalive probes every 30s from the kernel");

        static TestCaseData Case(RunSpecInput input, params string[] parts) => new TestCaseData(input, parts).SetArgDisplayNames(parts[0]);
    }

    [TestCaseSource(nameof(Plans))]
    public void Lines_OfAPlan_SayWhatEachConnectionDoesAndWhatCarriesIt(RunSpecInput input, string[] parts)
    {
        var text = Text(input);
        foreach (var part in parts)
            Assert.That(text, Does.Contain(part));
    }

    [Test]
    public void Lines_AnySpec_StayWithinEightyColumnsInBothPlansAndJsonIsWhole() => SpecGenerators.Specs.Sample(
        spec =>
        {
            var report = _one.Report(spec with { ConnectRate = 1000 });
            var json = JsonNode.Parse(PlanReportJson.Write(report))!;
            return PlanReportText.Lines(report).All(l => l.Length <= SummaryText.Width || !l.Trim().Contains(' ', StringComparison.Ordinal))
                && json["workload"]!.AsArray().Count == spec.Workload.Length && (json["transport"]!["tls"] is null) == (spec.Transport.Tls is null);
        },
        iter: 300);

    [Test]
    public void Json_OfAPlan_HasWorkloadTransportAndWarnings()
    {
        var spec = Valid(new RunSpecInput
        {
            Targets = ["https://10.0.0.5/x"],
            Connections = "10",
            RequestsPerSecond = "200k",
            Tls = new() { Insecure = true },
            ProxyProtocol = "v1",
        });
        var json = JsonNode.Parse(PlanReportJson.Write(_one.Report(spec)))!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)json["workload"]![0]!["kind"], Is.EqualTo("http"));
            Assert.That((string?)json["workload"]![0]!["model"], Is.EqualTo("open"));
            Assert.That((double?)json["workload"]![0]!["requestsPerSecond"], Is.EqualTo(200_000));
            Assert.That((bool?)json["transport"]!["tls"]!["verified"], Is.False);
            Assert.That((string?)json["transport"]!["proxyProtocol"]!["version"], Is.EqualTo("v1"));
            Assert.That((string?)json["warnings"]![0], Does.StartWith("the open model leaves each request 50 us"));
        }
    }

    [Test]
    public void Report_TlsThatIsKept_TakesItsMemory()
    {
        var kept = _one.Report(Valid(new RunSpecInput { Targets = ["tls://10.0.0.5:443"] }));
        var released = _one.Report(Valid(new RunSpecInput { Targets = ["tls://10.0.0.5:443"], Tls = new() { Idle = "release" } }));
        Assert.That((kept.Hosts[0].UserEach, released.Hosts[0].UserEach), Is.EqualTo((28_064, 64)));
    }
}
