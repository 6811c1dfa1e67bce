using System.Collections.Immutable;
using System.Globalization;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Specs;

/// <summary>Ports as people write them: <c>443</c>, <c>8443-8450</c>, <c>443,8443-8450</c>.</summary>
public static class PortText
{
    private const string Allowed = "ports 1 to 65535, as in 443 or 443,8443-8450";
    private const int LongestList = 100_000;

    /// <summary>Reads a list of ports.</summary>
    /// <returns>At least one span, in ascending order, without overlaps or neighbours.</returns>
    public static Parsed<ImmutableArray<PortSpan>> ParseList(string text)
    {
        if (text.Length > LongestList)
            return new ParseProblem("is too long a list of ports", Allowed, "Write neighbours as a range: 8443-8450");
        var spans = new List<PortSpan>();
        foreach (var part in text.Split(','))
        {
            var span = ParseSpan(part);
            if (span.Problem is { } problem)
                return problem;
            spans.Add(span.Value);
        }

        spans.Sort((a, b) => a.First.CompareTo(b.First));
        for (var i = 1; i < spans.Count; i++)
        {
            if (spans[i].First <= spans[i - 1].Last)
            {
                var both = spans[i] == spans[i - 1] ? $"{spans[i]} twice" : $"{spans[i - 1]} and {spans[i]}, which overlap";
                return new ParseProblem($"names {both}", Allowed, "Name each port once");
            }
        }

        return Merge(spans);
    }

    /// <summary>Reads one port or one range of ports.</summary>
    public static Parsed<PortSpan> ParseSpan(string text)
    {
        text = text.Trim();
        var dash = text.IndexOf('-');
        var first = ParsePort(dash <= 0 ? text : text[..dash]);
        if (first.Problem is { } firstProblem)
            return firstProblem;
        if (dash <= 0)
            return new PortSpan(first.Value, first.Value);
        var last = ParsePort(text[(dash + 1)..]);
        if (last.Problem is { } lastProblem)
            return lastProblem;
        return first.Value <= last.Value
            ? new PortSpan(first.Value, last.Value)
            : new ParseProblem($"has a range {first.Value}-{last.Value} that runs backwards", Allowed, $"Write {last.Value}-{first.Value}");
    }

    /// <summary>Writes spans as <see cref="ParseList"/> reads them.</summary>
    public static string Format(IEnumerable<PortSpan> spans) => string.Join(',', spans);

    /// <summary>Orders spans and joins those that overlap or touch.</summary>
    public static ImmutableArray<PortSpan> Merge(IEnumerable<PortSpan> spans)
    {
        var merged = new List<PortSpan>();
        foreach (var span in spans.OrderBy(s => s.First))
        {
            if (merged.Count > 0 && span.First <= merged[^1].Last + 1)
                merged[^1] = merged[^1] with { Last = Math.Max(merged[^1].Last, span.Last) };
            else
                merged.Add(span);
        }

        return [.. merged];
    }

    /// <summary>What is left of spans when others are taken out, in ascending order.</summary>
    public static ImmutableArray<PortSpan> Without(IEnumerable<PortSpan> spans, IEnumerable<PortSpan> others)
    {
        var holes = Merge(others);
        var left = ImmutableArray.CreateBuilder<PortSpan>();
        foreach (var span in Merge(spans))
        {
            var from = span.First;
            foreach (var hole in holes.Where(h => h.Last >= span.First && h.First <= span.Last))
            {
                if (hole.First > from)
                    left.Add(new PortSpan(from, hole.First - 1));
                from = hole.Last + 1;
            }

            if (from <= span.Last)
                left.Add(new PortSpan(from, span.Last));
        }

        return left.ToImmutable();
    }

    private static Parsed<int> ParsePort(string text)
    {
        text = text.Trim();
        if (text.Length == 0)
            return new ParseProblem("has no port", Allowed, "Name the port: HOST:443");
        if (text.AsSpan().IndexOfAnyExceptInRange('0', '9') >= 0)
            return new ParseProblem($"has a port '{text}' that is not a number", Allowed, "Give a number: HOST:443");
        var inRange = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) && port is >= 1 and <= 65535;
        return inRange ? port : new ParseProblem($"has port {text}, which does not exist", Allowed, "Give a port between 1 and 65535");
    }
}
