using Google.Protobuf.WellKnownTypes;
using LoadHarness.V1;

namespace LoadHarness.Benchmarks;

/// <summary>
/// Keep-alive requests, each as soon as the answer to the last one has come, by one reactor of the agent's program; alternating with the C
/// program opener, and with wrk where it is installed. Against the C program sink, and HAProxy where it is installed. Prints CPU seconds for a
/// million requests, of the whole program and of its reactor alone, and ratios of medians.
/// </summary>
internal sealed class HttpBenchmark(string agentProgram, LimitPrograms limits, IReadOnlyList<int> connections, long requests, int rounds)
{
    /// <summary>Runs every comparison.</summary>
    public async Task RunAsync()
    {
        using (limits.StartAnsweringSink(1))
            await CompareAllAsync("sink");
        if (!AnsweringProxy.IsInstalled)
            return;
        using (new AnsweringProxy())
            await CompareAllAsync("HAProxy");
    }

    private async Task CompareAllAsync(string target)
    {
        foreach (var count in connections)
            await CompareAsync($"{count:N0} connections to {target}", count);
    }

    private async Task CompareAsync(string name, int count)
    {
        Console.WriteLine($"{name}: CPU s for a million requests, {rounds} rounds after a warm-up, alternating");
        List<double> limit = [], wrk = [], agent = [], reactor = [];
        for (var round = 0; round <= rounds; round++)
        {
            var c = limits.RunRequests(count, requests);
            var w = WrkProgram.IsInstalled ? WrkProgram.Run(count) : double.NaN;
            var (a, r) = await RequestAsync(count);
            if (round == 0)
                continue;
            limit.Add(c);
            wrk.Add(w);
            agent.Add(a);
            reactor.Add(r);
            Console.WriteLine($"  {round}: opener {c:0.00}   wrk {w:0.00}   agent {a:0.00}, its reactor {r:0.00}");
        }

        var (mc, mw, ma, mr) = (Measured.Median(limit), Measured.Median(wrk), Measured.Median(agent), Measured.Median(reactor));
        Console.WriteLine($"  median: opener {mc:0.00}, wrk {mw:0.00}, agent {ma:0.00}, its reactor {mr:0.00}; agent / opener {ma / mc:0.00} (reactor {mr / mc:0.00}), agent / wrk {ma / mw:0.00}");
    }

    private async Task<(double Agent, double Reactor)> RequestAsync(int count)
    {
        await using var agent = await BenchAgent.StartAsync(agentProgram, pinned: true);
        var load = new RequestLoad { ThinkTime = Duration.FromTimeSpan(TimeSpan.Zero) };
        var work = BenchWork.Requesting(BenchWork.Of(count, 10, LimitPrograms.Ports), load);
        await agent.WarmUpAsync(work, settle: 1);
        agent.Coordinator.Assign(work, Phase.Running);
        await agent.UntilAsync(count, settle: 2);
        var (cpu, reactor, completed) = (0.0, 0.0, 0ul);
        while (completed < (ulong)requests)
        {
            var sample = await agent.Coordinator.NextSampleAsync();
            if (sample.Counters.RequestsFailed > 0)
                throw new InvalidOperationException($"{sample.Counters.RequestsFailed} requests failed: {sample.Failures}");
            cpu += sample.Health.CpuMicros / 1e6;
            reactor += sample.Health.ReactorCpuMaxMicros / 1e6;
            completed += sample.Counters.RequestsCompleted;
        }

        await agent.DrainAsync(work);
        return (cpu * 1e6 / completed, reactor * 1e6 / completed);
    }
}
