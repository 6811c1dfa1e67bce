using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Certificates;
using LoadHarness.TestKit.Proxies;

namespace LoadHarness.EndToEnd.Tests.Workloads;

/// <summary>Servers that a client must not accept, or that do not accept it: in words, and as HAProxy heard of it.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class TlsFailureTests : BenchTest
{
    private readonly PemAuthority _authority = new();
    private readonly PemAuthority _another = new("another authority");

    [TearDown]
    public void EndAuthorities()
    {
        _authority.Dispose();
        _another.Dispose();
    }

    [Test]
    public async Task Certificates_ThatAreNotGood_EachFailByNameAndHaProxyGetsTheAlert()
    {
        const int goal = 25;
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, string.Join('\n',
            Frontend("good", 8441, $"ssl crt {_authority.Issue("127.0.0.1").BothPath}"),
            Frontend("wrongCa", 8442, $"ssl crt {_another.Issue("127.0.0.1").BothPath}"),
            Frontend("expired", 8443, $"ssl crt {_authority.Issue("127.0.0.1", -1).BothPath}"),
            Frontend("wrongName", 8444, $"ssl crt {_authority.Issue("shop.example").BothPath}"),
            Frontend("plain", 8445, "")));

        var ended = await Bench.RunAsync(
            $"run https://127.0.0.1:8441-8445/ --tls-ca {_authority.Path} --think-time 100ms -c {goal} --ramp 1s --hold 8s --json");
        var summary = ended.Summary();
        await proxy.SettleAsync();
        var details = summary.List("failures.details").ToDictionary(d => d.Text("words"));

        using (Assert.EnterMultipleScope())
        {
            // What fails is tried again elsewhere: in the end the good one has all.
            Assert.That(summary.Number("result.opened"), Is.EqualTo(proxy.Stat("good", "conn_tot")).And.InRange(1, goal), ended.Log);
            Assert.That(summary.Number("requests.completed"), Is.EqualTo(proxy.Stat("good", "hrsp_2xx")).And.Positive);
            Assert.That(details.Keys, Is.EquivalentTo(new[]
            {
                "the certificate's issuer is unknown", "the certificate has expired", "the certificate is for another address",
                "no TLS record: the peer speaks another protocol",
            }), ended.Log);
            Assert.That(summary.Numbers("failures.byReason").Keys, Is.EqualTo(new[] { "tls-handshake/target/certificate", "tls-handshake/target/protocol-error" }));
            ExpectAlerts("wrongCa", "the certificate's issuer is unknown", "unknown ca");
            ExpectAlerts("expired", "the certificate has expired", "certificate expired");
            ExpectAlerts("wrongName", "the certificate is for another address", "bad certificate");
            Assert.That(proxy.Stat("plain", "hrsp_4xx"), Is.InRange(Count("no TLS record: the peer speaks another protocol"), Count("no TLS record: the peer speaks another protocol") + goal), "bad requests");
            Assert.That(summary.Number("failures.total"), Is.EqualTo(details.Values.Sum(d => d.Number("count"))));
        }

        // HAProxy hears of each, and of some why: an alert that a reset follows at once it does not read.
        void ExpectAlerts(string frontend, string words, string alert)
        {
            var errors = proxy.LogOf(frontend).Select(line => string.Join(' ', line)).ToList();
            Assert.That(errors, Has.Count.InRange(Count(words), Count(words) + goal).And.Count.Positive.And.All.Matches<string?>(e => e == "-" || e!.Contains(alert)), frontend);
        }

        long Count(string words) => details.TryGetValue(words, out var detail) ? detail.Number("count") : 0;
    }

    [Test]
    public async Task Handshakes_ThatTheServerEnds_SayItsAlert()
    {
        const int goal = 10;
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, string.Join('\n',
            Frontend("clientCertificate", 8441, $"ssl crt {_authority.Issue("127.0.0.1").BothPath} ca-file {_authority.Path} verify required"),
            Frontend("oldVersions", 8442, $"ssl crt {_authority.Issue("127.0.0.1").BothPath} ssl-max-ver TLSv1.2")));

        var ended = await Bench.RunAsync(
            $"run https://127.0.0.1:8441-8442/ --tls-ca {_authority.Path} --tls-min 1.3 --think-time 100ms -c {goal} --ramp 1s --hold 8s --json");
        var summary = ended.Summary();
        await proxy.SettleAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.List("failures.details").Select(d => d.Text("words")),
                Is.EquivalentTo(new[] { "alert 116, certificate required", "alert 70, protocol version" }), ended.Log);
            // In TLS 1.3 a server looks at the client's certificate when the handshake is over for the client.
            Assert.That(summary.Numbers("failures.byReason").Keys, Has.Some.EqualTo("hold/target/alert").Or.Some.EqualTo("response/target/alert"));
            Assert.That(summary.Numbers("failures.byReason").Keys, Has.Some.EqualTo("tls-handshake/target/alert"));
            ExpectLogged("clientCertificate", "alert 116, certificate required", "peer did not return a certificate");
            ExpectLogged("oldVersions", "alert 70, protocol version", "unsupported protocol");
        }

        void ExpectLogged(string frontend, string words, string error)
        {
            var count = summary.List("failures.details").Where(d => d.Text("words") == words).Sum(d => d.Number("count"));
            Assert.That(proxy.LogOf(frontend).Select(line => string.Join(' ', line)).Count(e => e.Contains(error)), Is.InRange(count, count + goal).And.Positive, "the drain may cut some off");
        }
    }

    [Test]
    public async Task PlainHttp_ToAServerThatWantsTls_FailsInWords()
    {
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, Frontend("secure", 8441, $"ssl crt {_authority.Issue("127.0.0.1").BothPath}"));

        var ended = await Bench.RunAsync("run http://127.0.0.1:8441/ -c 10 --ramp 1s --hold 6s --json");
        var summary = ended.Summary();
        await proxy.SettleAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Number("requests.completed"), Is.Zero);
            Assert.That(summary.Number("requests.failed"), Is.EqualTo(summary.Number("requests.offered")).And.Positive);
            Assert.That(summary.Numbers("failures.byReason").Keys, Is.SubsetOf(new[] { "response/target/closed", "response/target/reset", "response/target/protocol-error" }), ended.Log);
            Assert.That(proxy.LogOf("secure").Select(line => string.Join(' ', line)), Is.Not.Empty.And.All.Contains("http request"));
        }
    }

    private static string Frontend(string name, int port, string tls) => $"""
        frontend {name}
            mode http
            log global
            option dontlog-normal
            log-format "%f %ST"
            error-log-format "%f %[ssl_fc_err_str]"
            bind 127.0.0.1:{port} {tls}
            http-request return status 200 content-type text/plain string hello
        """;
}
