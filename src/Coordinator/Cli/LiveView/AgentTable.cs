using Spectre.Console;

namespace LoadHarness.Coordinator.Cli.LiveView;

/// <summary>A line per agent, as many as there is room for; those in trouble first.</summary>
internal static class AgentTable
{
    private const int Numbers = 52;
    private const int LongestName = 40;

    /// <param name="agents">All of them.</param>
    /// <param name="marksLate">Whether samples are still due: none come once a run has ended.</param>
    /// <param name="width">Columns.</param>
    /// <param name="room">Lines that may be used, the heading included.</param>
    public static IEnumerable<StyledLine> Lines(
        IReadOnlyCollection<AgentProgressView> agents, bool marksLate, int width, int room)
    {
        if (agents.Count == 0 || room < 2)
            yield break;
        var shown = agents.Count <= room - 1 ? agents.Count : Math.Max(1, room - 2);
        IEnumerable<AgentProgressView> ordered =
            shown == agents.Count ? agents : agents.OrderByDescending(a => a.Lost).ThenByDescending(a => a.Stale);
        var name = Math.Clamp(agents.Max(a => a.Id.Length) + 1, 6, Math.Clamp(width - Numbers - 7, 6, LongestName));
        yield return Line(name, "agent", "share", "established", "rate", "cpu", "memory", StyledLine.Quiet);
        foreach (var agent in ordered.Take(shown))
            yield return Of(marksLate ? agent : agent with { Stale = false }, name);
        if (shown < agents.Count)
            yield return new StyledLine().Add($"and {Wording.Count(agents.Count - shown)} more agents", StyledLine.Quiet);
    }

    private static StyledLine Of(AgentProgressView agent, int name)
    {
        var style = agent.Lost ? StyledLine.Bad : agent.Stale ? StyledLine.Careful : Style.Plain;
        var line = Line(name, agent.Id, Wording.Count(agent.Share), Wording.Count(agent.Established), Wording.Rate(agent.OpenRate),
            Wording.Percent(agent.Cpu), Wording.Bytes(agent.RssBytes), style);
        if (agent.Lost)
            line.Add("  lost", StyledLine.Bad);
        else if (agent.Stale)
            line.Add("  late", StyledLine.Careful);
        return line;
    }

    private static StyledLine Line(
        int name, string agent, string share, string established, string rate, string cpu, string memory, Style style) =>
        new StyledLine().Add(agent.Length < name ? agent : agent[..(name - 1)], style)
            .EndingAt(name + 11, share, style)
            .EndingAt(name + 24, established, style)
            .EndingAt(name + 34, rate, style)
            .EndingAt(name + 41, cpu, style)
            .EndingAt(name + Numbers, memory, style);
}
