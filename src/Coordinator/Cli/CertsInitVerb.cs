using System.CommandLine;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Makes a certificate authority.</summary>
internal sealed class CertsInitVerb() : Verb(
    "init", "Makes a certificate authority for one coordinator and its agents", "loadharness certs init", "loadharness certs init --days 365")
{
    private readonly Option<string> _state = StateOption.Create();
    private readonly Option<string> _days = DaysOption.Create(CertificateAuthority.DefaultCaValidity);
    private readonly Option<bool> _json = VerbOptions.Json();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_state, _days, _json];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed) => DaysOption.Check(Given<long>(parsed, _days));

    /// <inheritdoc/>
    public override Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var state = StateOption.Of(parsed, _state);
        var validity = DaysOption.Of(Given<long>(parsed, _days), CertificateAuthority.DefaultCaValidity);
        CertificateAuthority.Create(state, validity, context.Time.GetUtcNow());
        context.Error.WriteLine($"certificate authority: {state.CaCertificate}; agents and users need a copy of it to know this coordinator");
        context.Error.WriteLine($"next: loadharness certs issue server --host NAME{state.Option}");
        if (parsed.GetValue(_json))
            context.Out.WriteLine(RunJson.Pretty(new JsonObject { ["certificate"] = state.CaCertificate, ["key"] = state.CaKey }));
        return Task.FromResult(ExitCode.Passed);
    }
}
