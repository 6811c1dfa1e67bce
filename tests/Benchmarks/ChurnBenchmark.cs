using LoadHarness.V1;

namespace LoadHarness.Benchmarks;

/// <summary>
/// Connections that end as soon as they are open, by one reactor of the agent's program, alternating with the C program opener. Prints CPU
/// seconds for 100,000 of them and ratios of medians.
/// </summary>
internal sealed class ChurnBenchmark(string agentProgram, LimitPrograms limits, int connections, int rounds)
{
    private const int AtOnce = 64;

    // Enough that some are always under way, though each lives for a tick of its timer.
    private const int Goal = 512;

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
        List<double> limit = [], agent = [];
        for (var round = 0; round <= rounds; round++)
        {
            var c = limits.RunChurn(connections, AtOnce, name);
            var a = await ChurnAsync(close);
            if (round == 0)
                continue;
            limit.Add(c);
            agent.Add(a);
            Console.WriteLine($"  {round}: opener {c:0.00}   agent {a:0.00}");
        }

        var (mc, ma) = (Measured.Median(limit), Measured.Median(agent));
        Console.WriteLine($"  median: opener {mc:0.00}, agent {ma:0.00}; ratio {ma / mc:0.00}");
    }

    private async Task<double> ChurnAsync(CloseMethod close)
    {
        await using var agent = await BenchAgent.StartAsync(agentProgram, pinned: true);
        // As many tuples as opener goes through.
        var work = BenchWork.Churning(BenchWork.Of(connections, 10, LimitPrograms.Ports), close, TimeSpan.FromMilliseconds(1));
        await agent.WarmUpAsync(work, settle: 1);
        agent.Coordinator.Assign(BenchWork.WithGoal(work, Goal), Phase.Running);
        await agent.Coordinator.NextSampleAsync();
        await agent.Coordinator.NextSampleAsync();
        var (cpu, opened) = (0.0, 0ul);
        while (opened < (ulong)connections)
        {
            var sample = await agent.Coordinator.NextSampleAsync();
            if (sample.Counters.Failed + sample.Counters.ClosedByPeer > 0)
                throw new InvalidOperationException($"{sample.Counters.Failed} connects failed, {sample.Counters.ClosedByPeer} closed by the target: {sample.Failures}");
            cpu += sample.Health.CpuMicros / 1e6;
            opened += sample.Counters.Opened;
        }

        await agent.DrainAsync(work);
        return cpu * 1e5 / opened;
    }
}
