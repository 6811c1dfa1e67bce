using System.Collections.Immutable;
using System.CommandLine;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Makes a token; its secret goes into a file and nowhere else.</summary>
internal sealed class TokensCreateVerb() : Verb(
    "create",
    "Makes a token for a user, or for agents that join",
    "loadharness tokens create alice --role operator",
    "loadharness tokens create lab --role agent --expires 24h --label zone=a --out lab.token")
{
    private const string Roles = "viewer, operator, agent";
    private static readonly TimeSpan _joinValidity = TimeSpan.FromHours(24);
    private static readonly TimeSpan _shortest = TimeSpan.FromSeconds(1);

    private readonly Argument<string?> _name = TokenVerbs.Name();
    private readonly Option<string> _role = VerbOptions.Text(
        "--role", "ROLE", "viewer: looks; operator: also starts, changes and stops; agent: enrols agents, nothing else");
    private readonly Option<string> _expires = VerbOptions.Text("--expires", "TIME", "How long it is good; else 24h for agents, for ever for users");
    private readonly Option<string[]> _labels = VerbOptions.Texts("--label", "K=V", "Role agent: a label that the agents must carry; may be repeated");
    private readonly Option<string> _out = VerbOptions.Text("--out", "FILE", "New file (0600) for the secret (NAME.token in this directory)");
    private readonly Option<string> _state = StateOption.Create();
    private readonly Option<bool> _json = VerbOptions.Json();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_name, _role, _expires, _labels, _out, _state, _json];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed)
    {
        var errors = new List<SpecError>();
        errors.AddRange(TokenVerbs.Check(parsed.GetValue(_name)));
        var role = RoleOf(parsed);
        if (role is null)
        {
            var text = TextOf(parsed, _role) ?? "";
            errors.Add(new("--role", text, text.Length == 0 ? "is missing" : "is no role", Roles, "Write --role viewer, or one of the others"));
        }

        Expires(parsed, errors);
        Labels(parsed, errors);
        if (role is not null and not TokenRole.Agent && parsed.GetResult(_labels) is not null)
            errors.Add(new("--label", "", "limits agents, not users", "", "Leave it out, or write --role agent"));
        return errors;
    }

    /// <inheritdoc/>
    public override Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var (state, role, name) = (StateOption.Of(parsed, _state), RoleOf(parsed)!.Value, parsed.GetValue(_name)!);
        var now = context.Time.GetUtcNow();
        var validity = Expires(parsed, []) ?? (role == TokenRole.Agent ? _joinValidity : (TimeSpan?)null);
        var secret = Credential.Generate();
        var token = new Token
        {
            Name = name,
            Role = role,
            Sha256 = Token.HashOf(secret.Value),
            Created = now,
            Expires = now + validity,
            Labels = Labels(parsed, []),
        };
        var path = TextOf(parsed, _out) ?? name + ".token";
        state.Prepare();
        SafeFile.Create(path, "token file", secret.Value + Environment.NewLine, SafeFile.OwnerOnly);
        try
        {
            new TokenFile(state.Tokens).Change(tokens => tokens.Any(t => t.Name == name)
                ? throw new CredentialException($"there is a token `{name}` already; revoke it first: loadharness tokens revoke {name}{state.Option}")
                : tokens.Add(token));
        }
        catch
        {
            File.Delete(path);
            throw;
        }

        context.Error.WriteLine($"token `{name}`, role {TokenVerbs.Word(role)}, {TokenVerbs.Until(token)}: its secret is in {path} and nowhere else");
        if (parsed.GetValue(_json))
        {
            var json = TokenVerbs.Json(token, now);
            json["file"] = path;
            context.Out.WriteLine(RunJson.Pretty(json));
        }

        return Task.FromResult(ExitCode.Passed);
    }

    private TokenRole? RoleOf(ParseResult parsed) => TextOf(parsed, _role) switch
    {
        "viewer" => TokenRole.Viewer,
        "operator" => TokenRole.Operator,
        "agent" => TokenRole.Agent,
        _ => null,
    };

    private TimeSpan? Expires(ParseResult parsed, List<SpecError> errors) =>
        new FieldReader(errors).Duration("--expires", Given<TimeSpan>(parsed, _expires), _shortest, DurationText.Longest);

    private ImmutableSortedDictionary<string, string> Labels(ParseResult parsed, List<SpecError> errors)
    {
        var labels = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var text in TextsOf(parsed.GetResult(_labels)))
        {
            var split = text.IndexOf('=', StringComparison.Ordinal);
            if (split < 1 || split > Token.LongestLabel || text.Length - split > Token.LongestLabel || text.Any(char.IsControl))
                errors.Add(new("--label", text, "is no label", "key=value", "Write it as in --label zone=a"));
            else if (!labels.TryAdd(text[..split], text[(split + 1)..]))
                errors.Add(new("--label", text, $"gives {text[..split]} a second value", "one value for each", "Leave one of them"));
        }

        return labels.ToImmutable();
    }
}
