using System.CommandLine;
using System.CommandLine.Parsing;
using System.Net;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The coordinator as a service for agents on other hosts.</summary>
internal sealed class ServeVerb() : Verb(
    "serve",
    "Serves as coordinator for agents on other hosts until it is stopped",
    "loadharness serve --listen 10.0.0.1:7443",
    "loadharness serve --listen '*:7443' --cert server.pem --key server.key",
    "loadharness serve --listen 127.0.0.1:7443 --state /tmp/state")
{
    private const string ListenForms = "ADDRESS:PORT, [IPV6]:PORT, NAME:PORT or *:PORT";
    private static readonly TimeSpan _shortestLease = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _longestLease = TimeSpan.FromHours(1);

    private readonly Option<string[]> _listen = VerbOptions.Texts(
        "--listen", "HOST:PORT", "Where agents and users dial: an address of this host, or * for all; may be repeated");
    private readonly Option<string> _state = StateOption.Create();
    private readonly Option<string> _cert = VerbOptions.Text("--cert", "FILE", "Certificate (PEM) for --listen; else that of 'certs issue server'");
    private readonly Option<string> _key = VerbOptions.Text("--key", "FILE", "Its key (PEM, mode 0600)");
    private readonly Option<string> _socket = VerbOptions.Text("--socket", "FILE", "Unix socket; else one that the other verbs find by themselves");
    private readonly Option<string> _lease = VerbOptions.Text("--lease", "TIME", "How long agents go on when they lose this coordinator (30s)");
    private readonly Option<string> _logLevel = VerbOptions.Text("--log-level", "LEVEL", "debug, information, warning or error (information)");
    private readonly Option<bool> _json = VerbOptions.Json();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_listen, _state, _cert, _key, _socket, _lease, _logLevel, _json];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed)
    {
        var errors = new List<SpecError>();
        Listen(parsed, errors);
        Lease(parsed, errors);
        if (LevelOf(TextOf(parsed, _logLevel)) is null)
        {
            errors.Add(new("--log-level", TextOf(parsed, _logLevel)!, "is no level", "debug, information, warning, error",
                "Leave it out, or write one of them"));
        }

        if (parsed.GetResult(_cert) is null != parsed.GetResult(_key) is null)
            errors.Add(new("--cert", TextOf(parsed, _cert) ?? "", "goes together with --key", "", "Give both, or neither"));
        return errors;
    }

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var interrupts = context.Interrupts;
        await using var service = await context.StartService(SettingsOf(parsed, context), interrupts.First);
        Announce(service, StateOption.Of(parsed, _state), TextOf(parsed, _cert) is null, context.Error);
        if (parsed.GetValue(_json))
            context.Out.WriteLine(RunJson.Pretty(Json(service)));
        await Task.Delay(Timeout.Infinite, interrupts.First).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        context.Error.WriteLine("draining the runs that go on; once more (Ctrl-C) ends at once");
        await service.StopAsync(interrupts.Second);
        // To be stopped is how a service ends.
        return ExitCode.Passed;
    }

    private static void Announce(IService service, StateDirectory state, bool ownAuthority, TextWriter error)
    {
        error.WriteLine($"this user's verbs find it by its socket, {service.Socket}");
        foreach (var address in service.Addresses)
            error.WriteLine($"listening on {UrlOf(service, address)}{(service.Tls ? "" : " (plain, for this host only)")}");
        if (!service.Tls)
        {
            var place = service.Addresses.IsEmpty ? $"unix:{service.Socket}" : UrlOf(service, service.Addresses[0]);
            error.WriteLine($"agents of this host join with: loadharness-agent join {place} --credential-file {service.Credential}");
            return;
        }

        error.WriteLine($"for agents make a join token: loadharness tokens create NAME --role agent{state.Option}");
        var trust = ownAuthority ? "--ca ca.pem " : "";
        error.WriteLine($"they join with: loadharness-agent join {UrlOf(service, service.Addresses[0])} {trust}--join-token-file NAME.token");
        if (!ownAuthority)
        {
            error.WriteLine("and --ca FILE, when their hosts do not trust the authority of that certificate by themselves");
            return;
        }

        using var authority = new AgentCertificates(state.CaCertificate, TimeProvider.System).Authority();
        if (authority is not null)
            error.WriteLine($"ca.pem is a copy of {state.CaCertificate}, SHA-256 {CertificateNames.Fingerprint(authority)}");
    }

    /// <summary>As it is dialled: a listener on every address goes by the host's name.</summary>
    private static string UrlOf(IService service, ListenAddress address)
    {
        var host = address.IsAny ? $"{Environment.MachineName}:{address.Endpoint.Port}"
            : IPAddress.TryParse(address.Host, out _) ? address.Endpoint.ToString() : $"{address.Host}:{address.Endpoint.Port}";
        return $"{(service.Tls ? "https" : "http")}://{host}";
    }

    private static JsonObject Json(IService service) => new()
    {
        ["socket"] = service.Socket,
        ["credential"] = service.Credential,
        ["urls"] = new JsonArray([.. service.Addresses.Select(a => (JsonNode)UrlOf(service, a))]),
    };

    private ServeSettings SettingsOf(ParseResult parsed, CliContext context) => new()
    {
        State = StateOption.Of(parsed, _state),
        RuntimeRoot = context.RuntimeRoot,
        Listen = [.. Listen(parsed, [])],
        Socket = TextOf(parsed, _socket),
        Certificate = TextOf(parsed, _cert) is { } cert ? new(cert, TextOf(parsed, _key)!) : null,
        Lease = Lease(parsed, []),
        LogLevel = LevelOf(TextOf(parsed, _logLevel))!.Value,
    };

    private List<ListenAddress> Listen(ParseResult parsed, List<SpecError> errors)
    {
        var addresses = new List<ListenAddress>();
        foreach (var text in TextsOf(parsed.GetResult(_listen)))
        {
            try
            {
                addresses.AddRange(ListenAddress.Parse(text, host => [.. HostNames.Resolve(host).Select(a => a.ToIPAddress())]));
            }
            catch (FormatException e)
            {
                errors.Add(new("--listen", text, e.Message, ListenForms, "Write it as in --listen 10.0.0.1:7443"));
            }
        }

        foreach (var twice in addresses.Where(a => a.Endpoint.Port != 0).GroupBy(a => a.Endpoint).Where(g => g.Count() > 1))
            errors.Add(new("--listen", twice.Key.ToString(), "is given more than once", "once", "Leave one of them"));
        return addresses;
    }

    private TimeSpan? Lease(ParseResult parsed, List<SpecError> errors) =>
        new FieldReader(errors).Duration("--lease", Given<TimeSpan>(parsed, _lease), _shortestLease, _longestLease);

    private static LogLevel? LevelOf(string? text) => text?.ToLowerInvariant() switch
    {
        null or "info" or "information" => LogLevel.Information,
        "debug" => LogLevel.Debug,
        "warn" or "warning" => LogLevel.Warning,
        "error" => LogLevel.Error,
        _ => null,
    };
}
