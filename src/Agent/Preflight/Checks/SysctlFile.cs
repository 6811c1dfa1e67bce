using System.Collections.Immutable;
using System.Text;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>What `check --fix` writes: a file of sysctl.d with a reason for each line.</summary>
internal static class SysctlFile
{
    private const int Width = 100;

    /// <summary>What checks want set, in their order. Numbers are never lowered: where the host or the file has more, that stays.</summary>
    /// <param name="host">What is set now.</param>
    /// <param name="checks">What was found.</param>
    /// <param name="before">The file as it is; null when there is none.</param>
    public static ImmutableArray<SysctlChange> Changes(HostFacts host, IEnumerable<HostCheck> checks, string? before)
    {
        var kept = Parse(before ?? "");
        return
        [
            .. checks.SelectMany(c => c.Sysctls.Select(s => new SysctlChange(
                s.Key, host.Sysctls.GetValueOrDefault(s.Key, ""), Higher(s.Key, s.Value, kept.GetValueOrDefault(s.Key)), c))),
        ];
    }

    /// <summary>The whole file. What it held for other sysctls stays.</summary>
    public static string Text(IReadOnlyCollection<SysctlChange> changes, string? before)
    {
        var text = new StringBuilder("# Written by `loadharness-agent check --fix`. To undo: delete this file, and set what each line says was before.\n");
        foreach (var change in changes)
        {
            text.Append('\n');
            Comment(text, $"Needed: {change.Check.Needed}.");
            Comment(text, $"Before: {(change.Before.Length > 0 ? Line(change.Before) : "not known")}. Risk: {change.Check.Risk}.");
            text.Append($"{change.Name} = {change.After}\n");
        }

        var others = Parse(before ?? "").Where(k => changes.All(c => c.Name != k.Key)).ToArray();
        if (others.Length > 0)
            text.Append("\n# From an earlier time.\n");
        foreach (var (name, value) in others)
            text.Append($"{name} = {value}\n");
        return text.ToString();
    }

    /// <summary>Blanks of any kind as one.</summary>
    public static string Line(string value) => string.Join(' ', value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    private static ImmutableSortedDictionary<string, string> Parse(string file)
    {
        var values = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var line in file.Split('\n', StringSplitOptions.TrimEntries).Where(l => l.Length > 0 && l[0] is not ('#' or ';')))
        {
            var at = line.IndexOf('=', StringComparison.Ordinal);
            if (at > 0)
                values[line[..at].Trim()] = Line(line[(at + 1)..]);
        }

        return values.ToImmutable();
    }

    // A range of ports or a switch is no quantity.
    private static string Higher(string name, string value, string? kept)
    {
        if (kept is null || name is Sysctl.PortRange or Sysctl.SynCookies or Sysctl.FinTimeout)
            return value;
        var (mine, theirs) = (value.Split(' '), kept.Split(' '));
        return mine.Length != theirs.Length
            ? value
            : string.Join(' ', mine.Zip(theirs, (a, b) => ProcFile.ParseNumber(b) > ProcFile.ParseNumber(a) ? b : a));
    }

    private static void Comment(StringBuilder text, string words)
    {
        var line = "#";
        foreach (var word in words.Split(' '))
        {
            if (line.Length + word.Length >= Width)
            {
                text.Append(line).Append('\n');
                line = "#";
            }

            line += $" {word}";
        }

        text.Append(line).Append('\n');
    }
}

/// <summary>One sysctl to set.</summary>
/// <param name="Name">Of the sysctl.</param>
/// <param name="Before">What it is; empty when that could not be read.</param>
/// <param name="After">What it is to be.</param>
/// <param name="Check">Why.</param>
internal sealed record SysctlChange(string Name, string Before, string After, HostCheck Check);
