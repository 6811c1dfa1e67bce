using System.CommandLine;
using System.CommandLine.Parsing;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>The arithmetic of a run before anything is opened: on this machine, on a fleet, or on one that does not exist.</summary>
internal sealed class PlanVerb() : Verb(
    "plan",
    "Works out whether a run fits, what limits it first and what to change; opens nothing",
    "loadharness plan 10.0.0.5:443 -c 2M --agents 14 --sources-per-agent 1",
    "loadharness plan 10.0.0.5:443 -c 100k --sources 10.0.1.0/28",
    "loadharness plan 10.0.0.5:443,8443-8450 -c 500k --workload churn --lifetime 30s --agents 4 --sources-per-agent 8",
    "loadharness plan 10.0.0.5:443 -c 2M --coordinator https://coordinator:7443 --json")
{
    private readonly SpecOptions _spec = new();
    private readonly HypotheticalOptions _hypothetical = new();
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [.. _spec.Symbols, .. _hypothetical.Symbols, _json, .. _coordinator.Symbols];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed)
    {
        var errors = Validate(parsed).Errors.ToList();
        errors.AddRange(_coordinator.Check(parsed));
        if (_hypothetical.IsGiven(parsed))
            _hypothetical.Read(parsed, _spec.InputOf(parsed), errors);
        else
            errors.AddRange(_hypothetical.CheckReal(parsed));
        if (_hypothetical.IsGiven(parsed) || !_coordinator.IsNamed(parsed, Variable))
            errors.AddRange(_spec.CheckLocal(parsed));
        return errors;
    }

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var answer = await AnswerAsync(parsed, context, Validate(parsed).Spec!);
        if (parsed.GetValue(_json))
            context.Out.WriteLine(answer.Json);
        foreach (var line in parsed.GetValue(_json) ? [] : answer.Lines)
            context.Out.WriteLine(line);
        return answer.Fits ? ExitCode.Passed : ExitCode.DoesNotFit;
    }

    private async Task<PlanAnswer> AnswerAsync(ParseResult parsed, CliContext context, RunSpec spec)
    {
        if (_hypothetical.IsGiven(parsed))
        {
            var report = _hypothetical.Read(parsed, _spec.InputOf(parsed), [])!.Report(spec);
            return report.IsInvalid
                ? throw new CliException(ExitCode.Invalid, report.Refusals)
                : new(PlanReportJson.Write(report), PlanReportText.Lines(report), report.Fits);
        }

        if (_coordinator.Of(parsed, context) is { } coordinator)
        {
            using var remote = coordinator.Connect();
            return await remote.PlanRunAsync(spec, context.Interrupts.First);
        }

        spec = spec with { Agents = spec.Agents ?? LocalRun.DefaultAgents(spec.Connections) };
        await using var session = await LocalRun.StartSessionAsync(context);
        session.Died += (child, exit) => Explain(context, child, exit);
        await LocalRun.StartChildrenAsync(session, spec);
        using var client = ControlClient.For(session.Paths);
        return await client.PlanRunAsync(spec, context.Interrupts.First);
    }

    private static void Explain(CliContext context, ChildProcess child, ChildExit exit)
    {
        context.Error.WriteLine($"{exit.Name} (process {exit.Pid}) has ended by itself: {exit.How}");
        foreach (var line in child.Tail(LocalRun.TailLines))
            context.Error.WriteLine($"  {line}");
    }

    // A name that means nothing here may mean something where the fleet will be: it counts as one address.
    private SpecResult Validate(ParseResult parsed) => _spec.Validate(parsed, _hypothetical.IsGiven(parsed)
        ? name => HostNames.Resolve(name) is { Count: > 0 } addresses ? addresses : null
        : _coordinator.IsNamed(parsed, Variable) ? _ => null : HostNames.Resolve);
}
