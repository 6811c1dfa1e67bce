namespace LoadHarness.Agent.Link;

/// <summary>
/// How long to wait before another try: anywhere up to a bound that doubles, so that a thousand agents do not come back at once.
/// </summary>
internal static class Backoff
{
    private static readonly TimeSpan _first = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(5);

    /// <summary>A random time between zero and the bound.</summary>
    /// <param name="attempt">From 0.</param>
    public static TimeSpan FullJitter(int attempt)
    {
        var bound = attempt < 10 ? _first * (1 << attempt) : _longest;
        return (bound < _longest ? bound : _longest) * Random.Shared.NextDouble();
    }
}
