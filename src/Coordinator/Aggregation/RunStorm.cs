using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>One reconnect storm of a run.</summary>
/// <param name="Number">1, 2, 3, ... of the run.</param>
/// <param name="At">When it begins, elapsed.</param>
/// <param name="Fraction">Of the connections held then.</param>
/// <param name="Within">How long the closes, and the connects after them, take.</param>
/// <param name="Close">How the connections end.</param>
/// <param name="Held">What is to be held again: what was when it was asked for, at most the goal; 0 where that is not known.</param>
public sealed record RunStorm(int Number, TimeSpan At, double Fraction, TimeSpan Within, CloseMethod Close, long Held = 0)
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(5);

    /// <summary>When the last of it closes.</summary>
    public TimeSpan End => At + Within;

    /// <summary>An agent that first hears of it later than this, elapsed, has no part in it.</summary>
    public TimeSpan Latest => End + _patience;
}
