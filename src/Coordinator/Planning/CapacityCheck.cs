using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>Holds the goal against what there is, and says the arithmetic in words.</summary>
internal static class CapacityCheck
{
    /// <summary>Everything that the goal exceeds.</summary>
    public static IEnumerable<PlanProblem> Check(
        long goal, ImmutableArray<Destination> destinations, ImmutableArray<AgentResources> agents,
        ImmutableArray<(NamespaceSpace Space, long Tuples)> spaces)
    {
        var tuples = spaces.Sum(s => s.Tuples);
        var descriptors = agents.Sum(AgentCapacity.MostConnections);
        // Why there is none at all was said where sources and ports were chosen.
        if (goal > tuples && tuples > 0)
            yield return Tuples(goal, tuples, destinations, spaces);
        if (goal > descriptors)
            yield return Descriptors(goal, descriptors, agents);
        var both = spaces.Sum(s => Math.Min(s.Tuples, s.Space.Agents.Sum(i => AgentCapacity.MostConnections(agents[i]))));
        if (goal <= tuples && goal <= descriptors && goal > both)
            yield return Uneven(goal, both, agents, spaces);
    }

    /// <summary>Agents of one host whose descriptors and blocks do not match up.</summary>
    public static PlanProblem BlocksTooCoarse(string host) => PlanProblem.DoesNotFit(
        $"The endpoint space of host {host} is nearly full and cannot be cut into blocks of {BlockRange.PortsPerBlock} ports "
        + "that suit its agents. "
        + "Give one more source address or one more target port, or use fewer agents there.");

    private static PlanProblem Tuples(
        long goal, long tuples, ImmutableArray<Destination> destinations, ImmutableArray<(NamespaceSpace Space, long Tuples)> spaces)
    {
        var targets = destinations.Sum(d => d.Count);
        var perDestination = Math.Max(1, tuples / targets);
        var sources = spaces.Sum(s => s.Space.Pool.Sources);
        var perSource = Math.Max(1, tuples / Math.Max(1, sources));
        var addresses = Number(sources, "source address", "es");
        var arithmetic = spaces is [var only] && DestinationCounts.Of(destinations) is { V4: 0 } or { V6: 0 }
            ? $"{addresses} x {only.Space.Ports.Count:N0} source ports x {Number(targets, "destination")}"
            : $"{addresses} on {Number(spaces.Length, "host")} with their free ports, to {Number(targets, "destination")}";
        return PlanProblem.DoesNotFit(
            $"The goal of {goal:N0} connections is more than the endpoint space holds: "
            + $"{arithmetic} = {tuples:N0}; {goal - tuples:N0} are missing. "
            + $"Cheapest first: use {Needed(goal, perDestination)} target ports instead of {targets:N0}; "
            + $"or {Needed(goal, perSource)} source addresses instead of {sources:N0} (--sources); "
            + "or agents on more hosts; or a goal that fits.");
    }

    private static PlanProblem Descriptors(long goal, long descriptors, ImmutableArray<AgentResources> agents)
    {
        var shared = agents.Where(a => !a.PrivateDescriptorTables).ToList();
        var average = Math.Max(1, descriptors / agents.Length);
        var cause = shared.Count > 0
            ? $"{Number(shared.Count, "agent")} ({Names(shared)}) cannot give each reactor a descriptor table of its own, "
                + "so ulimit -n binds for the whole process"
            : $"an agent starts at most {AgentCapacity.MostReactors} reactors";
        return PlanProblem.DoesNotFit(
            $"The goal of {goal:N0} connections is more than the descriptors of {Number(agents.Length, "agent")} hold: {descriptors:N0}; "
            + $"{goal - descriptors:N0} are missing. The reason: {cause}. "
            + $"Cheapest first: start {Needed(goal, average)} agents (--agents); or raise ulimit -n (LimitNOFILE=) where they start"
            + (shared.Count > 0 ? "; or use a kernel from 5.9 on that allows close_range(CLOSE_RANGE_UNSHARE)." : "."));
    }

    private static PlanProblem Uneven(
        long goal, long both, ImmutableArray<AgentResources> agents, ImmutableArray<(NamespaceSpace Space, long Tuples)> spaces)
    {
        var parts = spaces.Select(s =>
        {
            var descriptors = s.Space.Agents.Sum(i => AgentCapacity.MostConnections(agents[i]));
            return $"host {agents[s.Space.Agents[0]].Host} {s.Tuples:N0} tuples and {descriptors:N0} descriptors";
        });
        return PlanProblem.DoesNotFit(
            $"The goal of {goal:N0} connections is more than the hosts hold together, {both:N0}: {string.Join("; ", parts.Take(8))}. "
            + "Cheapest first: add source addresses where tuples are short, agents where descriptors are short; or a goal that fits.");
    }

    private static string Needed(long goal, long each) => ((goal + each - 1) / each).ToString("N0");

    private static string Names(List<AgentResources> agents) =>
        string.Join(", ", agents.Take(4).Select(a => a.AgentId)) + (agents.Count > 4 ? ", ..." : "");

    private static string Number(long count, string noun, string plural = "s") => $"{count:N0} {noun}{(count == 1 ? "" : plural)}";
}
