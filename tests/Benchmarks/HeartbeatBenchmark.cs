using Google.Protobuf.WellKnownTypes;
using LoadHarness.V1;

namespace LoadHarness.Benchmarks;

/// <summary>
/// Held connections with a request each in a period, through the agent's program and against the C program sink: how many were missed, what a
/// million cost with link and samples, and how evenly they were spread over the seconds.
/// </summary>
internal sealed class HeartbeatBenchmark(string agentProgram, LimitPrograms limits, int connections, TimeSpan every, TimeSpan duration)
{
    // Workers share newcomers by a hash of the tuple: some room for chance.
    private const int PerWorker = 17_000;

    /// <summary>Runs it.</summary>
    public async Task RunAsync()
    {
        using var sink = limits.StartAnsweringSink((connections + PerWorker - 1) / PerWorker);
        await using var agent = await BenchAgent.StartAsync(agentProgram, pinned: false);
        var work = BenchWork.Requesting(BenchWork.Of(connections, 10, LimitPrograms.Ports), new RequestLoad { Every = Duration.FromTimeSpan(every) });
        work.MaxDuration = Duration.FromTimeSpan(duration + every + TimeSpan.FromMinutes(5));
        await agent.WarmUpAsync(work, settle: 1);
        agent.Coordinator.Assign(work, Phase.Running);
        await agent.UntilAsync(connections, settle: 1);
        var warm = await agent.Coordinator.NextSampleAsync();
        while (warm.ToMillis < (long)every.TotalMilliseconds)
            warm = await agent.Coordinator.NextSampleAsync();
        Report(await MeasureAsync(agent.Coordinator));
        await agent.DrainAsync(work);
    }

    private async Task<List<Sample>> MeasureAsync(BenchCoordinator coordinator)
    {
        List<Sample> samples = [];
        do
            samples.Add(await coordinator.NextSampleAsync());
        while (samples[^1].ToMillis - samples[0].FromMillis < (long)duration.TotalMilliseconds);
        return samples;
    }

    private void Report(List<Sample> samples)
    {
        var seconds = (samples[^1].ToMillis - samples[0].FromMillis) / 1e3;
        var due = connections * seconds / every.TotalSeconds;
        var completed = samples.Sum(s => (double)s.Counters.RequestsCompleted);
        var cpu = samples.Sum(s => s.Health.CpuMicros / 1e6);
        var rates = samples.Select(s => s.Counters.RequestsOffered * 1e3 / (s.ToMillis - s.FromMillis) * every.TotalSeconds / connections).Order().ToList();
        Console.WriteLine($"{connections:N0} connections with {samples[^1].Health.Reactors} reactors, a request each in {every.TotalSeconds:0} s, for {seconds:0} s");
        Console.WriteLine($"  due {due:0}, completed {completed:0}; failed {Sum(samples, c => c.RequestsFailed)}, not offered {Sum(samples, c => c.RequestsNotOffered)}, closed by the target {Sum(samples, c => c.ClosedByPeer)}");
        Console.WriteLine($"  {cpu * 1e6 / completed:0.00} CPU s for a million");
        Console.WriteLine($"  of the even rate in each of {rates.Count} seconds: {rates[0]:0.000} to {rates[^1]:0.000}; nine tenths of them {rates[rates.Count / 20]:0.000} to {rates[rates.Count - 1 - (rates.Count / 20)]:0.000}");
    }

    private static ulong Sum(List<Sample> samples, Func<Counters, ulong> counter) => samples.Aggregate(0ul, (sum, s) => sum + counter(s.Counters));
}
