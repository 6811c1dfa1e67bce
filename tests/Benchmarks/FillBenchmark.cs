using LoadHarness.V1;

namespace LoadHarness.Benchmarks;

/// <summary>
/// Fills one source and destination to 97 % of 64,512 ports, a tenth a second, and prints what a connect of each tenth cost; beside it
/// the C program opener, which lets the kernel choose the port. Wants a network namespace of its own with net.ipv4.ip_local_port_range
/// at 1024 65535.
/// </summary>
internal sealed class FillBenchmark(string agentProgram, LimitPrograms limits, int rounds)
{
    private const int Connections = 62_576;
    private const int Tenths = 10;
    private const int Quarter = 15_000;
    private const string KernelChosenSource = "127.3.0.1";

    /// <summary>Runs it.</summary>
    public async Task RunAsync()
    {
        using var sink = limits.StartSink(8);
        var tenths = new List<double[]>();
        for (var round = 0; round <= rounds; round++)
        {
            var cpu = await FillAsync();
            if (round > 0)
                tenths.Add(cpu);
        }

        var medians = Enumerable.Range(0, Tenths).Select(t => tenths.Select(r => r[t]).Order().ElementAt(tenths.Count / 2)).ToArray();
        Console.WriteLine($"explicit ports, {Connections:N0} connections, CPU s/100k by tenth, medians of {rounds}: {string.Join("  ", medians.Select(m => $"{m:0.00}"))}");
        Console.WriteLine($"  connects per CPU second, last tenth beside the first: {medians[0] / medians[^1]:0.00}");
        CompareKernelChosen();
    }

    private void CompareKernelChosen()
    {
        var first = limits.RunKernelChosen(KernelChosenSource, Quarter);
        RunningProgram[] holders = [.. Enumerable.Range(0, 3).Select(q => limits.StartHolder(KernelChosenSource, Quarter, 12_000 + (q * Quarter)))];
        Thread.Sleep(3_000);
        var last = limits.RunKernelChosen(KernelChosenSource, Quarter);
        foreach (var holder in holders)
            holder.Dispose();
        Console.WriteLine($"kernel-chosen ports (opener -m noport), CPU s/100k: {first.CpuPer100k:0.00} for the first {Quarter:N0} of a tuple, {last.CpuPer100k:0.00} after {3 * Quarter:N0}");
    }

    private async Task<double[]> FillAsync()
    {
        await using var agent = await BenchAgent.StartAsync(agentProgram, pinned: false);
        var coordinator = agent.Coordinator;
        var work = BenchWork.Of(Connections, 1, 1);
        work.Slice.Blocks[0].FirstPort = 1024;
        work.Slice.Blocks[0].PortBlocks = 252;
        // Not the sink's own ports.
        work.Slice.ExcludedPorts.Add(new PortRange { First = LimitPrograms.FirstPort, Last = LimitPrograms.FirstPort + LimitPrograms.Ports - 1 });
        await agent.WarmUpAsync(work, settle: 1);
        // A tenth takes a second.
        work.Schedule.ConnectsPerSecond = (double)Connections / Tenths;
        coordinator.Assign(work, Phase.Running);
        var cost = new List<(ulong Opened, double Cpu)>();
        Sample sample;
        do
        {
            sample = await coordinator.NextSampleAsync();
            cost.Add((sample.Counters.Opened, sample.Health.CpuMicros / 1e6));
        }
        while (sample.Gauges.Established < Connections);
        var idle = Math.Min((await coordinator.NextSampleAsync()).Health.CpuMicros, (await coordinator.NextSampleAsync()).Health.CpuMicros) / 1e6;
        await agent.DrainAsync(work);
        // The first and the last second are only in part of the fill.
        var whole = cost.Where(c => c.Opened > Connections / Tenths / 2).ToArray();
        return [.. Enumerable.Range(0, Tenths).Select(t => whole[t * whole.Length / Tenths]).Select(c => (c.Cpu - idle) * 1e5 / c.Opened)];
    }
}
