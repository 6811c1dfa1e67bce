namespace LoadHarness.Coordinator.Reports;

/// <summary>Numbers with their units, for people.</summary>
internal static class QuantityWords
{
    /// <summary>A count with its noun.</summary>
    public static string Number(long count, string noun, string plural = "s") => $"{count:N0} {noun}{(count == 1 ? "" : plural)}";

    /// <summary>A rate, rounded down: nobody is promised more than there is.</summary>
    public static string Rate(double perSecond) => perSecond >= 100 ? $"{Math.Floor(perSecond):N0}/s" : $"{Math.Floor(perSecond * 10) / 10:0.#}/s";
}
