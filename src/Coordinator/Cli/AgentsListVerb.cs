using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Lists the agents on this machine.</summary>
internal sealed class AgentsListVerb() : Verb(
    "list", "Lists the agents of the runs on this machine", "loadharness agents list", "loadharness agents list --json")
{
    private readonly Option<bool> _json = VerbOptions.Json();

    /// <inheritdoc/>
    public override IEnumerable<Symbol> Symbols => [_json];

    /// <inheritdoc/>
    public override async Task<ExitCode> ExecuteAsync(ParseResult parsed, CliContext context)
    {
        var agents = new List<AgentView>();
        foreach (var client in LocalCoordinators.Connect(context))
        {
            using (client)
                agents.AddRange(await client.ListAgentsAsync(context.Interrupts.First));
        }

        if (parsed.GetValue(_json))
            context.Out.WriteLine(RunJson.Pretty(new JsonArray([.. agents.Select(RunJson.Of)])));
        else
            TextTable.Write(context.Out, ["ID", "ROLE", "HOST", ">PID", ">CORES", ">PER REACTOR", "STATE", "RUN", "LABELS"], agents.Select(Row));
        return ExitCode.Passed;
    }

    private static IReadOnlyList<string> Row(AgentView agent) =>
    [
        agent.Id,
        agent.Role,
        agent.Host,
        agent.Pid.ToString(CultureInfo.InvariantCulture),
        agent.Cores.ToString(CultureInfo.InvariantCulture),
        Wording.Count(agent.ConnectionsPerReactor),
        !agent.Connected ? "lost" : agent.RunId.Length > 0 ? "working" : "idle",
        agent.RunId,
        string.Join(' ', agent.Labels.Select(l => $"{l.Key}={l.Value}")),
    ];
}
