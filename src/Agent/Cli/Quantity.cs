using System.Globalization;

namespace LoadHarness.Agent.Cli;

/// <summary>Counts and rates as people write them: 2M, 500k, 20000, 5000/s.</summary>
internal static class Quantity
{
    private const long Most = 1_000_000_000;

    /// <summary>Parses a count of 1 to 1,000,000,000.</summary>
    public static bool TryParseCount(string text, out long count)
    {
        var scale = text.EndsWith('M') ? 1_000_000 : text.EndsWith('k') ? 1_000 : 1;
        var digits = scale == 1 ? text : text[..^1];
        if (!decimal.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > Most)
        {
            count = 0;
            return false;
        }

        count = (long)(number * scale);
        return count is >= 1 and <= Most && count == number * scale;
    }

    /// <summary>Parses a rate of 1 to 1,000,000,000 per second; `/s` may be left out.</summary>
    public static bool TryParseRate(string text, out long perSecond) =>
        TryParseCount(text.EndsWith("/s", StringComparison.Ordinal) ? text[..^2] : text, out perSecond);
}
