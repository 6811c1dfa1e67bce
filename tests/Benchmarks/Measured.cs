namespace LoadHarness.Benchmarks;

/// <summary>What opening cost, of one run of one program.</summary>
/// <param name="CpuPer100k">CPU seconds, user and system, for 100,000 connections.</param>
/// <param name="PerSecond">Connections a second.</param>
/// <param name="IdlePerSecond">CPU seconds a second of the same process while it only holds; 0 for programs that do nothing then.</param>
internal readonly record struct Measured(double CpuPer100k, double PerSecond, double IdlePerSecond = 0)
{
    /// <summary>The value in the middle.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    /// <summary>The run in the middle, by CPU.</summary>
    public static Measured Median(IEnumerable<Measured> runs)
    {
        var sorted = runs.OrderBy(r => r.CpuPer100k).ToArray();
        return sorted[sorted.Length / 2];
    }
}
