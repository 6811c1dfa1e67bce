namespace LoadHarness.Coordinator.Reports;

/// <summary>Lines of a label and a text, the text wrapped and indented to one column.</summary>
internal sealed class LabelledLines(int labelWidth, int width)
{
    private readonly List<string> _lines = [];

    /// <summary>The lines so far.</summary>
    public IReadOnlyList<string> Lines => _lines;

    /// <summary>Adds a label with a text. A word that is longer than a line stands alone and is not cut.</summary>
    public void Add(string label, string text)
    {
        var indent = new string(' ', labelWidth);
        var line = label.PadRight(labelWidth);
        var empty = true;
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!empty && line.Length + 1 + word.Length > width)
            {
                _lines.Add(line);
                (line, empty) = (indent, true);
            }

            line += empty ? word : " " + word;
            empty = false;
        }

        _lines.Add(line.TrimEnd());
    }

    /// <summary>Adds a label with a text that is laid out already.</summary>
    public void AddRow(string label, string row) => _lines.Add((label.PadRight(labelWidth) + row).TrimEnd());

    /// <summary>Adds a line as it is.</summary>
    public void AddLine(string line = "") => _lines.Add(line);
}
