using System.CommandLine;
using System.CommandLine.Parsing;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>One verb of the command line.</summary>
/// <param name="name">As typed.</param>
/// <param name="description">One sentence without a full stop.</param>
/// <param name="examples">Whole command lines for its help.</param>
internal abstract class Verb(string name, string description, params string[] examples)
{
    /// <summary>As typed.</summary>
    public string Name => name;

    /// <summary>One sentence.</summary>
    public string Description => description;

    /// <summary>Whole command lines.</summary>
    public IReadOnlyList<string> Examples => examples;

    /// <summary>Environment variables, as <see cref="CliContext.Variable"/> has them: what may be left out depends on them.</summary>
    public Func<string, string?> Variable { protected get; set; } = _ => null;

    /// <summary>Its arguments and options.</summary>
    public abstract IEnumerable<Symbol> Symbols { get; }

    /// <summary>Everything that is wrong with the values given, beyond what the parser finds.</summary>
    public virtual IEnumerable<SpecError> Check(ParseResult parsed) => [];

    /// <summary>Does it.</summary>
    /// <exception cref="CliException">It ends early.</exception>
    public abstract Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context);

    /// <summary>The value of an option as typed; null when it was not given, or without its value.</summary>
    internal static string? TextOf(ParseResult parsed, Option<string> option) =>
        parsed.GetResult(option) is { Tokens: [.., var last] } ? last.Value : null;

    /// <summary>A quantity as typed; null when it was not given, or without its value.</summary>
    internal static Quantity<T>? Given<T>(ParseResult parsed, Option<string> option)
        where T : struct
    {
        if (TextOf(parsed, option) is { } text)
            return text;
        return null;
    }

    /// <summary>The values of an option or argument that may be repeated.</summary>
    internal static IReadOnlyList<string> TextsOf(SymbolResult? result) => [.. result?.Tokens.Select(t => t.Value) ?? []];
}
