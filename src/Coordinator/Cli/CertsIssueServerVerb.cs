using System.CommandLine;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Issues the certificate that listeners present.</summary>
internal sealed partial class CertsIssueServerVerb() : Verb(
    "server",
    "Issues the certificate of the coordinator's listeners, which take it without a restart",
    "loadharness certs issue server --host load.example.com --host 10.0.0.1")
{
    private readonly Option<string[]> _hosts = VerbOptions.Texts(
        "--host", "NAME|ADDRESS", "By which agents and users dial the coordinator; may be repeated");
    private readonly Option<string> _state = StateOption.Create();
    private readonly Option<string> _days = DaysOption.Create(CertificateAuthority.DefaultValidity);
    private readonly Option<bool> _json = VerbOptions.Json();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_hosts, _state, _days, _json];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed)
    {
        var hosts = TextsOf(parsed.GetResult(_hosts));
        if (parsed.GetResult(_hosts) is null)
            yield return new("--host", "", "is missing", "", "Say by which name or address the coordinator is dialled: --host 10.0.0.1");
        foreach (var host in hosts.Where(h => !IsHost(h)))
        {
            yield return new("--host", host, "is neither a host name nor an address", "a name as in load.example.com, or an address without port",
                "Write it as it stands in the URL that agents join, without scheme and port");
        }

        foreach (var error in DaysOption.Check(Given<long>(parsed, _days)))
            yield return error;
    }

    /// <inheritdoc/>
    public override Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var state = StateOption.Of(parsed, _state);
        var hosts = TextsOf(parsed.GetResult(_hosts)).Distinct(StringComparer.OrdinalIgnoreCase).ToArray();
        var validity = DaysOption.Of(Given<long>(parsed, _days), CertificateAuthority.DefaultValidity);
        using var authority = CertificateAuthority.Load(state);
        var issued = authority.IssueServer(hosts, validity, context.Time.GetUtcNow());
        SafeFile.PrepareDirectory(Path.GetDirectoryName(state.ServerKey)!);
        // A coordinator that looks in between finds a pair that does not fit, and keeps the old one until it looks again.
        SafeFile.Replace(state.ServerKey, "key file", issued.Key, SafeFile.OwnerOnly);
        SafeFile.Replace(state.ServerCertificate, "certificate", issued.Certificate, SafeFile.Public);
        context.Error.WriteLine($"certificate for {string.Join(", ", hosts)}: {state.ServerCertificate}, key {state.ServerKey}");
        if (parsed.GetValue(_json))
            context.Out.WriteLine(RunJson.Pretty(new JsonObject { ["certificate"] = state.ServerCertificate, ["key"] = state.ServerKey }));
        return Task.FromResult(ExitCode.Passed);
    }

    private static bool IsHost(string text) =>
        System.Net.IPAddress.TryParse(text, out _) || (text.Length <= 253 && HostName().IsMatch(text));

    // RFC 1123 2.1; a leading wildcard label is allowed as in RFC 6125.
    [GeneratedRegex(@"^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$", RegexOptions.NonBacktracking)]
    private static partial Regex HostName();
}
