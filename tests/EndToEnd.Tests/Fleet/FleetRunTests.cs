using System.Globalization;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;
using LoadHarness.TestKit.Proxies;

namespace LoadHarness.EndToEnd.Tests.Fleet;

/// <summary>Six hosts on a switch: coordinator, three agents, HAProxy, a backend; all over TLS with credentials.</summary>
[NonParallelizable]
public sealed class FleetRunTests : FleetTest
{
    private const string ProxyAddress = "10.77.0.5";
    private const string BackendAddress = "10.77.0.6";
    private const int Goal = 12_000;
    private const int Block = 256;

    [Test]
    public async Task Run_OverSixHosts_BothSidesAndTheKernelAgree()
    {
        var clients = Enumerable.Range(1, 3).Select(n => Fleet.Lan.AddHost([.. Sources(n).Select(a => $"{a}/16")])).ToList();
        var (proxyHost, backendHost) = (Fleet.Lan.AddHost($"{ProxyAddress}/16"), Fleet.Lan.AddHost($"{BackendAddress}/16"));
        await Fleet.ServeAsync();
        for (var n = 1; n <= 3; n++)
            Fleet.Agent(clients[n - 1], $"client-{n}", $"--allow {ProxyAddress}:8443-8446");
        Fleet.Agent(backendHost, "backend-1", "--role backend");
        await Fleet.IdleAsync("client-1", "client-2", "client-3", "backend-1");
        await using var proxy = await HaProxy.StartAsync(new($"{ProxyAddress}:8443-8446", [.. Enumerable.Range(9000, 4).Select(p => $"{BackendAddress}:{p}")])
        {
            Namespace = proxyHost,
            Processes = 2,
        });

        var run = Fleet.User($"run {ProxyAddress}:8443-8446 -c {Goal} --ramp 4s --hold 20s --sources auto --backends 1 --backend-listen 9000-9003 --json");
        await run.HoldingAsync(Goal);
        await Bench.EventuallyAsync(() => proxy.CurrentConnections() >= Goal, () => $"HAProxy counts {proxy.CurrentConnections()}");
        // HAProxy goes on to the backend after it has accepted.
        await Bench.EventuallyAsync(() => Accepted(backendHost) == Goal, () => $"{Accepted(backendHost)} server ends are established");
        var tuples = clients.SelectMany(EstablishedTuples).ToList();
        var accepted = Accepted(backendHost);
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(tuples, Has.Count.EqualTo(Goal), "client ends that ss counts");
            Assert.That(tuples, Is.Unique, "no 4-tuple twice");
            Assert.That(accepted, Is.EqualTo(Goal), "server ends that ss counts");
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(Goal));
            Assert.That(summary.Number("kernel.established"), Is.EqualTo(Goal));
            Assert.That(summary.Flag("kernel.agrees"), Is.True);
            Assert.That(summary.Number("failures.total"), Is.Zero);
        }

        ExpectEvenSources(tuples, summary);
        ExpectBackend(summary);
        await ExpectNothingLeftAsync(clients.Append(backendHost));
    }

    private static void ExpectEvenSources(IEnumerable<string> tuples, Json summary)
    {
        var addresses = Enumerable.Range(1, 3).SelectMany(Sources).ToList();
        var seen = tuples.GroupBy(t => t.Split(':')[0]).ToDictionary(g => g.Key, g => (long)g.Count());
        using (Assert.EnterMultipleScope())
        {
            Assert.That(seen.Keys, Is.EquivalentTo(addresses));
            foreach (var (address, count) in seen)
                Assert.That(count, Is.EqualTo(Goal / addresses.Count).Within(Block), $"connections from {address}");
            Assert.That(summary.Numbers("kernel.bySource"), Is.EquivalentTo(seen), "what the summary says of the sources");
        }
    }

    private static void ExpectBackend(Json summary)
    {
        var backend = summary.List("backends").Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(backend.Text("id"), Is.EqualTo("backend-1"));
            Assert.That(backend.Number("accepted"), Is.EqualTo(Goal));
            Assert.That(backend.Number("peakEstablished"), Is.EqualTo(Goal));
            Assert.That(backend.Number("established"), Is.EqualTo(Goal));
            Assert.That(backend.Number("kernelEstablished"), Is.EqualTo(Goal));
            Assert.That(summary.List("agents").Select(a => a.Text("id")), Is.EquivalentTo(["client-1", "client-2", "client-3"]), "backends are no clients");
        }
    }

    private async Task ExpectNothingLeftAsync(IEnumerable<NetworkNamespace> hosts)
    {
        foreach (var host in hosts)
        {
            var sockets = new SocketStatistics(host);
            await Bench.EventuallyAsync(
                () => sockets.Lines("established", "( dport >= :8443 and dport <= :8446 or sport >= :9000 and sport <= :9003 )").Length == 0
                    && sockets.Lines("listening", "( sport >= :9000 and sport <= :9003 )").Length == 0,
                () => $"something is left on {host.Name}");
        }

        await Fleet.IdleAsync("client-1", "client-2", "client-3", "backend-1");
    }

    private static string[] Sources(int host) => [.. Enumerable.Range(1, 4).Select(n => string.Create(CultureInfo.InvariantCulture, $"10.77.{host}.{n}"))];

    private static int Accepted(NetworkNamespace host) =>
        new SocketStatistics(host).Lines("established", "( sport >= :9000 and sport <= :9003 )").Length;

    // "0 0 10.77.1.1:1024 10.77.0.5:8443"
    private static IEnumerable<string> EstablishedTuples(NetworkNamespace host) =>
        new SocketStatistics(host).Lines("established", "( dport >= :8443 and dport <= :8446 )")
            .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2..4]));
}
