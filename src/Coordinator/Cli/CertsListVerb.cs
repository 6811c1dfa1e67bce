using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Lists certificates.</summary>
internal sealed class CertsListVerb() : Verb(
    "list", "Lists the certificates of a coordinator and until when they are valid", "loadharness certs list", "loadharness certs list --json")
{
    // As many as tell certificates apart and fit into a terminal; --json has them all.
    private const int FingerprintDigits = 16;

    private readonly Option<string> _state = StateOption.Create();
    private readonly Option<bool> _json = VerbOptions.Json();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_state, _json];

    /// <inheritdoc/>
    public override Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var state = StateOption.Of(parsed, _state);
        var (entries, now) = (CertificateInventory.Of(state), context.Time.GetUtcNow());
        if (parsed.GetValue(_json))
            context.Out.WriteLine(RunJson.Pretty(new JsonArray([.. entries.Select(e => Json(e, now))])));
        else
            TextTable.Write(context.Out, ["KIND", "NAME", "HOSTS", "EXPIRES", "STATE", "SHA-256"], entries.Select(e => Row(e, now)));
        if (entries.IsEmpty)
            context.Error.WriteLine($"there are no certificates in {state.Path}; make some: loadharness certs init{state.Option}");
        foreach (var entry in entries.Where(e => StateOf(e, now) != "valid"))
            context.Error.WriteLine($"{entry.Path} {(entry.Expires <= now ? "expired" : "expires")} at {entry.Expires:u}; {Remedy(entry, state)}");
        return Task.FromResult(ExitCode.Passed);
    }

    private static string StateOf(CertificateEntry entry, DateTimeOffset now) =>
        entry.Expires <= now ? "expired" : entry.Expires - now < CertificateInventory.WarnBefore ? "expiring" : "valid";

    private static string Remedy(CertificateEntry entry, StateDirectory state) => entry.Kind switch
    {
        CertificateKind.Server =>
            $"issue a new one: loadharness certs issue server {string.Join(' ', entry.Hosts.Select(h => $"--host {h}"))}{state.Option}",
        CertificateKind.Agent => "an agent that is enrolled does not need it any more",
        _ => "move the folder away and make a new authority: loadharness certs init; everybody needs its certificate then",
    };

    private static IReadOnlyList<string> Row(CertificateEntry entry, DateTimeOffset now) =>
    [
        KindOf(entry),
        entry.Name,
        string.Join(',', entry.Hosts),
        entry.Expires.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        StateOf(entry, now),
        entry.Fingerprint[..FingerprintDigits],
    ];

    private static JsonObject Json(CertificateEntry entry, DateTimeOffset now) => new()
    {
        ["kind"] = KindOf(entry),
        ["name"] = entry.Name,
        ["hosts"] = new JsonArray([.. entry.Hosts.Select(h => (JsonNode)h)]),
        ["expires"] = entry.Expires.UtcDateTime,
        ["state"] = StateOf(entry, now),
        ["sha256"] = entry.Fingerprint,
        ["path"] = entry.Path,
    };

    private static string KindOf(CertificateEntry entry) => entry.Kind switch
    {
        CertificateKind.Authority => "ca",
        CertificateKind.Server => "server",
        _ => "agent",
    };
}
