using Spectre.Console;
using Spectre.Console.Rendering;

namespace LoadHarness.Coordinator.Cli.LiveView;

/// <summary>One line of a picture: parts with a style each, cut at the width rather than wrapped.</summary>
internal sealed class StyledLine : IRenderable
{
    private readonly List<(string Text, Style Style)> _parts = [];

    public static readonly Style Quiet = new(foreground: Color.Grey);
    public static readonly Style Strong = new(decoration: Decoration.Bold);
    public static readonly Style Good = new(foreground: Color.Green);
    public static readonly Style Bad = new(foreground: Color.Red);
    public static readonly Style Careful = new(foreground: Color.Yellow);

    /// <summary>Characters so far; every character that we write takes one column.</summary>
    public int Length => _parts.Sum(p => p.Text.Length);

    public StyledLine Add(string text, Style? style = null)
    {
        if (text.Length > 0)
            _parts.Add((Clean(text), style ?? Style.Plain));
        return this;
    }

    /// <summary>Fills up to a column, with one space at least.</summary>
    public StyledLine To(int column) => Add(new string(' ', Math.Max(Length == 0 ? 0 : 1, column - Length)));

    /// <summary>Adds a text that ends at a column.</summary>
    public StyledLine EndingAt(int column, string text, Style? style = null) => To(column - text.Length).Add(text, style);

    public Measurement Measure(RenderOptions options, int maxWidth)
    {
        var width = Math.Min(Length, maxWidth);
        return new(width, width);
    }

    public IEnumerable<Segment> Render(RenderOptions options, int maxWidth)
    {
        var left = maxWidth;
        foreach (var (text, style) in _parts)
        {
            if (left <= 0)
                break;
            yield return text.Length <= left ? new(text, style) : new(text[..(left - 1)] + (options.Unicode ? "…" : "~"), style);
            left -= text.Length;
        }

        yield return Segment.LineBreak;
    }

    /// <summary>What came from outside may hold control characters; none of them reaches the terminal.</summary>
    private static string Clean(string text) =>
        text.Any(char.IsControl) ? string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c)) : text;
}
