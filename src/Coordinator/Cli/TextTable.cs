namespace LoadHarness.Coordinator.Cli;

/// <summary>Columns as wide as their widest cell, two spaces between them, numbers to the right.</summary>
internal static class TextTable
{
    /// <param name="writer">Takes the table.</param>
    /// <param name="headings">One for each column; one that begins with <c>&gt;</c> is a number's.</param>
    /// <param name="rows">Cells; control characters in them do not reach the terminal.</param>
    public static void Write(TextWriter writer, IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var right = headings.Select(h => h.StartsWith('>')).ToArray();
        var all = rows.Select(r => (IReadOnlyList<string>)[.. r.Select(Clean)]).Prepend([.. headings.Select(h => h.TrimStart('>'))]).ToList();
        var widths = headings.Select((_, column) => all.Max(row => row[column].Length)).ToArray();
        foreach (var row in all)
        {
            var cells = row.Select((cell, i) => right[i] ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]));
            writer.WriteLine(string.Join("  ", cells).TrimEnd());
        }
    }

    private static string Clean(string cell) => string.Concat(cell.Select(c => char.IsControl(c) ? '?' : c));
}
