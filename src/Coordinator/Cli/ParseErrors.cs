using System.CommandLine;
using System.CommandLine.Parsing;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Everything that is wrong with one command line, in words of ours: what the parser found and what the verb found.</summary>
internal static class ParseErrors
{
    public static IReadOnlyList<string> Of(ParseResult parsed, Verb? verb)
    {
        var errors = new List<string>();
        errors.AddRange(Unknowns(parsed.UnmatchedTokens).Select(t => Unknown(t, parsed.CommandResult.Command).Message));
        foreach (var child in parsed.CommandResult.Children.OfType<OptionResult>())
            errors.AddRange(Of(child).Select(e => e.Message));
        if (verb is null && errors.Count == 0)
            errors.Add(MissingVerb(parsed.CommandResult.Command));
        if (verb is not null)
            errors.AddRange(verb.Check(parsed).Select(e => e.Message));
        if (errors.Count == 0)
            errors.AddRange(parsed.Errors.Select(e => e.Message));
        return errors;
    }

    /// <summary>What follows an unknown option is taken for its value: one mistake, one error.</summary>
    private static IEnumerable<string> Unknowns(IReadOnlyList<string> tokens) =>
        tokens.Where((token, i) => IsOption(token) || i == 0 || !IsOption(tokens[i - 1]));

    private static bool IsOption(string token) => token.Length > 1 && token[0] == '-';

    private static IEnumerable<SpecError> Of(OptionResult result)
    {
        var (name, arity) = (result.Option.Name, result.Option.Arity);
        if (result.Implicit)
            yield break;
        if (result.Tokens.Count < arity.MinimumNumberOfValues)
        {
            yield return new(name, "", "has no value", $"{name} {result.Option.HelpName}",
                $"Write its value behind it, as in '{name} {result.Option.HelpName}'");
        }
        else if (result.IdentifierTokenCount > 1 && arity.MaximumNumberOfValues <= 1)
        {
            var values = string.Join(" and ", result.Tokens.Select(t => t.Value));
            yield return new(name, values, "is given more than once", "once", "Leave one of them");
        }
    }

    private static SpecError Unknown(string token, Command command)
    {
        var path = CommandLine.Program;
        foreach (var name in command.Parents.OfType<Command>().Where(c => c is not RootCommand).Select(c => c.Name).Append(command.Name))
            path += command is RootCommand ? "" : $" {name}";
        if (IsOption(token))
        {
            var options = command.Options.SelectMany(o => o.Aliases.Append(o.Name)).Where(n => n.StartsWith('-')).ToList();
            return new(token, "", $"is no option of '{path}'", "", Suggest(token, options) is { } near
                ? $"Perhaps {near} was meant"
                : $"'{path} --help' lists them");
        }

        var verbs = command.Subcommands.Select(c => c.Name).ToList();
        return verbs.Count > 0
            ? new(token, "", $"is no verb of '{path}'", string.Join(", ", verbs), Suggest(token, verbs) is { } verb
                ? $"Perhaps '{path} {verb}' was meant"
                : $"'{path} --help' tells what they do")
            : new(token, "", $"is one argument too many for '{path}'", "", "Leave it out, or name the option that it belongs to");
    }

    private static string MissingVerb(Command command) =>
        $"{command.Name}: what should it do? Allowed: {string.Join(", ", command.Subcommands.Select(c => c.Name))}.";

    /// <summary>The nearest name, when it is near enough to be a slip of the finger.</summary>
    private static string? Suggest(string token, IReadOnlyList<string> names)
    {
        var nearest = names.Select(n => (Name: n, Distance: Distance(token, n))).OrderBy(p => p.Distance).FirstOrDefault();
        return nearest.Name is not null && nearest.Distance <= Math.Max(1, token.Length / 3) ? nearest.Name : null;
    }

    /// <summary>Levenshtein's distance.</summary>
    private static int Distance(string one, string other)
    {
        var row = Enumerable.Range(0, other.Length + 1).ToArray();
        for (var i = 1; i <= one.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= other.Length; j++)
            {
                var replaced = diagonal + (one[i - 1] == other[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
