namespace LoadHarness.Agent.Engine;

/// <summary>Steps of the golden ratio between 0 and 1: however many there are, they leave the least gaps (Weyl; Knuth, The Art of Computer Programming 3, 6.4).</summary>
internal static class GoldenSteps
{
    private const double Ratio = 0.6180339887498949;

    /// <summary>One of them, from 0 to 1 (exclusive).</summary>
    /// <param name="number">Counted from 0.</param>
    /// <param name="first">Where the first one is.</param>
    public static double At(long number, double first = 0) => (first + (number * Ratio)) % 1;
}
