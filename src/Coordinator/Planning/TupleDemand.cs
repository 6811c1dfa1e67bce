using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Planning;

/// <summary>How many tuples connections take, those that rest after them included.</summary>
/// <param name="Lifetime">Of a connection that churns; null: connections are held.</param>
/// <param name="Rest">How long a tuple rests after its connection; zero: it is used again at once.</param>
internal readonly record struct TupleDemand(TimeSpan? Lifetime, TimeSpan Rest)
{
    private const double MostTuples = 1e12;

    /// <summary>Some connections end when nobody knows beforehand: each may do so at once, and often.</summary>
    public bool IsUnforeseen { get; init; }

    /// <summary>What a run asks for. A reset leaves nothing that rests.</summary>
    public static TupleDemand Of(RunSpec spec) =>
        new(spec.Churn?.Lifetime, spec is { Churn.Close: CloseMethod.Rst, EndsAreUnforeseen: false } ? TimeSpan.Zero : spec.Rest)
        {
            IsUnforeseen = spec.EndsAreUnforeseen,
        };

    /// <summary>Whether tuples rest in steady state, so that fewer connections than tuples can be kept.</summary>
    public bool RestsAlways => Lifetime is not null && Rest > TimeSpan.Zero;

    /// <summary>Connections that tuples carry for as long as a run lasts.</summary>
    public long Carried(long tuples) => RestsAlways && Lifetime is { } lifetime
        ? (long)((Int128)tuples * lifetime.Ticks / (lifetime + Rest).Ticks)
        : tuples;

    /// <summary>Tuples that a share takes at least: <see cref="Carried"/> of them is the share again.</summary>
    public long Needed(long share) => RestsAlways && Lifetime is { } lifetime
        ? (long)((((Int128)share * (lifetime + Rest).Ticks) + lifetime.Ticks - 1) / lifetime.Ticks)
        : share;

    /// <summary>Connects per second that keep a goal up; 0 when connections are held.</summary>
    public double ChurnRate(long goal) => Lifetime is { } lifetime ? ChurnArithmetic.RateOf(goal, lifetime) : 0;

    /// <summary>Connections per second at which tuples can be gone through; infinite when none rests.</summary>
    public double Ceiling(long tuples) =>
        RestsAlways ? ChurnArithmetic.Ceiling(tuples, Lifetime!.Value, Rest) : double.PositiveInfinity;

    /// <summary>Tuples that may rest beside a share: of held ones each at most once, by Little's law of those that churn.</summary>
    /// <param name="share">Connections that are kept.</param>
    /// <param name="rate">Connects per second that the schedule allows.</param>
    public long Resting(long share, double rate)
    {
        var byRate = Math.Ceiling(rate * Rest.TotalSeconds);
        // A rate may be far above what anybody has tuples for.
        return (long)Math.Min(Math.Min(MostResting(share), byRate), MostTuples);
    }

    /// <summary>
    /// The highest rate at which a share never runs out of tuples: what rests now was opened, or was there, within the last
    /// <see cref="Rest"/>, so share + rate x rest tuples are always enough.
    /// </summary>
    public double HighestRate(long tuples, long share) =>
        !RestsAlways || share + MostResting(share) <= tuples ? double.PositiveInfinity : (tuples - share) / Rest.TotalSeconds;

    // In bursts each connection of the share may end once more within a rest than it does on average.
    private double MostResting(long share)
    {
        if (IsUnforeseen)
            return double.PositiveInfinity;
        return Lifetime is { } lifetime ? share * (Math.Floor(Rest / lifetime) + 1) : share;
    }
}
