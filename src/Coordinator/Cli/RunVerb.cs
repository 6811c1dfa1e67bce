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
    "loadharness run https://10.0.0.5/health -c 1k --requests-per-second 20k",
    "loadharness run http://10.0.0.5/ -c 100k --workload hold --heartbeat 30s",
    "loadharness run tls://10.0.0.5:443 -c 20k --tls-ca ca.pem --tls-idle release",
    "loadharness run --target tcp://10.0.0.5:443,8443-8450 -c 2M --ramp 10m --hold 30m --sources 10.0.1.0/28",
    "loadharness run 10.0.0.5:443 -c 20k --connect-rate 2000/s --json > summary.json",
    "loadharness run 10.0.0.5:443 -c 2M --coordinator https://coordinator:7443 --select rack=7 --detach",
    "loadharness run https://10.0.0.5/ -c 2k --requests-per-second 20k/s --hlog latencies.hlog")
{
    private readonly SpecOptions _spec = new();
    private readonly Option<bool> _detach = VerbOptions.Flag(
        "--detach", "Print the run's id once it is planned, and leave it to the coordinator");
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly Option<string> _hlog = LatencyFile.Option();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols =>
    [
        .. _spec.Symbols, _detach, _json, _hlog, .. _coordinator.Symbols,
    ];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed) =>
        [.. Validate(parsed).Errors, .. _coordinator.Check(parsed), .. CheckFile(parsed), .. IsRemote(parsed) ? [] : CheckLocal(parsed)];

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var spec = Validate(parsed).Spec!;
        using var hlog = LatencyFile.Create(TextOf(parsed, _hlog));
        if (_coordinator.Of(parsed, context) is { } coordinator)
            return await new RemoteRun(coordinator, context, parsed.GetValue(_json), hlog).ExecuteAsync(spec, parsed.GetValue(_detach));
        spec = spec with { Agents = spec.Agents ?? LocalRun.DefaultAgents(spec.Connections) };
        await using var session = await LocalRun.StartSessionAsync(context);
        return await new LocalRun(context, session, parsed.GetValue(_json), hlog).ExecuteAsync(spec);
    }

    /// <summary>What was asked for, unchecked.</summary>
    internal RunSpecInput InputOf(ParseResult parsed) => _spec.InputOf(parsed);

    private bool IsRemote(ParseResult parsed) => _coordinator.IsNamed(parsed, Variable);

    private IEnumerable<SpecError> CheckFile(ParseResult parsed)
    {
        var path = TextOf(parsed, _hlog);
        if (path is not null && parsed.GetResult(_detach) is { Implicit: false })
        {
            yield return new("--hlog", path, "is written at the end of the run, and --detach does not wait for that", "",
                "Leave it out, and ask afterwards: loadharness runs report --hlog FILE");
        }

        foreach (var error in LatencyFile.Check(path))
            yield return error;
    }

    /// <summary>A local run starts its own agents: there is nothing to choose from, and nothing that goes on without it.</summary>
    private IEnumerable<SpecError> CheckLocal(ParseResult parsed)
    {
        if (parsed.GetResult(_detach) is { Implicit: false })
        {
            yield return new("--detach", "", "leaves a run to its coordinator, and this run has its coordinator in this process", "",
                "Name the fleet's coordinator with --coordinator URL, or leave it out");
        }

        foreach (var error in _spec.CheckLocal(parsed))
            yield return error;
    }

    // What a name means is asked where it is used: on the agents' hosts, or here.
    private SpecResult Validate(ParseResult parsed) => _spec.Validate(parsed, IsRemote(parsed) ? _ => null : HostNames.Resolve);
}
