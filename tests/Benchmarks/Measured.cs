namespace LoadHarness.Benchmarks;

/// <summary>What opening cost, of one run of one program.</summary>
/// <param name="CpuPer100k">CPU seconds, user and system, for 100,000 connections.</param>
/// <param name="PerSecond">Connections a second.</param>
internal readonly record struct Measured(double CpuPer100k, double PerSecond)
{
    /// <summary>The run in the middle, by CPU.</summary>
    public static Measured Median(IEnumerable<Measured> runs)
    {
        var sorted = runs.OrderBy(r => r.CpuPer100k).ToArray();
        return sorted[sorted.Length / 2];
    }
}
