using System.Net;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Certificates;
using LoadHarness.TestKit.Proxies;

namespace LoadHarness.EndToEnd.Tests.Workloads;

/// <summary>Connections that say in a PROXY header whose they are, as HAProxy logs it.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class ProxyHeaderTests : BenchTest
{
    private const string Where = "127.0.0.1:8443";

    [TestCase("http", "v1", "10.128.0.0/11", 400)]
    [TestCase("https", "v2", "10.128.0.0/11", 400)]
    [TestCase("http", "v2", "192.0.2.0/25", 126)]
    public async Task AcceptProxy_LogsClientsOfTheNetworkOneAfterTheOther(string scheme, string version, string clients, int distinct)
    {
        const int goal = 400;
        using var authority = new PemAuthority();
        var (tls, trust) = scheme == "https" ? ($"ssl crt {authority.Issue("127.0.0.1").BothPath}", $"--tls-ca {authority.Path}") : ("", "");
        await using var proxy = await HaProxy.StartAsync(Bench.Namespace, $"""
            frontend web
                mode http
                log global
                log-format "%f %ci %cp %[dst]:%[dst_port]"
                bind {Where} backlog 1024 accept-proxy {tls}
                http-request return status 200 content-type text/plain string hello
            """);

        var ended = await Bench.RunAsync(
            $"run {scheme}://{Where}/ {trust} --proxy-protocol {version} --proxy-clients {clients} --agents 1 -c {goal} --think-time 1s --ramp 2s --hold 5s --json");
        var summary = ended.Summary();
        await proxy.SettleAsync();
        var logged = proxy.LogOf("web");
        var network = IPNetwork.Parse(clients);
        var seen = logged.Select(words => words[0]).ToHashSet();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(logged, Has.Count.EqualTo(summary.Number("requests.completed")));
            Assert.That(seen.Where(client => !network.Contains(IPAddress.Parse(client))), Is.Empty, "all of the network");
            Assert.That(seen, Has.Count.EqualTo(distinct), "as many as there are connections, or addresses");
            Assert.That(logged.Select(words => words[2]).Distinct(), Is.EqualTo(new[] { Where }));
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(goal));
            Assert.That(summary.Number("failures.total"), Is.Zero);
        }
    }
}
