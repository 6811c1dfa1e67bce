using System.Collections.Immutable;

namespace LoadHarness.Protos;

/// <summary>A goal over elapsed time: linear between points, constant before the first and after the last.</summary>
/// <param name="Points">At least one, in order of time.</param>
/// <param name="ConnectsPerSecond">Upper bound of connects per second, for ramp and reopening alike; above 0.</param>
public sealed record Schedule(ImmutableArray<SchedulePoint> Points, double ConnectsPerSecond)
{
    /// <summary>The goal at an instant.</summary>
    /// <param name="elapsed">Since the start instant.</param>
    public long GoalAt(TimeSpan elapsed)
    {
        if (elapsed <= Points[0].Elapsed)
            return Points[0].Goal;
        for (var i = 1; i < Points.Length; i++)
        {
            var (from, to) = (Points[i - 1], Points[i]);
            if (elapsed < to.Elapsed)
            {
                var done = (Int128)(to.Goal - from.Goal) * (elapsed - from.Elapsed).Ticks;
                return from.Goal + (long)(done / (to.Elapsed - from.Elapsed).Ticks);
            }
        }

        return Points[^1].Goal;
    }
}
