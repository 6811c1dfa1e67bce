using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Specs;

/// <summary>
/// Reads single fields and collects what is wrong with them; a wrong field yields a harmless value so that the others are still
/// read.
/// </summary>
internal sealed class FieldReader(List<SpecError> errors)
{
    /// <summary>A field that must be given and is not.</summary>
    /// <returns>0.</returns>
    public long Missing(string field, string remedy)
    {
        errors.Add(new SpecError(field, "", "is missing", "", remedy));
        return 0;
    }

    /// <summary>A count between two bounds, or 0 when it is wrong.</summary>
    public long Count(string field, Quantity<long> quantity, long least, long most, string remedy)
    {
        var allowed = $"{CountText.Format(least)} to {CountText.Format(most)}";
        var parsed = quantity.Text is { } text ? CountText.Parse(text) : quantity.Value;
        if (parsed.Problem is { } problem)
        {
            errors.Add((problem with { Allowed = $"{allowed}, as in 4, 500 or 20k" }).At(field, quantity.Text ?? ""));
            return 0;
        }

        if (parsed.Value >= least && parsed.Value <= most)
            return parsed.Value;
        var shown = quantity.Text ?? CountText.Format(quantity.Value);
        errors.Add(new SpecError(field, shown, parsed.Value < least ? "is too small" : "is too large", allowed, remedy));
        return 0;
    }

    /// <summary>A duration between two bounds; null when it was not given or is wrong.</summary>
    public TimeSpan? Duration(string field, Quantity<TimeSpan>? given, TimeSpan least, TimeSpan most)
    {
        if (given is not { } quantity)
            return null;
        var parsed = quantity.Text is { } text ? DurationText.Parse(text) : quantity.Value;
        var shown = quantity.Text ?? DurationText.Format(quantity.Value);
        if (parsed.Problem is { } problem)
            errors.Add(problem.At(field, shown));
        else if (parsed.Value < least || parsed.Value > most)
            errors.Add(new SpecError(field, shown, WhyOutside(parsed.Value, most), Between(least, most), $"Write {field} 60s"));
        else
            return parsed.Value;
        return null;
    }

    /// <summary>A part of a whole, above 0 and at most 1; null when it was not given or is wrong.</summary>
    public double? Fraction(string field, Quantity<double>? given)
    {
        if (given is not { } quantity)
            return null;
        var shown = quantity.Text ?? PercentText.Format(quantity.Value);
        // A value is checked as its text is.
        var parsed = PercentText.Parse(shown);
        if (parsed.Problem is not { } problem)
            return quantity.Text is null ? quantity.Value : parsed.Value;
        errors.Add(problem.At(field, shown));
        return null;
    }

    /// <summary>A rate above 0, per second; null when it was not given or is wrong.</summary>
    public double? Rate(string field, Quantity<double>? given, double most)
    {
        if (given is not { } quantity)
            return null;
        var parsed = quantity.Text is { } text ? RateText.Parse(text) : quantity.Value;
        var shown = quantity.Text ?? RateText.Format(quantity.Value);
        var allowed = $"above 0 to {RateText.Format(most)}";
        if (parsed.Problem is { } problem)
            errors.Add(problem.At(field, shown));
        else if (!(parsed.Value >= 0.001))
            errors.Add(new SpecError(field, shown, "is too low: nothing would happen", allowed, $"Write {field} 5000/s"));
        else if (parsed.Value > most)
            errors.Add(new SpecError(field, shown, "is too high", allowed, $"Write {field} 5000/s"));
        else
            return parsed.Value;
        return null;
    }

    /// <summary>One of some words in any case; null when it was not given or is another one.</summary>
    public string? Word(string field, string? given, params ReadOnlySpan<string> words)
    {
        if (given is null)
            return null;
        var word = given.Trim().ToLowerInvariant();
        if (words.Contains(word))
            return word;
        errors.Add(new SpecError(field, given, "is unknown", Either(words, ""), $"Write {Either(words, field + " ")}"));
        return null;
    }

    /// <summary>One range of ports; null when it was not given or is wrong.</summary>
    public PortSpan? Ports(string field, string? text)
    {
        if (text is null)
            return null;
        var parsed = PortText.ParseSpan(text);
        if (parsed.Problem is not { } problem)
            return parsed.Value;
        errors.Add(new SpecError(field, text, problem.Problem, "a range of ports, as in 10000-30000",
            $"Write {field} 10000-30000, or leave it out"));
        return null;
    }

    private static string WhyOutside(TimeSpan value, TimeSpan most)
    {
        if (value < TimeSpan.Zero)
            return "is negative";
        if (value == TimeSpan.Zero)
            return "is zero";
        return value > most ? "is too long" : "is too short";
    }

    private static string Between(TimeSpan least, TimeSpan most) => $"{DurationText.Format(least)} to {DurationText.Format(most)}";

    private static string Either(ReadOnlySpan<string> words, string before)
    {
        var all = words.ToArray().Select(w => before + w).ToArray();
        return $"{string.Join(", ", all[..^1])} or {all[^1]}";
    }
}
