using LoadHarness.Protos;

namespace LoadHarness.Agent.Engine;

/// <summary>
/// What one reactor is to reach: its part of the agent's schedule. Immutable; the newest one counts.
/// <para>
/// Up to the base (what all reactors had together when the schedule was given) the goal is spread as it was; above it, as
/// there is room. So a change of the schedule never closes connections of one reactor to open them in another.
/// </para>
/// </summary>
public sealed record ReactorGoal
{
    /// <summary>The agent's schedule.</summary>
    public required Schedule Schedule { get; init; }

    /// <summary>This reactor's part of the base.</summary>
    public required GoalPart Base { get; init; }

    /// <summary>This reactor's part of what is above the base.</summary>
    public required GoalPart Growth { get; init; }

    /// <summary>CLOCK_BOOTTIME of the start instant; <see cref="long.MaxValue"/> while the run has not started.</summary>
    public long StartNanos { get; init; } = long.MaxValue;

    /// <summary>Elapsed time after which the reactor drains by itself.</summary>
    public required TimeSpan MaxDuration { get; init; }

    /// <summary>From connect() to ESTABLISHED, in nanoseconds.</summary>
    public required long ConnectTimeoutNanos { get; init; }

    /// <summary>What an open model asks of all reactors together; 0: nothing.</summary>
    public double RequestsPerSecond { get; init; }

    /// <summary>How long a drain may take.</summary>
    public required TimeSpan DrainTimeout { get; init; }

    /// <summary>This reactor's part of the agent's connections, 0 to 1; the parts of all reactors sum to 1.</summary>
    public double Part => Base.Total + Growth.Total is > 0 and var total ? (double)(Base.Count + Growth.Count) / total : 0;

    /// <summary>
    /// This reactor's upper bound of connects per second at an instant; those of all reactors sum to the agent's. What the
    /// schedule rises by goes to the reactors that grow, what is left of the rate to all: they may have to reopen.
    /// </summary>
    public double ConnectsPerSecond(TimeSpan elapsed)
    {
        var total = Base.Total + Growth.Total;
        if (total == 0)
            return 0;
        var growing = Schedule.GoalAt(elapsed) < Base.Total ? Base : Growth;
        var rise = growing.Total == 0 ? 0 : Math.Clamp(SlopeAt(elapsed), 0, Schedule.ConnectsPerSecond);
        return (rise * growing.Fraction) + ((Schedule.ConnectsPerSecond - rise) * (Base.Count + Growth.Count) / total);
    }

    /// <summary>
    /// This reactor's goal at an instant; the goals of all reactors sum to the agent's exactly. The price of that: while the
    /// agent's goal rises or falls, a part of it may step back by one on its way.
    /// </summary>
    public long GoalAt(TimeSpan elapsed)
    {
        var goal = Schedule.GoalAt(elapsed);
        return goal <= Base.Total ? Base.Of(goal) : Base.Count + Growth.Of(goal - Base.Total);
    }

    /// <summary>1 while the agent's goal rises, -1 while it falls, 0 while it is level.</summary>
    public int DirectionAt(TimeSpan elapsed) => Math.Sign(SlopeAt(elapsed));

    // In connections per second.
    private double SlopeAt(TimeSpan elapsed)
    {
        var points = Schedule.Points;
        for (var i = 1; i < points.Length; i++)
        {
            if (elapsed < points[i].Elapsed)
                return (points[i].Goal - points[i - 1].Goal) / (points[i].Elapsed - points[i - 1].Elapsed).TotalSeconds;
        }

        return 0;
    }
}

/// <summary>A part of a whole: of every <see cref="Total"/> connections, those numbered <see cref="From"/> to <see cref="To"/> (exclusive).</summary>
public readonly record struct GoalPart(long From, long To, long Total)
{
    /// <summary>How many.</summary>
    public long Count => To - From;

    /// <summary>Share of the whole, 0 to 1.</summary>
    public double Fraction => Total == 0 ? 0 : (double)Count / Total;

    /// <summary>
    /// The part of a number. All parts of one whole sum to the number exactly: each is the difference of two neighbours of one
    /// rounded, rising sequence.
    /// </summary>
    public long Of(long number) => Total == 0 ? 0 : Scale(number, To) - Scale(number, From);

    /// <summary>Parts of the given sizes, side by side.</summary>
    public static GoalPart[] SideBySide(IReadOnlyList<long> counts)
    {
        var parts = new GoalPart[counts.Count];
        var total = counts.Sum();
        var from = 0L;
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = new(from, from + counts[i], total);
            from += counts[i];
        }

        return parts;
    }

    /// <summary>Spreads a number as evenly as the capacities allow.</summary>
    /// <returns>One count for each capacity; they sum to the number, or to all capacities when those are less.</returns>
    public static long[] Spread(long number, IReadOnlyList<long> capacities)
    {
        var counts = new long[capacities.Count];
        var open = Enumerable.Range(0, counts.Length).OrderBy(i => capacities[i]).ToArray();
        for (var i = 0; i < open.Length; i++)
        {
            // The smallest first: what it cannot take, the larger ones share.
            var even = number / (open.Length - i);
            counts[open[i]] = Math.Min(capacities[open[i]], i == open.Length - 1 ? number : even);
            number -= counts[open[i]];
        }

        return counts;
    }

    private long Scale(long number, long part) => (long)((Int128)number * part / Total);
}
