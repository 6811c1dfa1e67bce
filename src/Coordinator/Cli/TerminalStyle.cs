namespace LoadHarness.Coordinator.Cli;

/// <summary>How progress can be shown on standard error.</summary>
/// <param name="Live">The cursor can be moved: one picture that changes in place. Otherwise lines.</param>
/// <param name="Colour">Colours may be used.</param>
public sealed record TerminalStyle(bool Live, bool Colour)
{
    /// <summary>Lines without colour, for files and pipes.</summary>
    public static readonly TerminalStyle Plain = new(false, false);

    /// <summary>Of this process.</summary>
    public static TerminalStyle Detect() => Of(
        Console.IsErrorRedirected, Environment.GetEnvironmentVariable("TERM"), Environment.GetEnvironmentVariable("NO_COLOR"));

    /// <summary>By the conventions: no terminal or a dumb one takes lines; NO_COLOR (no-color.org) takes colours away, nothing else.</summary>
    /// <param name="redirected">Standard error is no terminal.</param>
    /// <param name="term">TERM.</param>
    /// <param name="noColor">NO_COLOR; any text but an empty one counts.</param>
    public static TerminalStyle Of(bool redirected, string? term, string? noColor) =>
        redirected || string.IsNullOrEmpty(term) || term == "dumb" ? Plain : new(true, string.IsNullOrEmpty(noColor));
}
