using System.Globalization;
using System.Text;

namespace LoadHarness.Coordinator.Specs;

/// <summary>
/// Durations as people write them: <c>10m</c>, <c>1h30m</c>, <c>90s</c>, <c>1.5s</c>, <c>500ms</c>. A unit is always named.
/// </summary>
public static class DurationText
{
    /// <summary>Longest duration that is read.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(365);

    private const string Forms = "a number with a unit (d, h, m, s, ms), as in 90s, 10m, 1h30m or 500ms";

    private static readonly (string Name, long Ticks)[] _units =
    [
        ("d", TimeSpan.TicksPerDay),
        ("h", TimeSpan.TicksPerHour),
        ("m", TimeSpan.TicksPerMinute),
        ("s", TimeSpan.TicksPerSecond),
        ("ms", TimeSpan.TicksPerMillisecond),
    ];

    /// <summary>Reads a duration, zero to <see cref="Longest"/>. Units go from large to small, each at most once.</summary>
    public static Parsed<TimeSpan> Parse(string text)
    {
        text = text.Trim();
        if (text.Length == 0)
            return Wrong("is empty");
        if (text.StartsWith('-'))
            return Wrong("is negative");
        if (text.Length > 60)
            return Wrong("is not a duration");

        var ticks = 0m;
        var nextUnit = 0;
        for (var rest = text.AsSpan(); rest.Length > 0;)
        {
            var digits = LeadingLength(rest, c => char.IsAsciiDigit(c) || c == '.');
            if (!decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return Wrong("is not a duration");
            rest = rest[digits..];
            var letters = LeadingLength(rest, char.IsAsciiLetter);
            if (letters == 0)
                return rest.Length == 0 && nextUnit == 0
                    ? Wrong("has no unit", $"Write {text}s for seconds, {text}m for minutes")
                    : Wrong("is not a duration");
            var unit = UnitOf(rest[..letters]);
            if (unit < nextUnit)
                return Wrong(unit < 0 ? $"has an unknown unit '{rest[..letters]}'" : "has its units out of order or twice");
            if (number > Longest.Ticks)
                return Wrong("is too long", "Give at most 365d");
            ticks += number * _units[unit].Ticks;
            nextUnit = unit + 1;
            rest = rest[letters..];
        }

        return ticks > Longest.Ticks ? Wrong("is too long", "Give at most 365d") : TimeSpan.FromTicks((long)ticks);
    }

    /// <summary>
    /// Writes a duration: <c>1h30m</c>, <c>90ms</c>, <c>0s</c>. <see cref="Parse"/> reads it back to the tick when it is not
    /// negative.
    /// </summary>
    public static string Format(TimeSpan duration)
    {
        if (duration == TimeSpan.Zero)
            return "0s";
        var text = new StringBuilder(duration < TimeSpan.Zero ? "-" : "");
        var rest = Math.Abs((decimal)duration.Ticks);
        foreach (var (name, unitTicks) in _units)
        {
            var whole = name == "ms" ? rest / unitTicks : decimal.Floor(rest / unitTicks);
            rest -= whole * unitTicks;
            if (whole > 0)
                text.Append(whole.ToString("0.####", CultureInfo.InvariantCulture)).Append(name);
        }

        return text.ToString();
    }

    private static int UnitOf(ReadOnlySpan<char> name)
    {
        for (var i = 0; i < _units.Length; i++)
        {
            if (name.SequenceEqual(_units[i].Name))
                return i;
        }

        return -1;
    }

    private static int LeadingLength(ReadOnlySpan<char> text, Func<char, bool> belongs)
    {
        var length = 0;
        while (length < text.Length && belongs(text[length]))
            length++;
        return length;
    }

    private static ParseProblem Wrong(string problem, string remedy = "Write it as 90s, 10m or 1h30m") => new(problem, Forms, remedy);
}
