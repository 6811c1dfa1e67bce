namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>Amounts as people read them, whatever their size.</summary>
internal static class Amount
{
    private const long Gigabyte = 1_000_000_000;
    private const long Megabyte = 1_000_000;

    /// <summary>`1,048,576`; what no host has is `no limit`.</summary>
    public static string Count(long count) => count >= long.MaxValue / 2 ? "no limit" : $"{count:N0}";

    /// <summary>`5.1 GB` or `310 MB`: powers of ten.</summary>
    public static string Bytes(double bytes) => bytes >= Gigabyte ? $"{bytes / Gigabyte:N1} GB" : $"{bytes / Megabyte:N0} MB";

    /// <summary>`20,000/s`</summary>
    public static string Rate(double perSecond) => $"{perSecond:#,0.##}/s";

    /// <summary>`1 reactor`, `2 reactors`.</summary>
    public static string Of(long count, string what) => $"{Count(count)} {what}{(count == 1 ? "" : "s")}";
}
