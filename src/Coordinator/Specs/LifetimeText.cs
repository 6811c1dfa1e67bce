using LoadHarness.V1;

namespace LoadHarness.Coordinator.Specs;

/// <summary>Lifetimes as people write them: <c>10s</c>, <c>5s-15s</c> (each between them as likely), <c>exp:10s</c> (exponential, with this mean).</summary>
public static class LifetimeText
{
    /// <summary>Longest life; agents count ends in milliseconds modulo 2^32.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(24);

    private const string Exponential = "exp:";
    private const string Allowed = "a time up to 24d, as in 10s, 5s-15s (evenly between) or exp:10s (exponential, with this mean)";
    private static readonly TimeSpan _shortest = TimeSpan.FromMilliseconds(1);

    /// <summary>Reads a lifetime.</summary>
    public static Parsed<LifetimeSpec> Parse(string text)
    {
        text = text.Trim();
        if (text.StartsWith(Exponential, StringComparison.OrdinalIgnoreCase))
            return Of(LifetimeSpread.Exponential, text[Exponential.Length..], text[Exponential.Length..]);
        return text.Split('-') is [var shortest, var longest] && shortest.Length > 0
            ? Of(LifetimeSpread.Uniform, shortest, longest)
            : Of(LifetimeSpread.Fixed, text, text);
    }

    /// <summary>Writes a lifetime as <see cref="Parse"/> reads it.</summary>
    public static string Format(LifetimeSpec life) => life.Spread switch
    {
        LifetimeSpread.Exponential => $"{Exponential}{DurationText.Format(life.Length)}",
        LifetimeSpread.Uniform => $"{DurationText.Format(life.Length)}-{DurationText.Format(life.Longest)}",
        _ => DurationText.Format(life.Length),
    };

    /// <summary>What is wrong with a lifetime; null when nothing is.</summary>
    internal static ParseProblem? ProblemOf(LifetimeSpec life)
    {
        if (life.Length < _shortest)
            return Wrong(life.Length == TimeSpan.Zero ? "is zero" : "is too short");
        if (life.Longest > Longest)
            return Wrong("is too long");
        return life.Longest < life.Length ? Wrong("runs backwards") : null;
    }

    private static Parsed<LifetimeSpec> Of(LifetimeSpread spread, string length, string longest)
    {
        var (from, to) = (DurationText.Parse(length), DurationText.Parse(longest));
        if ((from.Problem ?? to.Problem) is { } problem)
            return problem with { Allowed = Allowed };
        var life = new LifetimeSpec(spread, from.Value, to.Value);
        return ProblemOf(life) is { } wrong ? wrong : life;
    }

    private static ParseProblem Wrong(string problem) => new(problem, Allowed, "Write --lifetime 10s");
}
