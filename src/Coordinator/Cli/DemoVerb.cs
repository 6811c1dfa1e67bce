using System.CommandLine;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Shows everything at work on this machine: a backend, agents, a small run, a report.</summary>
internal sealed class DemoVerb() : Verb(
    "demo",
    "Starts a backend and agents on this machine, holds 50,000 connections between them and reports",
    "loadharness demo",
    "loadharness demo -c 200k --agents 4 --hold 1m",
    "loadharness demo -c 1M --ramp 1m --agents 1")
{
    private const string Goal = "50k";
    private const int FewestAgents = 2;
    private const double RampPerSecond = 4_200;
    private static readonly TimeSpan _shortestRamp = TimeSpan.FromSeconds(10);

    private readonly Option<string> _connections = VerbOptions.Text("--connections", "N", "How many connections to hold (50k)", "-c");
    private readonly Option<string> _ramp = VerbOptions.Text("--ramp", "TIME", "How long opening them takes (10s, or longer for 4,200/s at most)");
    private readonly Option<string> _hold = VerbOptions.Text("--hold", "TIME", "How long to hold them (15s)");
    private readonly Option<string> _agents = VerbOptions.Text(
        "--agents", "N", "Agent processes to start (2, or more when the goal wants it)");
    private readonly Option<bool> _json = VerbOptions.Json();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_connections, _ramp, _hold, _agents, _json];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed) => SpecOf(parsed, new PortSpan(9000, 9009)).Errors;

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var json = parsed.GetValue(_json);
        var ports = LocalBackendPorts.FindPorts(CountText.Parse(TextOf(parsed, _connections) ?? Goal).Value);
        var spec = SpecOf(parsed, ports).Spec!;
        await using var session = await LocalRun.StartSessionAsync(context);
        spec = spec with { Agents = spec.Agents ?? Math.Max(FewestAgents, LocalRun.DefaultAgents(spec.Connections)) };
        context.Error.WriteLine(
            $"""
             This demonstration stays on this machine. A backend accepts connections on
             {spec.Targets[0].Text} and keeps them. {spec.Agents} agents open {Wording.Count(spec.Connections)} of them within {Words(spec.Ramp!.Value)},
             hold them for {Words(spec.Hold)} and close them again; the kernel is asked all the while.

             """);
        return await new LocalRun(context, session, json).ExecuteAsync(spec);
    }

    private SpecResult SpecOf(ParseResult parsed, PortSpan ports)
    {
        var input = new RunSpecInput
        {
            Name = "demo",
            Targets = [$"127.0.0.1:{ports}"],
            Backends = 1,
            BackendListen = $"{ports}",
            Connections = TextOf(parsed, _connections) ?? Goal,
            Ramp = Given<TimeSpan>(parsed, _ramp),
            Hold = TextOf(parsed, _hold) ?? "15s",
            Agents = Given<long>(parsed, _agents),
        };
        var result = RunSpecValidator.Validate(input, HostNames.Resolve);
        return result.Spec is { Ramp: null } spec ? result with { Spec = spec with { Ramp = RampOf(spec.Connections) } } : result;
    }

    private static TimeSpan RampOf(long connections)
    {
        var byRate = TimeSpan.FromSeconds(Math.Ceiling(connections / RampPerSecond));
        return byRate > _shortestRamp ? byRate : _shortestRamp;
    }

    private static string Words(TimeSpan time) => DurationText.Format(time);
}
