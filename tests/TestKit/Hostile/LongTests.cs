using NUnit.Framework;

namespace LoadHarness.TestKit.Hostile;

/// <summary>Whether tests with a short and a long form take the long one: LOADHARNESS_LONG=1.</summary>
public static class LongTests
{
    /// <summary>Whether they do.</summary>
    public static bool Wanted => Environment.GetEnvironmentVariable("LOADHARNESS_LONG") == "1";

    /// <summary>A seed that stays the same in the short form, so that what fails once fails always; printed, so that a failure of the long one can be had again.</summary>
    /// <param name="fixedSeed">Of the short form.</param>
    public static int Seed(int fixedSeed)
    {
        var seed = Wanted ? Random.Shared.Next() : fixedSeed;
        TestContext.Out.WriteLine($"seed {seed}");
        return seed;
    }
}
