using System.Globalization;

namespace LoadHarness.Coordinator.Specs;

/// <summary>Rates as people write them: <c>5000/s</c>, <c>10k/s</c>, <c>300/min</c>; a bare number means per second.</summary>
public static class RateText
{
    private const string Forms = "a number per second, as in 5000/s, 10k/s or 0.5/s";
    private const string Remedy = "Write it as 5000/s";

    /// <summary>Reads a rate, in events per second; 0 is a rate here.</summary>
    public static Parsed<double> Parse(string text)
    {
        text = text.Trim();
        var slash = text.IndexOf('/');
        var perSeconds = 1m;
        if (slash >= 0)
        {
            switch (text[(slash + 1)..].Trim())
            {
                case "s" or "sec":
                    break;
                case "min" or "m":
                    perSeconds = 60m;
                    break;
                default:
                    return new ParseProblem("has an unknown unit of time after '/'", Forms, Remedy);
            }

            text = text[..slash];
        }

        var number = CountText.ParseDecimal(text, Forms, Remedy);
        return number.Problem is { } problem ? problem : (double)(number.Value / perSeconds);
    }

    /// <summary>Writes a rate: <c>5,000/s</c>, <c>0.5/s</c>. <see cref="Parse"/> reads it.</summary>
    public static string Format(double perSecond) =>
        perSecond.ToString(perSecond >= 100 ? "#,0" : "#,0.##", CultureInfo.InvariantCulture) + "/s";
}
