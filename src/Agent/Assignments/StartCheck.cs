namespace LoadHarness.Agent.Assignments;

/// <summary>A start instant that lies within a year of now, as every time of an assignment does: elapsed time can be counted from it.</summary>
internal static class StartCheck
{
    private const long LongestDays = 366;
    private const long LongestNanos = LongestDays * 24 * 3600 * 1_000_000_000;

    /// <summary>Checks a start instant.</summary>
    /// <param name="startNanos">On CLOCK_BOOTTIME, in nanoseconds; any value.</param>
    /// <param name="nowNanos">CLOCK_BOOTTIME now.</param>
    /// <returns>Null, or the refusal.</returns>
    public static AssignmentRefusal? Check(long startNanos, long nowNanos)
    {
        var away = (Int128)startNanos - nowNanos;
        return Int128.Abs(away) <= LongestNanos
            ? null
            : new("start_nanos", "range",
                $"the start instant is {(long)(Int128.Abs(away) / 1_000_000_000)} s {(away < 0 ? "ago" : "from now")} on the coordinator's clock; "
                + $"at most {LongestDays} days are allowed");
    }
}
