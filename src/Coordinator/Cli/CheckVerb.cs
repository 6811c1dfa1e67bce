using System.CommandLine;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Shows how the hosts of a fleet, or this machine, stand against a need.</summary>
internal sealed class CheckVerb() : Verb(
    "check",
    "Checks the limits of every agent's host, or of this machine: what each is, what a run needs, and what to do",
    "loadharness check -c 1M --both-ends",
    "loadharness check -c 10M --connect-rate 50k/s --coordinator https://coordinator:7443 --select zone=a")
{
    private readonly Option<string> _connections = VerbOptions.Text("--connections", "N", "Connections at once over all agents, as 500k or 2M", "-c");
    private readonly Option<string> _connectRate = VerbOptions.Text("--connect-rate", "RATE", "Connects per second over all agents, as 5000/s", "--rate");
    private readonly Option<string> _closeRate = VerbOptions.Text("--close-rate", "RATE", "Connections that end per second over all agents, as 2000/s");
    private readonly Option<bool> _bothEnds = VerbOptions.Flag("--both-ends", "The target is on the agents' own hosts: sockets count twice");
    private readonly Option<string[]> _select = VerbOptions.Texts("--select", "LABEL=VALUE", "Only agents that carry this label; may be repeated");
    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_connections, _connectRate, _closeRate, _bothEnds, _select, _json, .. _coordinator.Symbols];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed)
    {
        if (TextOf(parsed, _connections) is { } count)
        {
            var connections = CountText.Parse(count);
            if (connections.Problem is { } problem)
                yield return problem.At(_connections.Name, count);
            else if (connections.Value is < 1 or > RunSpecValidator.MostConnections)
                yield return new(_connections.Name, count, "is out of range", $"1 to {CountText.Format(RunSpecValidator.MostConnections)}", "Write it as 500k or 2M");
        }

        foreach (var option in new[] { _connectRate, _closeRate })
        {
            if (TextOf(parsed, option) is { } rate && RateText.Parse(rate).Problem is { } problem)
                yield return problem.At(option.Name, rate);
        }

        foreach (var text in TextsOf(parsed.GetResult(_select)))
        {
            if (LabelText.Parse(text).Problem is { } problem)
                yield return problem.At(_select.Name, text);
        }

        if (parsed.GetValue(_bothEnds) && TextOf(parsed, _connections) is null)
            yield return new(_bothEnds.Name, "", "says nothing without connections", "", $"Give {_connections.Name} too");
        if (parsed.GetResult(_select) is not null && !_coordinator.IsNamed(parsed, Variable))
            yield return new(_select.Name, "", "selects agents of a fleet, and no coordinator is named", "", "Give --coordinator URL, or leave it out to check this machine");
        foreach (var error in _coordinator.Check(parsed))
            yield return error;
    }

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var agents = await AskAsync(parsed, context);
        if (parsed.GetValue(_json))
            context.Out.WriteLine(RunJson.Pretty(CheckReport.Json(agents)));
        else if (agents.Count == 0)
            context.Error.WriteLine("No agent is attached, or none carries these labels; 'loadharness agents list' shows those that there are.");
        foreach (var line in parsed.GetValue(_json) ? [] : CheckReport.Lines(agents))
            context.Out.WriteLine(line);
        return CheckReport.Code(agents);
    }

    private async Task<IReadOnlyList<AgentChecksView>> AskAsync(ParseResult parsed, CliContext context)
    {
        var need = NeedOf(parsed);
        if (_coordinator.Of(parsed, context) is not { } coordinator)
            return [await LocalCheck.RunAsync(need, context.Interrupts.First)];
        var select = TextsOf(parsed.GetResult(_select)).Select(t => LabelText.Parse(t).Value).ToDictionary(l => l.Key, l => l.Value, StringComparer.Ordinal);
        using var client = ControlClient.For(coordinator);
        return await client.CheckAgentsAsync(need, select, context.Interrupts.First);
    }

    private HostNeed? NeedOf(ParseResult parsed)
    {
        var need = new HostNeed(
            TextOf(parsed, _connections) is { } count ? CountText.Parse(count).Value : 0,
            parsed.GetValue(_bothEnds),
            TextOf(parsed, _connectRate) is { } connects ? RateText.Parse(connects).Value : 0,
            TextOf(parsed, _closeRate) is { } closes ? RateText.Parse(closes).Value : 0);
        return need == new HostNeed(0, false, 0, 0) ? null : need;
    }
}
