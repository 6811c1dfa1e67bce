using System.Globalization;
using System.Text.RegularExpressions;

namespace LoadHarness.Coordinator.Specs;

/// <summary>Counts as people write them: <c>2M</c>, <c>500k</c>, <c>1_000_000</c>, <c>1,000,000</c>, <c>1.5M</c>.</summary>
public static partial class CountText
{
    /// <summary>Largest count that is read; far above any limit of a field, so that nothing overflows later.</summary>
    public const long Largest = 1_000_000_000_000_000;

    private const string Forms = "a whole number, as in 50000, 1_000_000, 500k or 1.5M";

    /// <summary>Reads a count, 0 to <see cref="Largest"/>.</summary>
    public static Parsed<long> Parse(string text)
    {
        var number = ParseDecimal(text, Forms, "Write it as 500k or 2M");
        if (number.Problem is { } problem)
            return problem;
        if (number.Value != decimal.Truncate(number.Value))
            return new ParseProblem("is not a whole number", Forms,
                $"Write {decimal.Truncate(number.Value):0} or {decimal.Ceiling(number.Value):0}");
        return (long)number.Value;
    }

    /// <summary>Writes a count with separators for thousands: <c>2,000,000</c>. <see cref="Parse"/> reads it.</summary>
    public static string Format(long count) => count.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Reads a number with an optional fraction and an optional suffix k, M or G.</summary>
    /// <param name="text">Anything.</param>
    /// <param name="allowed">What the field allows, for the problem.</param>
    /// <param name="remedy">What to do, for the problem.</param>
    internal static Parsed<decimal> ParseDecimal(string text, string allowed, string remedy)
    {
        text = text.Trim();
        if (text.Length == 0)
            return new ParseProblem("is empty", allowed, remedy);
        if (text.StartsWith('-'))
            return new ParseProblem("is negative", allowed, remedy);
        var match = text.Length <= 40 ? Number().Match(text) : Match.Empty;
        if (!match.Success)
            return new ParseProblem(Describe(text), allowed, remedy);

        var digits = match.Groups["number"].Value.Replace("_", "", StringComparison.Ordinal).Replace(",", "", StringComparison.Ordinal);
        if (!decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > Largest)
            return new ParseProblem("is too large", allowed, remedy);
        number *= match.Groups["suffix"].Value switch
        {
            "k" or "K" => 1_000m,
            "m" or "M" => 1_000_000m,
            "g" or "G" => 1_000_000_000m,
            _ => 1m,
        };
        return number <= Largest ? number : new ParseProblem("is too large", allowed, remedy);
    }

    private static string Describe(string text) =>
        char.IsAsciiDigit(text[0]) && char.IsAsciiLetter(text[^1]) && text.AsSpan(0, text.Length - 1).IndexOfAnyExceptInRange('0', '9') < 0
            ? $"'{text[^1]}' is no suffix of a number (k, M and G are)"
            : "is not a number";

    [GeneratedRegex(@"^(?<number>([0-9]{1,3}(,[0-9]{3})+|[0-9][0-9_]*)(\.[0-9]+)?)(?<suffix>[kKmMgG])?\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Number();
}
