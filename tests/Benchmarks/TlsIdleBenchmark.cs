using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.V1;

namespace LoadHarness.Benchmarks;

/// <summary>
/// Idle TLS connections through the agent's program: what each takes when kept and when released, whether HAProxy still has them, what the
/// kernel has in its buffers, and whether they end by FIN. To be run in a network namespace of its own: the kernel's counters are of all.
/// </summary>
internal sealed class TlsIdleBenchmark(string agentProgram, int connections)
{
    private const double ConnectsPerSecond = 1000;

    private const int PerProxy = 15_000;

    // Seconds. What a process takes once, such as the pages of libssl, is there by then; what comes and goes with the runtime's garbage is not in the least of the last ten samples.
    private const int Settle = 30;

    /// <summary>Kept, then released.</summary>
    public async Task RunAsync()
    {
        using var proxy = new TlsProxy((connections + PerProxy - 1) / PerProxy);
        await RunAsync(proxy, "kept", release: false);
        await RunAsync(proxy, "released", release: true);
    }

    private async Task RunAsync(TlsProxy proxy, string name, bool release)
    {
        await using var agent = await BenchAgent.StartAsync(agentProgram);
        var coordinator = agent.Coordinator;
        var work = Work(proxy, release);
        coordinator.Assign(BenchWork.WithGoal(work, 1), Phase.Prepared);
        await coordinator.ReachedAsync(Phase.Prepared);
        var first = connections / 3;
        coordinator.Assign(BenchWork.WithGoal(work, (ulong)first), Phase.Running);
        var before = await LeastRssAsync(coordinator, first);
        var pages = TcpPages();
        coordinator.Assign(work, Phase.Running);
        var held = await LeastRssAsync(coordinator, connections);
        Console.WriteLine($"{first:N0} to {connections:N0} {name}: {(held - before) / (connections - first):0} bytes of RSS each ({before / 1e6:0.0} MB -> {held / 1e6:0.0} MB)");
        Console.WriteLine($"  HAProxy has {proxy.Connections:N0} of them; TCP memory {pages} -> {TcpPages()} pages");
        var resets = Resets();
        coordinator.Assign(work, Phase.Drained);
        await coordinator.ReachedAsync(Phase.Drained);
        Console.WriteLine($"  after the drain HAProxy has {proxy.Connections:N0}; {Resets() - resets} resets were sent meanwhile in this namespace");
    }

    private Assignment Work(TlsProxy proxy, bool release)
    {
        var work = BenchWork.Of(connections, 10, 1);
        work.DrainTimeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(60));
        work.MaxDuration = Duration.FromTimeSpan(TimeSpan.FromHours(1));
        work.Schedule.ConnectsPerSecond = ConnectsPerSecond;
        work.Workload.ConnectTimeout = Duration.FromTimeSpan(TimeSpan.FromMinutes(2));
        work.Destinations[0].Ports = new() { First = TlsProxy.EcPort, Last = TlsProxy.EcPort };
        work.Transport = new() { Tls = new() { Ca = ByteString.CopyFromUtf8(proxy.Authority), ServerName = "localhost", ReleaseIdle = release } };
        return work;
    }

    // Bytes.
    private static async Task<double> LeastRssAsync(BenchCoordinator coordinator, long established)
    {
        var least = double.MaxValue;
        for (var at = 0; at < Settle;)
        {
            var sample = await coordinator.NextSampleAsync();
            if (sample.Gauges.Established == (ulong)established && ++at > Settle - 10)
                least = Math.Min(least, sample.Health.RssBytes);
        }

        return least;
    }

    private static long TcpPages()
    {
        var fields = File.ReadLines("/proc/net/sockstat").First(l => l.StartsWith("TCP:", StringComparison.Ordinal)).Split(' ');
        return long.Parse(fields[Array.IndexOf(fields, "mem") + 1], CultureInfo.InvariantCulture);
    }

    private static long Resets()
    {
        var lines = File.ReadLines("/proc/net/snmp").Where(l => l.StartsWith("Tcp:", StringComparison.Ordinal)).Select(l => l.Split(' ')).ToArray();
        return long.Parse(lines[1][Array.IndexOf(lines[0], "OutRsts")], CultureInfo.InvariantCulture);
    }
}
