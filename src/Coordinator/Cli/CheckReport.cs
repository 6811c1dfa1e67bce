using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>How the hosts of a fleet stand, worst first.</summary>
internal static class CheckReport
{
    private const int Width = 80;
    private const int LabelWidth = 11;
    private const int Warning = 3;
    private const int Error = 4;

    /// <summary>One block for each host with something to say; one line for each that is well.</summary>
    public static IEnumerable<string> Lines(IEnumerable<AgentChecksView> agents)
    {
        var lines = new LabelledLines(LabelWidth, Width);
        foreach (var agent in agents.OrderByDescending(Rank).ThenBy(a => a.Id, StringComparer.Ordinal))
        {
            lines.Add("", "");
            var name = agent.Id.Length == 0 ? agent.Host : $"{agent.Id} on {agent.Host}";
            lines.AddLine(Clean($"{name}: {Counts(agent)}"));
            foreach (var check in agent.Checks.Where(c => Rank(agent) >= Warning && c.Rank > 0).OrderByDescending(c => c.Rank))
                Add(lines, check);
        }

        return lines.Lines.SkipWhile(l => l.Length == 0);
    }

    /// <summary>JSON of schema `loadharness/checks/v1`.</summary>
    public static JsonObject Json(IEnumerable<AgentChecksView> agents) => new()
    {
        ["schema"] = "loadharness/checks/v1",
        ["agents"] = new JsonArray([.. agents.OrderByDescending(Rank).Select(a => (JsonNode)new JsonObject
        {
            ["id"] = a.Id,
            ["host"] = a.Host,
            ["error"] = a.Error,
            ["verdict"] = a.Worst?.Verdict,
            ["checks"] = Json(a.Checks),
        })]),
    };

    /// <summary>Checks alone.</summary>
    public static JsonArray Json(IReadOnlyCollection<HostCheckView> checks) => new([.. checks.Select(c => (JsonNode)new JsonObject
    {
        ["name"] = c.Name,
        ["verdict"] = c.Verdict,
        ["value"] = c.Value,
        ["needed"] = c.Needed,
        ["remedy"] = c.Remedy,
        ["risk"] = c.Risk,
        ["sysctls"] = new JsonObject(c.Sysctls.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)s.Value))),
    })]);

    /// <summary>As `loadharness-agent check`: 4 when a host does not meet the need, 3 for warnings; who does not answer may fail it.</summary>
    public static ExitCode Code(IReadOnlyCollection<AgentChecksView> agents) => agents.Select(Rank).DefaultIfEmpty(0).Max() switch
    {
        >= Error => ExitCode.GoalMissed,
        Warning => ExitCode.ThresholdFailed,
        _ => ExitCode.Passed,
    };

    private static int Rank(AgentChecksView agent) => agent.Error.Length > 0 ? Error : agent.Worst?.Rank ?? 0;

    private static string Counts(AgentChecksView agent) => agent.Error.Length > 0
        ? $"no answer: {agent.Error}"
        : string.Join(", ", agent.Checks.GroupBy(c => c.Verdict).OrderByDescending(g => g.First().Rank).Select(g => $"{g.Count()} {g.Key}"));

    private static void Add(LabelledLines lines, HostCheckView check)
    {
        lines.Add($"  {check.Verdict}", Clean($"{check.Name}: {check.Value}"));
        foreach (var (label, text) in new[] { ("needs", check.Needed), ("do", check.Remedy), ("risk", check.Remedy.Length > 0 ? check.Risk : "") })
        {
            if (text.Length > 0)
                lines.Add($"    {label}", Clean(text));
        }
    }

    private static string Clean(string text) => string.Concat(text.Select(c => char.IsControl(c) ? '?' : c));
}
