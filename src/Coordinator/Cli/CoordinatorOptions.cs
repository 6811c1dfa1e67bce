using System.CommandLine;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The options that name a coordinator, the same for every verb that talks to one; each has an environment variable.</summary>
internal sealed class CoordinatorOptions
{
    /// <summary>Stands for --coordinator.</summary>
    public const string UrlVariable = "LOADHARNESS_COORDINATOR";

    /// <summary>Stands for --ca.</summary>
    public const string CaVariable = "LOADHARNESS_CA";

    /// <summary>Stands for --token-file.</summary>
    public const string TokenFileVariable = "LOADHARNESS_TOKEN_FILE";

    /// <summary>The token itself, when there is no file.</summary>
    public const string TokenVariable = "LOADHARNESS_TOKEN";

    private const int LongestToken = 4096;
    private const string NewToken = "on the coordinator's host 'loadharness tokens create NAME --role operator' makes one";

    private readonly Option<string> _url = VerbOptions.Text(
        "--coordinator", "URL", $"The coordinator of a fleet: {CoordinatorUrl.Forms}; else ${UrlVariable}, else this machine");
    private readonly Option<string> _ca = VerbOptions.Text(
        "--ca", "FILE", $"CA (PEM) of its certificate; else ${CaVariable}, else the system's");
    private readonly Option<string> _tokenFile = VerbOptions.Text(
        "--token-file", "FILE", $"Your token, mode 0600; else ${TokenFileVariable}, ${TokenVariable}");

    /// <summary>For the verb's own list.</summary>
    public IEnumerable<Symbol> Symbols => [_url, _ca, _tokenFile];

    /// <summary>What is wrong with the values given.</summary>
    public IEnumerable<SpecError> Check(ParseResult parsed)
    {
        if (Given(parsed, _url) is { } text && Problem("--coordinator", text) is { } problem)
            yield return problem;
    }

    /// <summary>Whether a coordinator is named, by option or variable.</summary>
    public bool IsNamed(ParseResult parsed, Func<string, string?> variable) => Text(parsed, _url, UrlVariable, variable) is not null;

    /// <summary>The coordinator that is named; null: this machine's.</summary>
    /// <exception cref="CliException">What names it cannot be used, or there is no token.</exception>
    /// <exception cref="CredentialException">A file cannot be used.</exception>
    public RemoteCoordinator? Of(ParseResult parsed, CliContext context)
    {
        var variable = context.Variable;
        if (Text(parsed, _url, UrlVariable, variable) is not { } text)
            return null;
        if (!CoordinatorUrl.TryParse(text, out var url, out _))
            throw new CliException(ExitCode.Invalid, Problem($"${UrlVariable}", text)!.Message);
        var options = $"--coordinator {url}";
        foreach (var option in new[] { _ca, _tokenFile })
            options += Given(parsed, option) is { } file ? $" {option.Name} {file}" : "";
        return new(url, ServerTrust.Of(Text(parsed, _ca, CaVariable, variable)), TokenOf(parsed, url, variable), options);
    }

    private string TokenOf(ParseResult parsed, CoordinatorUrl url, Func<string, string?> variable)
    {
        if (Text(parsed, _tokenFile, TokenFileVariable, variable) is { } file)
            return Sound(SafeFile.ReadSecret(file, "token file", LongestToken), $"token file {file}");
        if (url.SocketPath is { } socket)
        {
            var beside = Path.Combine(Path.GetDirectoryName(socket)!, "credential");
            if (!File.Exists(socket))
            {
                throw new CliException(
                    ExitCode.Unreachable, $"there is no socket {socket}; start the coordinator: loadharness serve --socket {socket}");
            }

            return Sound(SafeFile.ReadSecret(beside, "credential file", LongestToken), $"credential file {beside}");
        }

        if (variable(TokenVariable) is { Length: > 0 } token)
            return Sound(token, $"${TokenVariable}");
        throw new CliException(ExitCode.Unreachable, url.IsTls
            ? $"{url} wants a token and there is none; name its file with --token-file FILE or ${TokenFileVariable} ({NewToken})"
            : $"{url} wants a token and there is none; name the credential file of that coordinator with --token-file FILE "
                + "(`loadharness serve` prints where it is)");
    }

    private static string Sound(string text, string what)
    {
        var token = text.Trim();
        return token.Length > 0 && token.All(char.IsAscii) && !token.Any(c => char.IsControl(c) || c == ' ')
            ? token
            : throw new CredentialException($"{what} holds no token: one line of letters and digits is wanted; {NewToken}");
    }

    private static SpecError? Problem(string field, string text) => CoordinatorUrl.TryParse(text, out _, out var problem)
        ? null
        : new(field, text, problem, CoordinatorUrl.Forms, "Write it as 'loadharness serve' prints it, as in https://coordinator:7443");

    private static string? Text(ParseResult parsed, Option<string> option, string name, Func<string, string?> variable) =>
        Given(parsed, option) ?? (variable(name) is { Length: > 0 } value ? value : null);

    private static string? Given(ParseResult parsed, Option<string> option) =>
        parsed.GetResult(option) is { Tokens: [.., var last] } ? last.Value : null;
}
