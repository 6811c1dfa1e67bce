using System.CommandLine;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Lists tokens.</summary>
internal sealed class TokensListVerb() : Verb(
    "list", "Lists the tokens that a coordinator accepts", "loadharness tokens list", "loadharness tokens list --json")
{
    private readonly Option<string> _state = StateOption.Create();
    private readonly Option<bool> _json = VerbOptions.Json();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_state, _json];

    /// <inheritdoc/>
    public override Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var (tokens, now) = (new TokenFile(StateOption.Of(parsed, _state).Tokens).Read(), context.Time.GetUtcNow());
        if (parsed.GetValue(_json))
            context.Out.WriteLine(RunJson.Pretty(new JsonArray([.. tokens.Select(t => TokenVerbs.Json(t, now))])));
        else
            TextTable.Write(context.Out, ["NAME", "ROLE", "CREATED", "EXPIRES", "STATE", "LABELS"], tokens.Select(t => Row(t, now)));
        return Task.FromResult(ExitCode.Passed);
    }

    private static IReadOnlyList<string> Row(Token token, DateTimeOffset now) =>
    [
        token.Name,
        TokenVerbs.Word(token.Role),
        $"{token.Created:u}",
        token.Expires is { } expires ? $"{expires:u}" : "never",
        TokenVerbs.StateOf(token, now),
        string.Join(' ', token.Labels.Select(l => $"{l.Key}={l.Value}")),
    ];
}
