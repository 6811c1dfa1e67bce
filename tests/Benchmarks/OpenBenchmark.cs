using LoadHarness.V1;

namespace LoadHarness.Benchmarks;

/// <summary>
/// Opens and holds through the agent's program, alternating with the C programs on the same work, and prints ratios of
/// medians. The agent is steered over its real link.
/// </summary>
internal sealed class OpenBenchmark(string agentProgram, LimitPrograms limits, int connections, int rounds)
{
    private const int OpenerConnections = 15_000;
    // Each thread has a descriptor table and a source of its own, as a reactor has a table.
    private const int PerThread = 19_600;
    private const int FewestThreads = 8;

    private int Threads => Math.Max(FewestThreads, (connections + PerThread - 1) / PerThread);

    /// <summary>Runs both comparisons.</summary>
    public async Task RunAsync()
    {
        using var sink = limits.StartSink(2 * Threads);
        if (connections <= FewestThreads * PerThread)
        {
            await CompareAsync(
                "one reactor beside opener", BenchWork.Of(OpenerConnections, 10, LimitPrograms.Ports), pinned: true, () => limits.RunOpener(OpenerConnections));
        }

        await CompareAsync($"{Threads} threads of million", BenchWork.Of(connections / Threads * Threads, Threads, 1), pinned: false, () => limits.RunMillion(Threads, connections));
    }

    private async Task CompareAsync(string name, Assignment work, bool pinned, Func<Measured> runLimit)
    {
        Console.WriteLine($"{name}: {work.Share:N0} connections, {rounds} rounds after a warm-up, alternating");
        List<Measured> limit = [], agent = [];
        for (var round = 0; round <= rounds; round++)
        {
            var c = runLimit();
            var ours = await OpenAsync(work, pinned, round == rounds);
            if (round == 0)
                continue;
            limit.Add(c);
            agent.Add(ours);
            Console.WriteLine($"  {round}: C {c.CpuPer100k:0.00} CPU s/100k {c.PerSecond,7:0}/s   agent {ours.CpuPer100k:0.00} CPU s/100k {ours.PerSecond,7:0}/s");
        }

        var (m, a) = (Measured.Median(limit), Measured.Median(agent));
        var idle = agent.Select(r => r.IdlePerSecond).Order().ElementAt(agent.Count / 2);
        Console.WriteLine($"  median: C {m.CpuPer100k:0.00}, agent {a.CpuPer100k:0.00} CPU s/100k; ratio {a.CpuPer100k / m.CpuPer100k:0.00}; {m.PerSecond:0} and {a.PerSecond:0}/s, ratio of the times {m.PerSecond / a.PerSecond:0.00}");
        Console.WriteLine($"  of the agent's, {idle * 1000:0.0} ms in every second are link and samples, whatever it opens");
    }

    private async Task<Measured> OpenAsync(Assignment work, bool pinned, bool report)
    {
        await using var agent = await BenchAgent.StartAsync(agentProgram, pinned);
        var connections = (long)work.Share;
        var before = await agent.WarmUpAsync(work, settle: 2);
        agent.Coordinator.Assign(work, Phase.Running);
        var (cpu, seconds) = (0.0, 0.0);
        Sample sample;
        do
        {
            sample = await agent.Coordinator.NextSampleAsync();
            cpu += sample.Health.CpuMicros / 1e6;
            seconds += (sample.ToMillis - sample.FromMillis) / 1e3;
            if (sample.Gauges.Established == before.Gauges.Established)
                (cpu, seconds) = (0, 0);
        }
        while (sample.Gauges.Established < (ulong)connections);
        var held = await agent.UntilAsync(connections, settle: 3);
        if (report)
            Report(before, held, connections);
        await agent.DrainAsync(work);
        return new(cpu * 1e5 / connections, connections / seconds, held.Health.CpuMicros / 1e6);
    }

    private static void Report(Sample before, Sample held, long connections)
    {
        var grown = (double)held.Health.RssBytes - before.Health.RssBytes;
        Console.WriteLine($"  base {before.Health.RssBytes / 1e6:0.0} MB RSS with {held.Health.Reactors} reactors; {grown / connections:0.0} bytes per held connection over it");
        Console.WriteLine($"  managed bytes allocated by reactor threads while opening and holding: {held.Health.ReactorAllocatedBytes - before.Health.ReactorAllocatedBytes}");
    }
}
