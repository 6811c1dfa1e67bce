using System.CommandLine;
using System.CommandLine.Parsing;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The options that make up a run's spec, the same for every verb that takes one.</summary>
internal sealed class SpecOptions
{
    private readonly Argument<string?> _shortTarget = new("TARGET")
    {
        Description = "The short form of --target",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string[]> _targets = VerbOptions.Texts(
        "--target", "URL", "What to connect to, as in 10.0.0.5:443,8443-8450, tls://HOST:443 or https://HOST/path; a weight at its end: ,weight=3; may be repeated");
    private readonly Option<string> _connections = VerbOptions.Text(
        "--connections", "N", "How many connections to hold: 50000, 500k, 2M; churn may have its --connect-rate for a goal instead", "-c");
    private readonly Option<string> _ramp = VerbOptions.Text("--ramp", "TIME", "How long opening them takes: 90s, 10m");
    private readonly Option<string> _rate = VerbOptions.Text(
        "--connect-rate", "RATE", "How many to open per second instead: 5000/s; without either 1,000/s per agent, 5,000/s at most", "--rate");
    private readonly Option<string> _hold = VerbOptions.Text("--hold", "TIME", "How long to hold them (60s)");
    private readonly Option<string[]> _sources = VerbOptions.Texts(
        "--sources", "LIST", "Local addresses to connect from: addresses, A-B, CIDR or auto; else the one that the route chooses");
    private readonly Option<string> _sourcePorts = VerbOptions.Text("--source-ports", "A-B", "Local ports to connect from; else a safe range");
    private readonly Option<string> _agents = VerbOptions.Text(
        "--agents", "N", "Agents to start here (as many as the goal wants), or of a fleet to wait for (those that are idle)");
    private readonly Option<string> _readyTimeout = VerbOptions.Text("--ready-timeout", "TIME", "How long agents may take to get ready (60s)");
    private readonly Option<string> _connectTimeout = VerbOptions.Text("--connect-timeout", "TIME", "How long one connect may take (10s)");
    private readonly Option<string> _maxDuration = VerbOptions.Text("--max-duration", "TIME", "The run drains after this in any case (24h)");
    private readonly Option<bool> _expectGreeting = VerbOptions.Flag(
        "--expect-greeting", "Count a connection as confirmed once the target has sent a byte");
    private readonly Option<string[]> _select = VerbOptions.Texts(
        "--select", "LABEL=VALUE", "Take agents of a fleet that carry this label; may be repeated");
    private readonly Option<string> _backends = VerbOptions.Text("--backends", "N", "Backends of a fleet to start with the run");
    private readonly Option<string> _backendListen = VerbOptions.Text("--backend-listen", "PORTS", "Where each backend listens: 9000-9009");
    private readonly Option<string[]> _backendSelect = VerbOptions.Texts(
        "--backend-select", "LABEL=VALUE", "Take backends that carry this label; may be repeated");
    private readonly Option<string> _name = VerbOptions.Text("--name", "TEXT", "A name for lists and reports");
    private readonly Option<bool> _force = VerbOptions.Flag(
        "--force", "Start although it does not fit: hold as many as fit, and say so");
    private readonly Option<string[]> _provision = VerbOptions.Texts(
        "--provision-sources", "CIDR@DEV", "Source addresses to add to the agents' hosts while the run lasts; may be repeated");

    private readonly WorkloadOptions _workload = new();
    private readonly TransportOptions _transport = new();

    private readonly Option<string> _onLoss = VerbOptions.Text(
        "--on-agent-loss", "HOW", "What becomes of a lost agent's share: rebalance (the others take it; the default), hold (open until it is back) or fail");
    private readonly Option<string> _onJoin = VerbOptions.Text(
        "--on-agent-join", "HOW", "An idle agent that attaches meanwhile: fill (takes what is missing; the default) or ignore");

    /// <summary>For the verb's own list.</summary>
    public IEnumerable<Symbol> Symbols =>
    [
        _shortTarget, _targets, _connections, _ramp, _rate, _hold, .. _workload.Symbols, .. _transport.Symbols, _sources, _sourcePorts, _provision,
        _agents, _readyTimeout, _connectTimeout, _maxDuration, _expectGreeting, _force, _onLoss, _onJoin, _select, _backends, _backendListen, _backendSelect, _name,
    ];

    /// <summary>What was asked for, unchecked. An option without its value counts as not given: the parser has that error.</summary>
    public RunSpecInput InputOf(ParseResult parsed) => InputOf(parsed, []);

    private RunSpecInput InputOf(ParseResult parsed, List<SpecError> errors) =>
        _transport.AddTo(_workload.AddTo(OwnInputOf(parsed), parsed, errors), parsed, errors);

    private RunSpecInput OwnInputOf(ParseResult parsed) => new()
    {
        Name = Verb.TextOf(parsed, _name) ?? "",
        Targets = [.. Verb.TextsOf(parsed.GetResult(_shortTarget)), .. Verb.TextsOf(parsed.GetResult(_targets))],
        Connections = Verb.Given<long>(parsed, _connections),
        Ramp = Verb.Given<TimeSpan>(parsed, _ramp),
        ConnectRate = Verb.Given<double>(parsed, _rate),
        Hold = Verb.Given<TimeSpan>(parsed, _hold),
        Sources = [.. Verb.TextsOf(parsed.GetResult(_sources))],
        SourcePorts = Verb.TextOf(parsed, _sourcePorts),
        Agents = Verb.Given<long>(parsed, _agents),
        ReadyTimeout = Verb.Given<TimeSpan>(parsed, _readyTimeout),
        ConnectTimeout = Verb.Given<TimeSpan>(parsed, _connectTimeout),
        MaxDuration = Verb.Given<TimeSpan>(parsed, _maxDuration),
        ExpectGreeting = parsed.GetResult(_expectGreeting) is { Implicit: false },
        Select = [.. Verb.TextsOf(parsed.GetResult(_select))],
        Backends = Verb.Given<long>(parsed, _backends),
        BackendListen = Verb.TextOf(parsed, _backendListen),
        BackendSelect = [.. Verb.TextsOf(parsed.GetResult(_backendSelect))],
        Force = parsed.GetResult(_force) is { Implicit: false },
        ProvisionSources = [.. Verb.TextsOf(parsed.GetResult(_provision))],
        OnAgentLoss = Verb.TextOf(parsed, _onLoss),
        OnAgentJoin = Verb.TextOf(parsed, _onJoin),
    };

    /// <summary>The spec, or everything that is wrong with it.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="resolve">Addresses of a name; null when the agents are to be asked.</param>
    public SpecResult Validate(ParseResult parsed, Func<string, IReadOnlyList<IpAddress>?> resolve)
    {
        var unread = new List<SpecError>();
        var result = RunSpecValidator.Validate(InputOf(parsed, unread), resolve);
        if (result.Spec is not null && unread.Count == 0)
            return result;
        // A file that was not read is missing to the validator, which knows none by its name.
        return new(null,
        [
            .. unread,
            .. result.Errors.Where(e => !IsHalfGiven(parsed, e) && !unread.Exists(u => u.Field == e.Field))
                .Select(e => e.Value.Length == 0 && _transport.PathOf(parsed, e.Field) is { } path ? e with { Value = path } : e),
        ]);
    }

    /// <summary>Options that choose among the agents of a fleet, where there is none.</summary>
    public IEnumerable<SpecError> CheckLocal(ParseResult parsed)
    {
        if (Verb.TextOf(parsed, _backends) is { } backends && CountText.Parse(backends) is { Problem: null, Value: > 1 })
        {
            yield return new(_backends.Name, backends, "are too many for one host: two backends cannot share ports", "0 or 1",
                "One backend holds as many connections as there is memory for: --backends 1");
        }

        Option[] ofAFleet = [_select, _backendSelect];
        foreach (var option in ofAFleet)
        {
            if (parsed.GetResult(option) is { Implicit: false, Tokens.Count: > 0 } result)
            {
                yield return new(option.Name, string.Join(' ', result.Tokens.Select(t => t.Value)),
                    "chooses among the agents of a fleet, and this run starts its own", "",
                    "Name the fleet's coordinator with --coordinator URL, or leave it out");
            }
        }
    }

    /// <summary>An option that was given without its value is missing to the validator, which the parser has said better.</summary>
    private bool IsHalfGiven(ParseResult parsed, SpecError error) =>
        error.Value.Length == 0 && Symbols.OfType<Option>().Any(o =>
            o.Name == error.Field && parsed.GetResult(o) is { Implicit: false, Tokens.Count: 0 } && o.Arity.MinimumNumberOfValues > 0);
}
