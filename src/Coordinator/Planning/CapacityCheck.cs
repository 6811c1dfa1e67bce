using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
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
        var (descriptors, room) = (agents.Sum(AgentCapacity.ByDescriptors), agents.Sum(AgentCapacity.MostConnections));
        // Why there is none at all was said where sources and ports were chosen.
        if (goal > tuples && tuples > 0)
            yield return Tuples(goal, tuples, destinations, spaces);
        if (goal > descriptors)
            yield return Descriptors(goal, descriptors, agents);
        else if (goal > room)
            yield return OwnLimits(goal, room, agents);
        var both = spaces.Sum(s => Math.Min(s.Tuples, s.Space.Agents.Sum(i => AgentCapacity.MostConnections(agents[i]))));
        if (goal <= tuples && goal <= room && goal > both)
            yield return Uneven(goal, both, agents, spaces);
    }

    /// <summary>An agent whose own user lets it open more slowly than its part of the run's rate; null when there is none.</summary>
    /// <param name="rate">Connects per second of the whole run, as it was asked for.</param>
    /// <param name="allowed">The highest at which every agent stays within its limit.</param>
    /// <param name="agents">All of them.</param>
    /// <param name="shares">Their parts of the goal.</param>
    public static PlanProblem? CheckRate(double rate, double allowed, ImmutableArray<AgentResources> agents, ImmutableArray<long> shares)
    {
        if (rate <= allowed)
            return null;
        var goal = shares.Sum();
        var (agent, part) = agents.Zip(shares).Where(p => p.First.MaxConnectsPerSecond < rate * p.Second / goal)
            .MaxBy(p => rate * p.Second / goal / p.First.MaxConnectsPerSecond);
        return PlanProblem.DoesNotFit(
            $"Agent {agent.AgentId} on host {agent.Host} opens at most {RateText.Format(agent.MaxConnectsPerSecond!.Value)} "
            + $"(its --max-connect-rate), and its part of {RateText.Format(Math.Round(rate, 1))} is "
            + $"{RateText.Format(Math.Round(rate * part / goal, 1))}. "
            + $"Cheapest first: give --connect-rate {RateText.Format(Math.Floor(allowed * 10) / 10)} or a longer --ramp; use more agents; "
            + "or start that agent with a higher --max-connect-rate.");
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
            + "or agents on more hosts; or a goal that fits."
            + (spaces.All(s => s.Space.HeldBy.IsEmpty) ? "" : $" What {NamespaceSpace.Runs(spaces.SelectMany(s => s.Space.HeldBy))} "
                + "holds on these hosts is not counted: it is free when that has ended."));
    }

    private static PlanProblem OwnLimits(long goal, long room, ImmutableArray<AgentResources> agents)
    {
        var limited = agents.Where(a => a.MaxConnections < AgentCapacity.ByDescriptors(a)).ToList();
        var limits = string.Join(", ", limited.Take(4).Select(a => $"{a.AgentId} on {a.Host} {a.MaxConnections:N0}"));
        return PlanProblem.DoesNotFit(
            $"The goal of {goal:N0} connections is more than the agents may hold: {room:N0}; {goal - room:N0} are missing. "
            + $"The reason: {Number(limited.Count, "agent")} of {agents.Length:N0} may hold so many at most (their --max-connections): "
            + $"{limits}{(limited.Count > 4 ? ", ..." : "")}. "
            + "Cheapest first: use more agents; or start these with a higher --max-connections; or a goal that fits.");
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
