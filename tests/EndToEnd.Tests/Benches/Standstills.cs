using System.Collections.Concurrent;
using System.Diagnostics;

namespace LoadHarness.EndToEnd.Tests.Benches;

/// <summary>
/// When the machine stood still, by a thread that only looks at the clock. Whoever does not run when a second ends cannot count what he
/// holds then: such a gap in a summary is true, and no fault of the product.
/// </summary>
internal static class Standstills
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(50);

    // One below a second costs nobody a count.
    private static readonly TimeSpan _shortest = TimeSpan.FromMilliseconds(700);
    private static readonly ConcurrentQueue<(long End, TimeSpan Length)> _all = [];

    static Standstills() => new Thread(Watch) { IsBackground = true, Name = "standstills" }.Start();

    /// <summary>To ask from when on.</summary>
    public static long Now => Stopwatch.GetTimestamp();

    /// <summary>The seconds that one agent may be unable to count because of them: those that end in each, and one that is cut by it.</summary>
    /// <param name="since">See <see cref="Now"/>.</param>
    public static long SecondsSince(long since) => _all.Where(s => s.End > since).Sum(s => (long)s.Length.TotalSeconds + 1);

    private static void Watch()
    {
        for (var before = Now; ;)
        {
            Thread.Sleep(_pause);
            var now = Now;
            var late = Stopwatch.GetElapsedTime(before, now) - _pause;
            if (late >= _shortest)
                _all.Enqueue((now, late));
            before = now;
        }
    }
}
