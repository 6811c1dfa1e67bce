using System.CommandLine;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Issues a certificate that enrols one agent.</summary>
internal sealed class CertsIssueAgentVerb() : Verb(
    "agent",
    "Issues a certificate with which one agent joins, without a join token",
    "loadharness certs issue agent load-7 --out /secure/place")
{
    private readonly Argument<string?> _name = new("NAME")
    {
        Description = "The agent's identity (loadharness-agent join --id)",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> _out = VerbOptions.Text("--out", "DIR", "Where NAME.pem and NAME.key go (this directory)");
    private readonly Option<string> _state = StateOption.Create();
    private readonly Option<string> _days = DaysOption.Create(CertificateAuthority.DefaultValidity);
    private readonly Option<bool> _json = VerbOptions.Json();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_name, _out, _state, _days, _json];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed)
    {
        var name = parsed.GetValue(_name) ?? "";
        return Token.IsName(name)
            ? DaysOption.Check(Given<long>(parsed, _days))
            : [new("NAME", name, name.Length == 0 ? "is missing" : "is no name", "letters, digits and . _ - @, at most 64 of them",
                "Give the agent's identity"), .. DaysOption.Check(Given<long>(parsed, _days))];
    }

    /// <inheritdoc/>
    public override Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var state = StateOption.Of(parsed, _state);
        var name = parsed.GetValue(_name)!;
        var directory = TextOf(parsed, _out) ?? ".";
        var (certificate, key) = (Path.Combine(directory, name + ".pem"), Path.Combine(directory, name + ".key"));
        if (File.Exists(certificate))
            throw new CredentialException($"certificate {certificate} is there already; remove it first, or give another place with --out");
        using var authority = CertificateAuthority.Load(state);
        var issued = authority.IssueAgent(
            name, DaysOption.Of(Given<long>(parsed, _days), CertificateAuthority.DefaultValidity), context.Time.GetUtcNow());
        SafeFile.Create(key, "key file", issued.Key, SafeFile.OwnerOnly);
        SafeFile.Create(certificate, "certificate", issued.Certificate, SafeFile.Public);
        SafeFile.PrepareDirectory(state.Issued);
        SafeFile.Replace(Path.Combine(state.Issued, name + ".pem"), "certificate", issued.Certificate, SafeFile.Public);
        context.Error.WriteLine($"certificate of agent {name}: {certificate}, key {key}; move both to its host");
        if (parsed.GetValue(_json))
            context.Out.WriteLine(RunJson.Pretty(new JsonObject { ["certificate"] = certificate, ["key"] = key }));
        return Task.FromResult(ExitCode.Passed);
    }
}
