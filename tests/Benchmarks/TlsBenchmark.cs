using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.V1;

namespace LoadHarness.Benchmarks;

/// <summary>
/// A handshake, a GET and the end of the connection, through the agent's program and through the C program, alternating, against the
/// same HAProxy. The C program verifies no certificate: the agent is measured without verifying, and with it.
/// </summary>
internal sealed class TlsBenchmark(string agentProgram, LimitPrograms limits, int handshakes, int rounds)
{
    private const int InFlight = 64;
    private const int LeakSteps = 10;

    private static readonly (string Name, int Port)[] _keys = [("RSA-2048", TlsProxy.RsaPort), ("P-256", TlsProxy.EcPort)];

    /// <summary>Compares full and resumed handshakes for each kind of key.</summary>
    public async Task CompareAsync()
    {
        using var proxy = new TlsProxy();
        foreach (var (name, port) in _keys)
        {
            await CompareAsync(proxy, $"{name}, full handshakes", port, resume: false);
            await CompareAsync(proxy, $"{name}, resumed handshakes", port, resume: true);
        }
    }

    /// <summary>Opens and ends connections, and prints what memory the agent has meanwhile.</summary>
    public async Task ChurnAsync()
    {
        using var proxy = new TlsProxy();
        await using var agent = await BenchAgent.StartAsync(agentProgram);
        var work = await StartAsync(agent.Coordinator, Work(TlsProxy.EcPort, 0.5, proxy.Authority));
        long done = 0;
        for (var step = 1; step <= LeakSteps; step++)
        {
            Sample sample;
            do
            {
                sample = await agent.Coordinator.NextSampleAsync();
                done += (long)sample.Counters.Opened;
            }
            while (done < (long)handshakes * step / LeakSteps);
            Console.WriteLine($"  {done,9:N0} handshakes: {sample.Health.RssBytes / 1e6:0.0} MB RSS, {sample.Counters.Resumed} of {sample.Counters.Opened} resumed, {sample.Counters.Failed} failed");
        }

        await EndAsync(agent.Coordinator, work);
    }

    private async Task CompareAsync(TlsProxy proxy, string name, int port, bool resume)
    {
        Console.WriteLine($"{name}: {handshakes:N0} a round, {InFlight} under way, {rounds} rounds after a warm-up, alternating");
        List<double> limit = [];
        List<TlsCost> ours = [], verified = [];
        for (var round = 0; round <= rounds; round++)
        {
            var c = limits.RunTls(port, handshakes, InFlight, resume);
            var a = await RunAsync(Work(port, resume ? 1 : 0, null));
            var v = await RunAsync(Work(port, resume ? 1 : 0, proxy.Authority));
            if (round == 0)
                continue;
            limit.Add(c);
            ours.Add(a);
            verified.Add(v);
            Console.WriteLine($"  {round}: C {c:0.000}   agent's reactor {a.Reactor:0.000}   verifying {v.Reactor:0.000} CPU ms a connection; with link and samples {a.Process:0.000} and {v.Process:0.000}");
        }

        var m = Measured.Median(limit);
        foreach (var (what, costs) in new[] { ("agent", ours), ("verifying", verified) })
        {
            var (r, p) = (Measured.Median(costs.Select(c => c.Reactor)), Measured.Median(costs.Select(c => c.Process)));
            Console.WriteLine($"  median: C {m:0.000}, {what} {r:0.000} CPU ms, ratio {r / m:0.00}; with link and samples {p:0.000}, ratio {p / m:0.00}");
        }
    }

    private async Task<TlsCost> RunAsync(Assignment work)
    {
        await using var agent = await BenchAgent.StartAsync(agentProgram);
        var assignment = await StartAsync(agent.Coordinator, work);
        // The first ones warm up; a resumed one needs a session.
        await agent.Coordinator.NextSampleAsync();
        await agent.Coordinator.NextSampleAsync();
        var (cpu, reactor, done, resumed, failed) = (0UL, 0UL, 0UL, 0UL, 0UL);
        while (done < (ulong)handshakes)
        {
            var sample = await agent.Coordinator.NextSampleAsync();
            cpu += sample.Health.CpuMicros;
            // There is one.
            reactor += sample.Health.ReactorCpuMaxMicros;
            done += sample.Counters.RequestsCompleted;
            resumed += sample.Counters.Resumed;
            failed += sample.Counters.Failed + sample.Counters.RequestsFailed;
        }

        await EndAsync(agent.Coordinator, assignment);
        var wanted = work.Transport.Tls.Resume > 0 ? done : 0;
        // At both ends of the time those under way are counted by one of the two alone.
        if (failed > 0 || Math.Abs((double)resumed - wanted) > 2 * InFlight)
            throw new InvalidOperationException($"{done} done, {resumed} resumed, {failed} failed");
        return new(reactor / 1e3 / done, cpu / 1e3 / done);
    }

    private static async Task<Assignment> StartAsync(BenchCoordinator coordinator, Assignment work)
    {
        coordinator.Assign(work, Phase.Prepared);
        await coordinator.ReachedAsync(Phase.Prepared);
        coordinator.Assign(work, Phase.Running);
        return work;
    }

    private static async Task EndAsync(BenchCoordinator coordinator, Assignment work)
    {
        coordinator.Assign(work, Phase.Drained);
        await coordinator.ReachedAsync(Phase.Drained);
    }

    private static Assignment Work(int port, double resume, string? authority)
    {
        var work = BenchWork.Of(InFlight, 10, 1);
        work.Slice.Blocks[0].PortBlocks = 20;
        work.MaxDuration = Duration.FromTimeSpan(TimeSpan.FromHours(1));
        work.Destinations[0].Ports = new() { First = (uint)port, Last = (uint)port };
        work.Transport = new() { Tls = new() { Insecure = authority is null, Ca = ByteString.CopyFromUtf8(authority ?? ""), ServerName = "localhost", Resume = resume, QuietShutdown = true } };
        work.Workload = new()
        {
            ConnectTimeout = work.Workload.ConnectTimeout,
            Http = new()
            {
                Method = "GET",
                Path = "/",
                Host = "localhost",
                RequestsPerConnection = 1,
                Timeout = Duration.FromTimeSpan(TimeSpan.FromSeconds(30)),
                Load = new() { ThinkTime = Duration.FromTimeSpan(TimeSpan.Zero) },
            },
        };
        return work;
    }

    // CPU milliseconds of a connection: of the reactor alone, and with what the agent does every second whatever its connections do.
    private readonly record struct TlsCost(double Reactor, double Process);
}
