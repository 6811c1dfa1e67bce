namespace LoadHarness.Coordinator.Cli;

/// <summary>Columns as wide as their widest cell, two spaces between them, numbers to the right.</summary>
internal static class TextTable
{
    private const string Gap = "  ";

    /// <param name="writer">Takes the table.</param>
    /// <param name="headings">One for each column; one that begins with <c>&gt;</c> is a number's.</param>
    /// <param name="rows">Cells; control characters in them do not reach the terminal.</param>
    /// <param name="limits">How wide it may be; null: as wide as it gets.</param>
    public static void Write(
        TextWriter writer, IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows, TableLimits? limits = null)
    {
        var right = headings.Select(h => h.StartsWith('>')).ToArray();
        var all = rows.Select(r => (IReadOnlyList<string>)[.. r.Select(Clean)]).ToList();
        all.Insert(0, [.. headings.Select(h => h.TrimStart('>'))]);
        var widths = headings.Select((_, column) => all.Max(row => row[column].Length)).ToArray();
        if (limits is not null)
            Narrow(widths, headings, limits);
        foreach (var row in all)
        {
            var cut = row.Select((cell, i) => Cut(cell, widths[i]));
            var cells = cut.Select((cell, i) => right[i] ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]));
            writer.WriteLine(string.Join(Gap, cells).TrimEnd());
        }
    }

    private static void Narrow(int[] widths, IReadOnlyList<string> headings, TableLimits limits)
    {
        var excess = widths.Sum() + (Gap.Length * (widths.Length - 1)) - limits.Width;
        foreach (var (column, narrowest) in limits.Cuttable)
        {
            var least = Math.Max(narrowest, headings[column].Length);
            var cut = Math.Clamp(excess, 0, Math.Max(0, widths[column] - least));
            widths[column] -= cut;
            excess -= cut;
        }
    }

    private static string Cut(string cell, int width) => cell.Length <= width ? cell : cell[..(width - 1)] + "…";

    private static string Clean(string cell) => string.Concat(cell.Select(c => char.IsControl(c) ? '?' : c));
}

/// <summary>How wide a table may be.</summary>
/// <param name="Width">In characters.</param>
/// <param name="Cuttable">Columns that may be cut, in this order, and how far.</param>
internal sealed record TableLimits(int Width, IReadOnlyList<(int Column, int Narrowest)> Cuttable);
