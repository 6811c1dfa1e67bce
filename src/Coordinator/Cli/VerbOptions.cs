using System.CommandLine;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Options that several verbs share. Values stay texts here: one validator reads them all and reports every error at once.</summary>
internal static class VerbOptions
{
    public static Option<string> Text(string name, string value, string description, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = value, Arity = ArgumentArity.ExactlyOne };

    public static Option<string[]> Texts(string name, string value, string description, params string[] aliases) =>
        new(name, aliases) { Description = description, HelpName = value, Arity = ArgumentArity.OneOrMore };

    public static Option<bool> Flag(string name, string description) => new(name) { Description = description, Arity = ArgumentArity.Zero };

    public static Option<bool> Json() => Flag("--json", "Write JSON to standard output and nothing else");

    public static Argument<string?> RunId() => new("ID")
    {
        Description = "The run; without it the latest one",
        Arity = ArgumentArity.ZeroOrOne,
    };
}
