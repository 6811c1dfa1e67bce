namespace LoadHarness.Agent.Engine;

/// <summary>What pacing remembers between two steps.</summary>
/// <param name="LastNanos">When the last step was taken.</param>
/// <param name="Credit">Connects that the rate has allowed and that were not used.</param>
public readonly record struct PacerState(long LastNanos, double Credit);

/// <summary>What one step of pacing says.</summary>
/// <param name="Due">Connects to start now.</param>
/// <param name="NotOffered">Connects that were due earlier and are given up: the caller came too late.</param>
/// <param name="State">For the next step, as if all of <paramref name="Due"/> were started.</param>
public readonly record struct PacerStep(long Due, long NotOffered, PacerState State)
{
    /// <summary>The state for the next step when only some were started.</summary>
    public PacerState StateAfter(long started) => State with { Credit = State.Credit + (Due - started) };
}

/// <summary>
/// Spreads connects evenly over time: a pure function of rate, time and what is missing to the goal. A late caller
/// catches up on at most <see cref="CatchUpNanos"/> of the rate, so that a stall never becomes a burst.
/// </summary>
public static class Pacer
{
    /// <summary>How much lateness is made good, in nanoseconds.</summary>
    public const long CatchUpNanos = 100_000_000;

    /// <summary>Takes one step.</summary>
    /// <param name="state">From the step before.</param>
    /// <param name="connectsPerSecond">Upper bound of the rate; 0 or above.</param>
    /// <param name="nowNanos">Now; an instant before <see cref="PacerState.LastNanos"/> allows nothing.</param>
    /// <param name="missing">Connections missing to the goal; below 0 when there are too many.</param>
    public static PacerStep Step(PacerState state, double connectsPerSecond, long nowNanos, long missing)
    {
        var credit = state.Credit + (connectsPerSecond * Math.Max(0, nowNanos - state.LastNanos) / 1e9);
        var last = Math.Max(nowNanos, state.LastNanos);
        if (missing <= 0)
            return new(0, 0, new(last, Math.Min(credit, 1)));

        // One more than lateness alone: up to one is carried over from step to step, and a caller on time loses nothing of it.
        var bound = 1 + (connectsPerSecond * CatchUpNanos / 1e9);
        var usable = Math.Min(credit, bound);
        var due = Math.Min(missing, (long)usable);
        var notOffered = Math.Min((long)(credit - usable), missing - due);
        // What was asked for is all started: the rest of the credit is not saved up for a later burst.
        var rest = due == missing ? Math.Min(usable - due, 1) : usable - due;
        return new(due, notOffered, new(last, rest));
    }

    /// <summary>How long until the rate allows the next connect, in nanoseconds; 0 when it does now, <see cref="long.MaxValue"/> for never.</summary>
    public static long NanosUntilDue(PacerState state, double connectsPerSecond) =>
        state.Credit >= 1 ? 0 : (long)Math.Ceiling((1 - state.Credit) / connectsPerSecond * 1e9);
}
