using System.Collections.Immutable;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Which agents a run may take, and what to say while it may take too few.</summary>
/// <param name="registry">All agents.</param>
/// <param name="spec">Labels and numbers.</param>
internal sealed class AgentChoice(AgentRegistry registry, RunSpec spec)
{
    private const int MostNamed = 8;

    /// <summary>Those that it may take now.</summary>
    public AgentsFound Look() => new(
        [.. Fitting(AgentRole.Client).Where(a => a.IsIdle)], [.. Fitting(AgentRole.Backend).Where(a => a.IsIdle)]);

    /// <summary>What it would take of those; null when they are too few.</summary>
    public AgentsFound? Take(AgentsFound found) =>
        found.Clients.Length < WantedClients || found.Backends.Length < spec.Backends
            ? null
            : new(spec.Agents is { } agents ? found.Clients[..agents] : found.Clients, found.Backends[..spec.Backends]);

    /// <summary>Why a run that names no number of agents has none: it is refused at once. Null when it may go on.</summary>
    public string? WhyNone(AgentsFound found)
    {
        if (spec.Agents is not null || !found.Clients.IsEmpty)
            return null;
        var there = There(AgentRole.Client);
        if (there.IsEmpty)
            return "no agent is attached to this coordinator; start one with 'loadharness-agent join', or give --agents N to wait for N";
        var fitting = Fitting(AgentRole.Client);
        if (fitting.IsEmpty)
        {
            return $"no agent carries {LabelText.Format(spec.Select)} (--select); there are: {Named(there, LabelsOf)}. "
                + "Choose among these, or give --agents N to wait for N";
        }

        return $"no agent{Labels(spec.Select)} is idle: {Named(fitting, Occupation)}. "
            + "Wait for the end of that, start more agents, or give --agents N to wait for N";
    }

    /// <summary>What it waits for.</summary>
    public string Missing(AgentsFound found)
    {
        var parts = new List<string>();
        if (found.Clients.Length < WantedClients || spec.Backends == 0)
            parts.Add(Count(found.Clients.Length, WantedClients, "agent", spec.Select) + Others(AgentRole.Client));
        if (found.Backends.Length < spec.Backends)
            parts.Add(Count(found.Backends.Length, spec.Backends, "backend", spec.BackendSelect) + Others(AgentRole.Backend));
        return string.Join("; ", parts);
    }

    private int WantedClients => spec.Agents ?? 1;

    private ImmutableArray<AgentState> There(AgentRole role) =>
        [.. registry.Agents.Where(a => a.Hello.Role == role && a.Session is not null && a.Departure is null)];

    private ImmutableArray<AgentState> Fitting(AgentRole role)
    {
        var wanted = role == AgentRole.Client ? spec.Select : spec.BackendSelect;
        return [.. There(role).Where(a => LabelText.Match(wanted, a.Hello.Labels))];
    }

    private string Others(AgentRole role)
    {
        var others = Fitting(role).Where(a => !a.IsIdle).ToImmutableArray();
        if (!others.IsEmpty)
            return $"; {Named(others, Occupation)}";
        var there = There(role);
        return there.IsEmpty || !Fitting(role).IsEmpty ? "" : $"; there are: {Named(there, LabelsOf)}";
    }

    private static string Count(int there, int wanted, string noun, ImmutableSortedDictionary<string, string> labels) =>
        $"{there} of {wanted} {noun}s{Labels(labels)} {(there == 1 ? "is" : "are")} there and idle";

    private static string Labels(ImmutableSortedDictionary<string, string> labels) =>
        labels.IsEmpty ? "" : $" with {LabelText.Format(labels)}";

    private static string Occupation(AgentState agent)
    {
        if (agent.Run is { } run)
            return $"{agent.Id} works for run {run.RunId}";
        return agent.Status is { Held: > 0 and var held }
            ? $"{agent.Id} still holds {held:N0} connections of run {agent.Status.RunId}"
            : $"{agent.Id} does not answer";
    }

    private static string LabelsOf(AgentState agent) =>
        $"{agent.Id} ({(agent.Hello.Labels.IsEmpty ? "no label" : LabelText.Format(agent.Hello.Labels))})";

    private static string Named(ImmutableArray<AgentState> agents, Func<AgentState, string> words) =>
        string.Join(", ", agents.Take(MostNamed).Select(words)) + (agents.Length > MostNamed ? $" and {agents.Length - MostNamed} more" : "");
}

/// <summary>Agents that a run may take.</summary>
/// <param name="Clients">They open connections.</param>
/// <param name="Backends">They accept them.</param>
internal sealed record AgentsFound(ImmutableArray<AgentState> Clients, ImmutableArray<AgentState> Backends);
