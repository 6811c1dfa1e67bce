using System.Collections.Immutable;
using static LoadHarness.Coordinator.Planning.Capacity.CapacityLimits;

namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>How many connections the descriptors of the agents hold.</summary>
internal static class DescriptorLimit
{
    /// <summary>Descriptors of a table that are no connections: libraries, link, epoll sets.</summary>
    public const int Own = 200;

    /// <summary>The limit.</summary>
    /// <param name="goal">Connections that are wanted.</param>
    /// <param name="agents">At least one.</param>
    public static CapacityLimit Of(long goal, ImmutableArray<AgentResources> agents)
    {
        var holds = agents.Sum(AgentCapacity.ByDescriptors);
        return new(CapacityLimitKind.Descriptors, holds, goal, Arithmetic(holds, agents), [.. Remedies(Math.Max(goal, holds + 1), holds, agents)]);
    }

    private static string Arithmetic(long holds, ImmutableArray<AgentResources> agents)
    {
        var shared = agents.Where(a => !a.PrivateDescriptorTables).ToList();
        var cause = shared.Count > 0
            ? $"{Number(shared.Count, "agent")} ({Names(shared)}) cannot give each reactor a descriptor table of its own, "
                + "so RLIMIT_NOFILE binds for the whole process"
            : $"RLIMIT_NOFILE binds each of an agent's reactors, of which it starts {AgentCapacity.MostReactors} at most";
        return $"the descriptors of {Number(agents.Length, "agent")} hold {holds:N0}; {cause}";
    }

    private static IEnumerable<Remedy> Remedies(long wanted, long holds, ImmutableArray<AgentResources> agents)
    {
        yield return MoreAgents(wanted - holds, agents, AgentCapacity.ByDescriptors);
        var tables = agents.Sum(a => a.PrivateDescriptorTables ? (long)AgentCapacity.MostReactors : 1);
        var each = CeilingOf(wanted, tables) + Own;
        yield return new(RemedyKind.ProcessLimit, Math.Max(0, each - agents.Min(a => a.ConnectionsPerReactor) - Own), each,
            $"RLIMIT_NOFILE of {each:N0} where they start (ulimit -n, LimitNOFILE=; above fs.nr_open raise that first)");
        if (agents.Any(a => !a.PrivateDescriptorTables))
            yield return new(RemedyKind.Sysctl, 0, 0, "a kernel from 5.9 on that allows close_range(CLOSE_RANGE_UNSHARE)");
        yield return new(RemedyKind.Goal, 0, holds, $"a goal of {holds:N0}");
    }

    private static string Names(List<AgentResources> agents) =>
        string.Join(", ", agents.Take(4).Select(a => a.AgentId)) + (agents.Count > 4 ? ", ..." : "");
}
