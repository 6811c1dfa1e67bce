using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>What the weight of a destination comes to at the goal.</summary>
/// <param name="Text">Address and ports.</param>
/// <param name="Weight">Of each of its address and port pairs.</param>
/// <param name="Asked">Connections in proportion to the weights alone.</param>
/// <param name="Expected">
/// Connections that its tuples allow: a destination that is full gets no more, and the others take what is left.
/// </param>
public sealed record WeightedShare(string Text, int Weight, long Asked, long Expected)
{
    /// <summary>Of a plan; empty when all weights are the same.</summary>
    public static ImmutableArray<WeightedShare> Of(RunPlan plan) => Of(
        plan.Destinations, plan.Goal,
        [.. plan.Agents.GroupBy(a => a.NetworkNamespace).Select(g => (g.First().Destinations, Endpoints(g)))]);

    /// <summary>Of a goal over namespaces; empty when all weights are the same, or the tuples do not hold the goal.</summary>
    /// <param name="destinations">All of them.</param>
    /// <param name="goal">Connections.</param>
    /// <param name="spaces">What each namespace connects to, and its pairs of a source and a port by family.</param>
    internal static ImmutableArray<WeightedShare> Of(
        ImmutableArray<Destination> destinations, long goal,
        IReadOnlyCollection<(ImmutableArray<Destination> Destinations, (long V4, long V6) Endpoints)> spaces)
    {
        if (destinations.Select(d => d.Weight).Distinct().Count() < 2)
            return [];
        long[] weights = [.. destinations.Select(d => d.Weight * d.Count)];
        var reached = spaces.Select(s => (Destinations: s.Destinations.ToHashSet(), s.Endpoints)).ToArray();
        long[] room = [.. destinations.Select(d => d.Count * reached.Where(s => s.Destinations.Contains(d))
            .Sum(s => d.Addresses.First.IsV6 ? s.Endpoints.V6 : s.Endpoints.V4))];
        if (room.Sum() < goal)
            return [];
        var (asked, expected) = (Apportionment.Split(goal, weights), Apportionment.Split(goal, weights, room));
        return [.. destinations.Select((d, i) => new WeightedShare(TextOf(d), d.Weight, asked[i], expected[i]))];
    }

    private static (long V4, long V6) Endpoints(IEnumerable<AgentPlan> agents)
    {
        var (v4, v6) = (0L, 0L);
        foreach (var agent in agents)
        {
            foreach (var block in agent.Slice.Blocks.Where(b => !b.Retiring))
            {
                var endpoints = block.Sources.Count * UsablePorts(block, agent.Slice.ExcludedPorts);
                (v4, v6) = block.Sources.First.IsV6 ? (v4, v6 + endpoints) : (v4 + endpoints, v6);
            }
        }

        return (v4, v6);
    }

    private static long UsablePorts(BlockRange block, ImmutableArray<PortSpan> excluded)
    {
        var (first, count) = (block.FirstPort, block.PortBlocks * BlockRange.PortsPerBlock);
        return count - excluded.Sum(e => Math.Max(0, Math.Min(e.Last, first + count - 1) - Math.Max(e.First, first) + 1));
    }

    private static string TextOf(Destination destination)
    {
        var address = destination.Addresses.First;
        return $"{(address.IsV6 ? $"[{address}]" : $"{address}")}:{destination.Ports}";
    }
}
