using System.Collections.Immutable;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Preflight.Checks;
using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Cli;

/// <summary>Checks for people, 80 columns wide: what fails first, with its remedy; what is well in one line.</summary>
internal static class CheckText
{
    private const int Width = 80;
    private const int Indent = 9;
    private const int Label = 6;

    /// <summary>All lines.</summary>
    /// <param name="hostname">Of this host.</param>
    /// <param name="need">What the checks are held against.</param>
    /// <param name="checks">In any order.</param>
    public static IEnumerable<string> Lines(string hostname, HostNeed? need, ImmutableArray<HostCheck> checks)
    {
        foreach (var line in Wrap("", $"{hostname}, for {Describe(need)}:"))
            yield return line;
        yield return "";
        // Stable: within a verdict the checks stay in their order.
        foreach (var check in checks.OrderByDescending(c => c.Verdict))
        {
            foreach (var line in Lines(check))
                yield return line;
        }

        yield return "";
        yield return Summary(checks);
    }

    /// <summary>`1,000,000 connections, both ends here, 20,000/s connects`.</summary>
    public static string Describe(HostNeed? need)
    {
        if (need is null)
            return "nothing in particular; --connections N holds it against a need";
        var parts = new[]
        {
            need.Connections > 0 ? $"{Amount.Of(need.Connections, "connection")}" : "",
            need.BothEnds ? "both ends here" : "",
            need.ConnectsPerSecond > 0 ? $"{Amount.Rate(need.ConnectsPerSecond)} connects" : "",
            need.ClosesPerSecond > 0 ? $"{Amount.Rate(need.ClosesPerSecond)} closes" : "",
            need.Accepts ? "accepted here" : "",
        };
        return string.Join(", ", parts.Where(p => p.Length > 0));
    }

    private static IEnumerable<string> Lines(HostCheck check)
    {
        var verdict = Word(check.Verdict).PadRight(Indent);
        if (check.Verdict is Verdict.Ok)
            return Wrap(verdict, $"{check.Name}: {check.Value}");
        var rows = new[] { ("needs", check.Needed), ("do", check.Remedy), ("risk", check.Remedy.Length > 0 ? check.Risk : "") };
        return
        [
            .. Wrap(verdict, $"{check.Name}: {check.Value}"),
            .. rows.Where(r => r.Item2.Length > 0).SelectMany(r => Wrap(new string(' ', Indent) + r.Item1.PadRight(Label), r.Item2)),
        ];
    }

    private static string Summary(ImmutableArray<HostCheck> checks)
    {
        var counts = checks.GroupBy(c => c.Verdict).OrderByDescending(g => g.Key).Select(g => g.Key switch
        {
            Verdict.Ok => $"{g.Count()} OK",
            Verdict.Unknown => $"{g.Count()} unknown",
            var verdict => Amount.Of(g.Count(), Word(verdict).ToLowerInvariant()),
        });
        return string.Join(", ", counts);
    }

    /// <summary>As it is written in reports and JSON.</summary>
    public static string Word(Verdict verdict) => verdict.ToString().ToUpperInvariant();

    /// <summary>A text behind a label, wrapped at words and indented below the label.</summary>
    public static IEnumerable<string> Wrap(string label, string text)
    {
        var line = label;
        var empty = true;
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!empty && line.Length + 1 + word.Length > Width)
            {
                yield return line;
                (line, empty) = (new string(' ', label.Length), true);
            }

            line += empty ? word : $" {word}";
            empty = false;
        }

        yield return line;
    }
}
