using LoadHarness.V1;

namespace LoadHarness.Coordinator.Specs;

/// <summary>A reconnect storm as a user asks for it.</summary>
/// <param name="Fraction">Of the connections held, above 0, at most 1.</param>
/// <param name="Within">The closes, and the connects after them, are spread evenly over this time; zero to <see cref="LongestWithin"/>.</param>
/// <param name="Close">How the connections end.</param>
public sealed record StormSpec(double Fraction, TimeSpan Within, CloseMethod Close)
{
    /// <summary>Beyond this it is churn.</summary>
    public static readonly TimeSpan LongestWithin = TimeSpan.FromMinutes(10);

    /// <summary>Reads one; what is not given has its default.</summary>
    /// <param name="input">As typed, or as values.</param>
    /// <param name="errors">Takes everything that is wrong.</param>
    /// <returns>Null when something is wrong.</returns>
    public static StormSpec? Read(StormInput input, List<SpecError> errors)
    {
        var before = errors.Count;
        var fields = new FieldReader(errors);
        var fraction = fields.Fraction("--fraction", input.Fraction) ?? 0.1;
        var within = fields.Duration("--within", input.Within, TimeSpan.Zero, LongestWithin) ?? TimeSpan.FromSeconds(1);
        var close = fields.Word("--close", input.Close, SpecWorkload.Fin, SpecWorkload.Rst);
        return errors.Count > before ? null : new(fraction, within, close == SpecWorkload.Rst ? CloseMethod.Rst : CloseMethod.Fin);
    }
}

/// <summary>What a user says of a reconnect storm; null where nothing is said.</summary>
public sealed record StormInput(Quantity<double>? Fraction, Quantity<TimeSpan>? Within, string? Close);
