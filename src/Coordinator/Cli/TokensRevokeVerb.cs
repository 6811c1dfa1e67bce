using System.CommandLine;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Takes a token back.</summary>
internal sealed class TokensRevokeVerb() : Verb(
    "revoke", "Takes a token back; the coordinator hears of it at once", "loadharness tokens revoke alice")
{
    private readonly Argument<string?> _name = TokenVerbs.Name();
    private readonly Option<string> _state = StateOption.Create();
    private readonly Option<bool> _json = VerbOptions.Json();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_name, _state, _json];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed) => TokenVerbs.Check(parsed.GetValue(_name));

    /// <inheritdoc/>
    public override Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var (state, name) = (StateOption.Of(parsed, _state), parsed.GetValue(_name)!);
        var none = $"there is no token `{name}` in {state.Tokens}; 'loadharness tokens list{state.Option}' shows those that there are";
        if (!File.Exists(state.Tokens))
            throw new CredentialException(none);
        Token? revoked = null;
        new TokenFile(state.Tokens).Change(tokens =>
        {
            revoked = tokens.FirstOrDefault(t => t.Name == name) ?? throw new CredentialException(none);
            return tokens.Remove(revoked);
        });
        context.Error.WriteLine($"token `{name}` is revoked"
            + (revoked!.Role == TokenRole.Agent ? "; agents that it enrolled stay enrolled: 'loadharness agents forget ID' ends that" : ""));
        if (parsed.GetValue(_json))
            context.Out.WriteLine(RunJson.Pretty(TokenVerbs.Json(revoked, context.Time.GetUtcNow())));
        return Task.FromResult(ExitCode.Passed);
    }
}
