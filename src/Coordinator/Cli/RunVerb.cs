using System.CommandLine;
using System.CommandLine.Parsing;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Holds connections against a target, with agents on this machine or with those of a fleet.</summary>
internal sealed class RunVerb() : Verb(
    "run",
    "Opens connections to a target, holds them, drains them and reports",
    "loadharness run 10.0.0.5:443 -c 50k",
    "loadharness run --target tcp://10.0.0.5:443,8443-8450 -c 2M --ramp 10m --hold 30m --sources 10.0.1.0/28",
    "loadharness run 10.0.0.5:443 -c 20k --connect-rate 2000/s --json > summary.json",
    "loadharness run 10.0.0.5:443 -c 2M --coordinator https://coordinator:7443 --select rack=7 --detach")
{
    private readonly Argument<string?> _shortTarget = new("TARGET")
    {
        Description = "The short form of --target",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string[]> _targets = VerbOptions.Texts(
        "--target", "tcp://HOST:PORTS", "What to connect to, as in 10.0.0.5:443,8443-8450; may be repeated");
    private readonly Option<string> _connections = VerbOptions.Text(
        "--connections", "N", "How many connections to hold: 50000, 500k, 2M", "-c");
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
    private readonly Option<bool> _detach = VerbOptions.Flag(
        "--detach", "Print the run's id once it is planned, and leave it to the coordinator");
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols =>
    [
        _shortTarget, _targets, _connections, _ramp, _rate, _hold, _sources, _sourcePorts, _agents, _readyTimeout,
        _connectTimeout, _maxDuration, _expectGreeting, _select, _backends, _backendListen, _backendSelect, _name, _detach, _json,
        .. _coordinator.Symbols,
    ];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed) =>
        [.. Validate(parsed).Errors, .. _coordinator.Check(parsed), .. IsRemote(parsed) ? [] : CheckLocal(parsed)];

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var spec = Validate(parsed).Spec!;
        if (_coordinator.Of(parsed, context) is { } coordinator)
            return await new RemoteRun(coordinator, context, parsed.GetValue(_json)).ExecuteAsync(spec, parsed.GetValue(_detach));
        spec = spec with { Agents = spec.Agents ?? LocalRun.DefaultAgents(spec.Connections) };
        await using var session = await LocalRun.StartSessionAsync(context);
        return await new LocalRun(context, session, parsed.GetValue(_json)).ExecuteAsync(spec);
    }

    /// <summary>What was asked for, unchecked. An option without its value counts as not given: the parser has that error.</summary>
    internal RunSpecInput InputOf(ParseResult parsed) => new()
    {
        Name = TextOf(parsed, _name) ?? "",
        Targets = [.. TextsOf(parsed.GetResult(_shortTarget)), .. TextsOf(parsed.GetResult(_targets))],
        Connections = Given<long>(parsed, _connections),
        Ramp = Given<TimeSpan>(parsed, _ramp),
        ConnectRate = Given<double>(parsed, _rate),
        Hold = Given<TimeSpan>(parsed, _hold),
        Sources = [.. TextsOf(parsed.GetResult(_sources))],
        SourcePorts = TextOf(parsed, _sourcePorts),
        Agents = Given<long>(parsed, _agents),
        ReadyTimeout = Given<TimeSpan>(parsed, _readyTimeout),
        ConnectTimeout = Given<TimeSpan>(parsed, _connectTimeout),
        MaxDuration = Given<TimeSpan>(parsed, _maxDuration),
        ExpectGreeting = parsed.GetResult(_expectGreeting) is { Implicit: false },
        Select = [.. TextsOf(parsed.GetResult(_select))],
        Backends = Given<long>(parsed, _backends),
        BackendListen = TextOf(parsed, _backendListen),
        BackendSelect = [.. TextsOf(parsed.GetResult(_backendSelect))],
    };

    private bool IsRemote(ParseResult parsed) => _coordinator.IsNamed(parsed, Variable);

    /// <summary>A local run starts its own agents: there is nothing to choose from, and nothing that goes on without it.</summary>
    private IEnumerable<SpecError> CheckLocal(ParseResult parsed)
    {
        if (parsed.GetResult(_detach) is { Implicit: false })
        {
            yield return new("--detach", "", "leaves a run to its coordinator, and this run has its coordinator in this process", "",
                "Name the fleet's coordinator with --coordinator URL, or leave it out");
        }

        Option[] ofAFleet = [_select, _backends, _backendListen, _backendSelect];
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

    private SpecResult Validate(ParseResult parsed)
    {
        // What a name means is asked where it is used: on the agents' hosts, or here.
        var result = RunSpecValidator.Validate(InputOf(parsed), IsRemote(parsed) ? _ => null : HostNames.Resolve);
        return result.Spec is null ? result with { Errors = [.. result.Errors.Where(e => !IsHalfGiven(parsed, e))] } : result;
    }

    /// <summary>An option that was given without its value is missing to the validator, which the parser has said better.</summary>
    private bool IsHalfGiven(ParseResult parsed, SpecError error) =>
        error.Value.Length == 0 && Symbols.OfType<Option>().Any(o =>
            o.Name == error.Field && parsed.GetResult(o) is { Implicit: false, Tokens.Count: 0 } && o.Arity.MinimumNumberOfValues > 0);
}
