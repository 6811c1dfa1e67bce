using LoadHarness.V1;

namespace LoadHarness.Benchmarks;

/// <summary>
/// Connections that end as soon as they are open, by one reactor of the agent's program, alternating with the C program opener. Prints CPU
/// seconds for 100,000 of them, of the whole program and of its reactor alone, and ratios of medians.
/// </summary>
internal sealed class ChurnBenchmark(string agentProgram, LimitPrograms limits, int connections, int rounds)
{
    // So many that neither side waits for the other: who is slower than the sink finds it asleep, and pays for waking it.
    private const int AtOnce = 256;

    /// <summary>Runs both comparisons.</summary>
    public async Task RunAsync()
    {
        using var sink = limits.StartAnsweringSink(1);
        await CompareAsync("fin", CloseMethod.Fin);
        await CompareAsync("rst", CloseMethod.Rst);
    }

    private async Task CompareAsync(string name, CloseMethod close)
    {
        Console.WriteLine($"churn by {name}: CPU s for 100,000 connections, {rounds} rounds after a warm-up, alternating");
        List<double> limit = [], agent = [], reactor = [];
        for (var round = 0; round <= rounds; round++)
        {
            var c = limits.RunChurn(connections, AtOnce, name);
            var (a, r) = await ChurnAsync(close);
            if (round == 0)
                continue;
            limit.Add(c);
            agent.Add(a);
            reactor.Add(r);
            Console.WriteLine($"  {round}: opener {c:0.00}   agent {a:0.00}, its reactor {r:0.00}");
        }

        var (mc, ma, mr) = (Measured.Median(limit), Measured.Median(agent), Measured.Median(reactor));
        Console.WriteLine($"  median: opener {mc:0.00}, agent {ma:0.00}, its reactor {mr:0.00}; ratios {ma / mc:0.00} and {mr / mc:0.00}");
    }

    private async Task<(double Agent, double Reactor)> ChurnAsync(CloseMethod close)
    {
        await using var agent = await BenchAgent.StartAsync(agentProgram, pinned: true);
        // As many tuples as opener goes through.
        var work = BenchWork.Churning(BenchWork.Of(connections, 10, LimitPrograms.Ports), close, TimeSpan.FromMilliseconds(1));
        work.Share = AtOnce;
        work.Schedule.Points[0].Goal = AtOnce;
        await agent.WarmUpAsync(work, settle: 1);
        agent.Coordinator.Assign(work, Phase.Running);
        await agent.Coordinator.NextSampleAsync();
        await agent.Coordinator.NextSampleAsync();
        var (cpu, reactor, opened) = (0.0, 0.0, 0ul);
        while (opened < (ulong)connections)
        {
            var sample = await agent.Coordinator.NextSampleAsync();
            // Ends that wait for a sink without a core can fill the descriptor table: those connects cost next to nothing, and are not counted.
            if (sample.Failures.Any(f => f.Reason.Cause != FailureCause.Descriptors))
                throw new InvalidOperationException($"{sample.Failures}");
            cpu += sample.Health.CpuMicros / 1e6;
            reactor += sample.Health.ReactorCpuMaxMicros / 1e6;
            opened += sample.Counters.Opened;
        }

        await agent.DrainAsync(work);
        return (cpu * 1e5 / opened, reactor * 1e5 / opened);
    }
}
