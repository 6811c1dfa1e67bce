using System.Globalization;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Certificates;
using LoadHarness.TestKit.Proxies;

namespace LoadHarness.EndToEnd.Tests.Workloads;

/// <summary>TLS as a real HAProxy negotiates it and writes it into its log.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class TlsTests : BenchTest
{
    private const string Where = "127.0.0.1:8443";
    private readonly PemAuthority _authority = new();

    [TearDown]
    public void EndAuthority() => _authority.Dispose();

    [Test]
    public async Task Https_NameProtocolClientCertificateAndResumption_AreWhatHaProxyLogs()
    {
        const int goal = 20;
        var client = _authority.Issue("a client");
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, $"""
            frontend secure
                mode http
                log global
                log-format "%f %sslv %[ssl_fc_sni] %[ssl_fc_alpn] %[ssl_c_s_dn(cn),regsub(' ','-')] %[ssl_fc_is_resumed]"
                bind {Where} ssl crt {_authority.Issue("shop.example").BothPath} alpn h2,http/1.1 ca-file {_authority.Path} verify required
                http-request return status 200 content-type text/plain string hello
            """);

        var ended = await Bench.RunAsync(
            $"run https://{Where}/ --tls-ca {_authority.Path} --tls-sni shop.example --tls-alpn http/1.1 --tls-cert {client.Path} --tls-key {client.KeyPath} "
            + $"--tls-resume 30% --requests-per-connection 1 -c {goal} --connect-rate 80/s --hold 9s --json");
        var summary = ended.Summary();
        await proxy.SettleAsync();
        var logged = proxy.LogOf("secure");
        var resumed = logged.Count(words => words[4] == "1");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(logged.Select(words => string.Join(' ', words[..4])).Distinct(), Is.EqualTo(new[] { "TLSv1.3 shop.example http/1.1 a-client" }), ended.Log);
            Assert.That(logged, Has.Count.EqualTo(summary.Number("result.opened")).And.Count.GreaterThan(5 * goal));
            Assert.That(summary.Number("requests.completed"), Is.InRange(logged.Count - goal, logged.Count), "one request each, but for those that the drain closed before");
            Assert.That(summary.Number("result.resumed"), Is.EqualTo(resumed));
            Assert.That(resumed / (double)logged.Count, Is.InRange(0.2, 0.35), $"{resumed} of {logged.Count} resumed");
            Assert.That(summary.Number("latency.tlsHandshake.count"), Is.EqualTo(summary.Number("result.opened")));
            Assert.That(summary.Number("failures.total"), Is.Zero, ended.Log);
        }
    }

    [Test]
    public async Task Https_HighestVersionAndCipher_AreWhatHaProxyLogs()
    {
        const string cipher = "ECDHE-ECDSA-CHACHA20-POLY1305";
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, $"""
            frontend secure
                mode http
                log global
                log-format "%f %sslv %sslc %[ssl_fc_has_sni]"
                bind {Where} ssl crt {_authority.Issue("127.0.0.1").BothPath}
                http-request return status 200 content-type text/plain string hello
            """);

        var ended = await Bench.RunAsync(
            $"run https://{Where}/ --tls-ca {_authority.Path} --tls-max 1.2 --tls-ciphers {cipher} --think-time 500ms -c 10 --ramp 1s --hold 4s --json");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(proxy.LogOf("secure").Select(words => string.Join(' ', words)).Distinct(), Is.EqualTo(new[] { $"TLSv1.2 {cipher} 0" }), "an address is no name to ask for");
            Assert.That(ended.Summary().Number("failures.total"), Is.Zero);
        }
    }

    [Test]
    public async Task Https_WithoutACaFile_TrustsTheRootsOfTheSystemAndNobodyElse()
    {
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, $"""
            frontend secure
                mode http
                bind {Where} ssl crt {_authority.Issue("127.0.0.1").BothPath}
                http-request return status 200 content-type text/plain string hello
            """);
        const string line = $"run https://{Where}/ --think-time 500ms -c 10 --ramp 1s --hold 4s --json";

        var distrusted = await Bench.RunAsync(line);
        Bench.SystemRoots = _authority.Path;
        var trusted = await Bench.RunAsync(line);
        await proxy.SettleAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(distrusted.Summary().List("failures.details").Select(d => d.Text("words")), Is.EqualTo(new[] { "the certificate's issuer is unknown" }), distrusted.Log);
            Assert.That(distrusted.Summary().Number("result.opened"), Is.Zero);
            Assert.That(trusted.ExitCode, Is.Zero, trusted.Log);
            Assert.That(trusted.Summary().Number("failures.total"), Is.Zero);
            Assert.That(trusted.Summary().Number("requests.completed"), Is.Positive.And.EqualTo(proxy.Stat("secure", "hrsp_2xx")));
        }
    }

    [TestCase("keep")]
    [TestCase("release")]
    public async Task Hold_IdleConnections_StayEstablishedReadNothingLateAndEndByFin(string idle)
    {
        const int goal = 300;
        await Bench.BackendAsync("127.0.0.1:9000");
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, $"""
            frontend secure
                log global
                log-format "%f %ts %sslv"
                bind {Where} backlog 1024 ssl crt {_authority.Issue("127.0.0.1").BothPath}
                default_backend servers
            backend servers
                server one 127.0.0.1:9000
            """);
        var run = Bench.LoadHarnessLine(
            $"run tls://{Where} --tls-ca {_authority.Path} --tls-idle {idle} --keepalive 30s -c {goal} --ramp 3s --hold 10s --json");
        await run.HoldingAsync(goal);

        // Tickets come behind the handshake.
        await Bench.EventuallyAsync(() => Clients().Sum(Unread) == 0, () => $"{Clients().Sum(Unread)} bytes are unread");
        var clients = Clients();
        var servers = Bench.Sockets.Lines("established", "( sport = :8443 )").Length;
        var current = proxy.CurrentConnections();
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();
        await proxy.SettleAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That((clients.Length, servers, current), Is.EqualTo((goal, goal, goal)), "client ends, server ends, CurrConns");
            Assert.That(clients.Count(line => line.Contains("timer:(keepalive,", StringComparison.Ordinal)), Is.EqualTo(goal), clients[0]);
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(goal));
            Assert.That(summary.Number("kernel.established"), Is.EqualTo(goal));
            Assert.That(summary.Number("latency.tlsHandshake.count"), Is.EqualTo(goal));
            Assert.That(summary.Number("failures.total"), Is.Zero, ended.Log);
            Assert.That(proxy.LogOf("secure").CountBy(words => string.Join(' ', words)),
                Is.EqualTo(new[] { KeyValuePair.Create("-- TLSv1.3", goal) }), "how connections ended for HAProxy: both sides in order");
            Assert.That(Bench.Sockets.TcpCounter("EstabResets"), Is.Zero, "resets");
        }
    }

    private string[] Clients() => Bench.Namespace.Exec("ss", "-Htno", "state", "established", "( dport = :8443 )").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static int Unread(string line) => int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0], CultureInfo.InvariantCulture);
}
