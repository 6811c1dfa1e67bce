namespace LoadHarness.Agent.Link;

/// <summary>How long to wait before another try: anywhere up to a bound that doubles, so that a thousand agents do not come back at once.</summary>
internal static class Backoff
{
    private static readonly TimeSpan s_first = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(5);

    /// <summary>A random time between zero and the bound.</summary>
    /// <param name="attempt">From 0.</param>
    public static TimeSpan FullJitter(int attempt)
    {
        var bound = attempt < 10 ? s_first * (1 << attempt) : s_longest;
        return (bound < s_longest ? bound : s_longest) * Random.Shared.NextDouble();
    }
}
