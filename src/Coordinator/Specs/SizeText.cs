namespace LoadHarness.Coordinator.Specs;

/// <summary>Sizes as people write them: <c>8G</c>, <c>16GB</c>, <c>500M</c>; units are decimal, as in what is measured here.</summary>
public static class SizeText
{
    private const string Forms = "a number of bytes, as in 8G, 16GB or 500M";

    /// <summary>Reads a size in bytes.</summary>
    public static Parsed<long> Parse(string text)
    {
        var digits = text.Trim();
        if (digits.EndsWith("B", StringComparison.OrdinalIgnoreCase))
            digits = digits[..^1];
        var number = CountText.ParseDecimal(digits, Forms, "Write it as 8G or 500M");
        return number.Problem is { } problem ? problem : (long)number.Value;
    }

    /// <summary>Writes a size.</summary>
    public static string Format(long bytes) => bytes switch
    {
        >= 100_000_000_000 => $"{bytes / 1e9:N0} GB",
        >= 1_000_000_000 => $"{bytes / 1e9:0.0} GB",
        >= 1_000_000 => $"{bytes / 1e6:0} MB",
        _ => $"{bytes / 1e3:0.0} KB",
    };
}
