using System.Globalization;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>What is random about a fault: LOADHARNESS_SEED repeats it; the seed is written to the test's output.</summary>
internal static class RandomFaults
{
    /// <summary>Another sequence in each run of the tests.</summary>
    public static Random Seeded()
    {
        var seed = int.TryParse(Environment.GetEnvironmentVariable("LOADHARNESS_SEED"), CultureInfo.InvariantCulture, out var given)
            ? given : Random.Shared.Next();
        TestContext.Out.WriteLine($"LOADHARNESS_SEED={seed}");
        return new Random(seed);
    }
}
