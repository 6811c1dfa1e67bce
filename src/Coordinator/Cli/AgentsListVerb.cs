using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Lists agents and what they do.</summary>
internal sealed class AgentsListVerb() : Verb(
    "list",
    "Lists agents: those of a fleet, or those of the runs on this machine",
    "loadharness agents list",
    "loadharness agents list --coordinator https://coordinator:7443 --json")
{
    private const int Width = 80;
    private const int Id = 0;
    private const int Host = 2;
    private const int Labels = 3;
    private const int State = 7;

    private readonly Option<bool> _json = VerbOptions.Json();
    private readonly CoordinatorOptions _coordinator = new();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_json, .. _coordinator.Symbols];

    /// <inheritdoc/>
    public override IEnumerable<SpecError> Check(ParseResult parsed) => _coordinator.Check(parsed);

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var agents = new List<AgentView>();
        foreach (var client in Coordinators.Connect(context, _coordinator.Of(parsed, context)))
        {
            using (client)
                agents.AddRange(await client.ListAgentsAsync(context.Interrupts.First));
        }

        if (parsed.GetValue(_json))
        {
            context.Out.WriteLine(RunJson.Pretty(new JsonArray([.. agents.Select(RunJson.Of)])));
            return ExitCode.Passed;
        }

        // Cut where a reader misses least: --json has everything.
        TextTable.Write(
            context.Out,
            ["ID", "ROLE", "HOST", "LABELS", ">CORES", ">ADDRS", "VER", "STATE", "CHECKS"],
            agents.Select(a => Row(a, context.Time.GetUtcNow())),
            new TableLimits(Width, [(Labels, 6), (Host, 6), (Id, 12), (State, 18), (Id, 6)]));
        return ExitCode.Passed;
    }

    private static IReadOnlyList<string> Row(AgentView agent, DateTimeOffset now) =>
    [
        agent.Id,
        agent.Role,
        agent.Host,
        string.Join(' ', agent.Labels.Select(l => $"{l.Key}={l.Value}")),
        agent.Cores.ToString(CultureInfo.InvariantCulture),
        agent.Addresses.Length.ToString(CultureInfo.InvariantCulture),
        agent.Version,
        Doing(agent, now),
        HostOf(agent),
    ];

    // How many checks are no better than a note, and the worst of them; `loadharness check` has the words. An agent of an
    // earlier release says findings only.
    private static string HostOf(AgentView agent)
    {
        var count = agent.Findings.Length.ToString(CultureInfo.InvariantCulture);
        return agent.Checks.MaxBy(c => c.Rank)?.Verdict switch
        {
            null => count,
            "WARNING" => $"{count} WARN",
            "ERROR" => $"{count} ERROR",
            "NOTE" => $"{count} NOTE",
            _ => "OK",
        };
    }

    private static string Doing(AgentView agent, DateTimeOffset now)
    {
        if (agent.Connected)
            return agent.RunId.Length > 0 ? $"run {agent.RunId}" : "idle";
        if (agent.LastSeen is not { } seen)
            return "away";
        var format = now - seen < TimeSpan.FromDays(1) ? "HH:mm:ss" : "yyyy-MM-dd";
        return $"away since {seen.ToLocalTime().ToString(format, CultureInfo.InvariantCulture)}";
    }
}
