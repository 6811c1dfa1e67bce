using System.Globalization;

namespace LoadHarness.Coordinator.Specs;

/// <summary>Parts of a whole as people write them: <c>10%</c>, <c>2.5%</c>. The sign is always there: 0.1 might be either.</summary>
public static class PercentText
{
    private const string Forms = "above 0% to 100%, as in 10% or 2.5%";

    /// <summary>Reads a part, above 0 and at most 1.</summary>
    public static Parsed<double> Parse(string text)
    {
        text = text.Trim();
        if (text.Length == 0)
            return Wrong("is empty");
        if (text.StartsWith('-'))
            return Wrong("is negative");
        var number = text.TrimEnd('%').TrimEnd();
        if (text.Length > 40 || !decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent))
            return Wrong("is no percentage");
        if (!text.EndsWith('%'))
            return Wrong("has no percent sign", $"Write {number}%");
        if (text.IndexOf('%') != text.Length - 1)
            return Wrong("is no percentage");
        if (percent == 0)
            return Wrong("is zero");
        return percent <= 100 ? (double)(percent / 100) : Wrong("is more than all of them");
    }

    /// <summary>Writes a part: <c>10%</c>.</summary>
    public static string Format(double part) => (part * 100).ToString("0.######", CultureInfo.InvariantCulture) + "%";

    private static ParseProblem Wrong(string problem, string remedy = "Write it as 10%") => new(problem, Forms, remedy);
}
