using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>What bounds the connections of a run: of the agents and the endpoint space, exactly; of their hosts, estimated.</summary>
internal static class CapacityLimits
{
    /// <summary>The limits that a run is refused for, the lowest first.</summary>
    /// <param name="goal">Connections that are wanted.</param>
    /// <param name="agents">All of them.</param>
    /// <param name="rows">The endpoint spaces that they share.</param>
    public static ImmutableArray<CapacityLimit> Of(long goal, ImmutableArray<AgentResources> agents, ImmutableArray<EndpointRow> rows)
    {
        var limits = new List<CapacityLimit> { TupleLimit.Of(goal, rows), DescriptorLimit.Of(goal, agents) };
        if (agents.Any(a => a.MaxConnections is not null))
            limits.Add(OwnLimits(goal, agents));
        var both = rows.Sum(r => Math.Min(r.Free, RoomOf(r, agents)));
        if (both < limits.Min(l => l.Holds))
            limits.Add(Hosts(goal, both, agents, rows));
        return [.. limits.OrderBy(l => l.Holds)];
    }

    /// <summary>Why a goal is refused: the causes, without what only follows from them.</summary>
    public static IEnumerable<CapacityLimit> Exceeded(ImmutableArray<CapacityLimit> limits)
    {
        var exceeded = limits.Where(l => l is { IsExceeded: true, Binds: true }).ToList();
        return exceeded.Where(l => l.Kind switch
        {
            CapacityLimitKind.Hosts => exceeded.Count == 1,
            CapacityLimitKind.AgentLimits => exceeded.TrueForAll(o => o.Kind != CapacityLimitKind.Descriptors),
            // Why there is no tuple at all was said where sources and ports were chosen.
            CapacityLimitKind.Tuples => l.Holds > 0,
            _ => true,
        });
    }

    /// <summary>A number with its noun.</summary>
    internal static string Number(long count, string noun, string plural = "s") => $"{count:N0} {noun}{(count == 1 ? "" : plural)}";

    /// <summary>Rounded up.</summary>
    internal static long CeilingOf(long amount, long each) => (amount + each - 1) / Math.Max(1, each);

    private static long RoomOf(EndpointRow row, ImmutableArray<AgentResources> agents) =>
        row.Agents.Sum(i => AgentCapacity.MostConnections(agents[i]));

    private static CapacityLimit OwnLimits(long goal, ImmutableArray<AgentResources> agents)
    {
        var room = agents.Sum(AgentCapacity.MostConnections);
        var limited = agents.Where(a => a.MaxConnections < AgentCapacity.ByDescriptors(a)).ToList();
        var named = string.Join(", ", limited.Take(4).Select(a => $"{a.AgentId} on {a.Host} {a.MaxConnections:N0}"));
        var missing = Math.Max(goal, room + 1) - room;
        return new(CapacityLimitKind.AgentLimits, room, goal,
            $"{Number(limited.Count, "agent")} of {agents.Length:N0} may hold so many at most (their --max-connections): "
                + $"{named}{(limited.Count > 4 ? ", ..." : "")}, and so all together {room:N0}",
            [
                new(RemedyKind.AgentOption, missing, room + missing, $"start them with --max-connections that are {missing:N0} higher together"),
                MoreAgents(missing, agents, AgentCapacity.MostConnections),
                new(RemedyKind.Goal, 0, room, $"a goal of {room:N0}"),
            ]);
    }

    internal static Remedy MoreAgents(long missing, ImmutableArray<AgentResources> agents, Func<AgentResources, long> holds)
    {
        var more = CeilingOf(missing, agents.Min(holds));
        return new(RemedyKind.Agents, more, agents.Length + more, $"{Number(more, "more agent")} ({agents.Length + more:N0} in all, --agents)");
    }

    private static CapacityLimit Hosts(long goal, long both, ImmutableArray<AgentResources> agents, ImmutableArray<EndpointRow> rows)
    {
        var parts = rows.Select(r => $"host {r.Host} {r.Free:N0} tuples and {RoomOf(r, agents):N0} by its agents' limits");
        var missing = Math.Max(goal, both + 1) - both;
        return new(CapacityLimitKind.Hosts, both, goal,
            $"{string.Join("; ", parts.Take(8))}{(rows.Length > 8 ? "; ..." : "")}; what fits on both counts is {both:N0}",
            [
                new(RemedyKind.Sources, missing, both + missing, $"source addresses for {missing:N0} tuples where tuples are short"),
                new(RemedyKind.Agents, missing, both + missing, "agents where descriptors are short"),
                new(RemedyKind.Goal, 0, both, $"a goal of {both:N0}"),
            ]);
    }
}
