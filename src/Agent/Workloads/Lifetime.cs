using LoadHarness.V1;

namespace LoadHarness.Agent.Workloads;

/// <summary>How long connections live, from open to our close. Met late by a few milliseconds, never early.</summary>
/// <param name="Spread">How lives differ.</param>
/// <param name="Length">Of each, or with UNIFORM the shortest, or with EXPONENTIAL the mean; above zero, at most <see cref="Most"/>.</param>
/// <param name="Longest">With UNIFORM the longest; otherwise not looked at.</param>
public sealed record Lifetime(LifetimeSpread Spread, TimeSpan Length, TimeSpan Longest)
{
    /// <summary>The longest one that can be asked for.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromDays(24);

    /// <summary>The mean of all.</summary>
    public TimeSpan Mean => Spread == LifetimeSpread.Uniform ? (Length + Longest) / 2 : Length;

    /// <summary>One life.</summary>
    /// <param name="chance">0 to 1, exclusive, each value as likely.</param>
    public TimeSpan Draw(double chance) => Spread switch
    {
        LifetimeSpread.Uniform => Length + ((Longest - Length) * chance),
        // The inverse of the distribution; its tail is cut where a deadline ends.
        LifetimeSpread.Exponential => TimeSpan.FromSeconds(Math.Min(-Length.TotalSeconds * Math.Log(1 - chance), Most.TotalSeconds)),
        _ => Length,
    };
}
