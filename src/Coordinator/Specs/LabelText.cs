using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Specs;

/// <summary>Labels as people write them: <c>zone=a</c>. The first equals sign parts label and value; a value may be empty.</summary>
public static class LabelText
{
    /// <summary>Most characters of a label, and of a value.</summary>
    public const int Longest = 128;

    private const string Allowed = "LABEL=VALUE, as in zone=a, each of at most 128 characters and none of them a control character";

    /// <summary>Reads one label with its value.</summary>
    public static Parsed<KeyValuePair<string, string>> Parse(string text)
    {
        var split = text.IndexOf('=', StringComparison.Ordinal);
        if (split < 0)
            return new ParseProblem("has no value", Allowed, $"Write {(text.Length == 0 ? "zone" : text)}=VALUE");
        var (label, value) = (text[..split].Trim(), text[(split + 1)..].Trim());
        if (label.Length == 0)
            return new ParseProblem("names no label", Allowed, "Write zone=a");
        return label.Length <= Longest && value.Length <= Longest && !text.Any(char.IsControl)
            ? KeyValuePair.Create(label, value)
            : new ParseProblem("is no label with a value", Allowed, "Write zone=a; 'loadharness agents list' shows the labels of agents");
    }

    /// <summary>Writes labels as they are read: <c>rack=7, zone=a</c>.</summary>
    public static string Format(ImmutableSortedDictionary<string, string> labels) =>
        string.Join(", ", labels.Select(l => $"{l.Key}={l.Value}"));

    /// <summary>Whether something that carries labels carries all that are wanted, each with its value.</summary>
    public static bool Match(ImmutableSortedDictionary<string, string> wanted, ImmutableSortedDictionary<string, string> carried) =>
        wanted.All(w => carried.TryGetValue(w.Key, out var value) && value == w.Value);
}
