using System.Collections.Immutable;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.Planning;

/// <summary>Specs, agents and sources for planner tests.</summary>
internal static class PlannerFixture
{
    public static IpAddress Address(string text) =>
        AddressText.TryParse(text, out var address) ? address : throw new ArgumentException(text, nameof(text));

    public static RunSpec Spec(long goal, string target = "10.0.0.5:443", string? ports = null) => new()
    {
        Targets = [Target(target)],
        Connections = goal,
        SourcePorts = ports is null ? null : PortText.ParseSpan(ports).Value,
    };

    public static TargetSpec Target(string text)
    {
        var parts = TargetText.Parse(text).Value;
        return new TargetSpec(text, parts.Host, [Address(parts.Host)], parts.Ports) { Weight = parts.Weight };
    }

    public static AgentResources Agent(string id, int cores = 2, string network = "ns1", int perReactor = 19_800) => new()
    {
        AgentId = id,
        Host = "host-" + network,
        NetworkNamespace = network,
        Cores = cores,
        ConnectionsPerReactor = perReactor,
    };

    public static ImmutableDictionary<string, ImmutableArray<IpRange>> Sources(params (string Network, string Range)[] ranges) =>
        ranges.GroupBy(r => r.Network).ToImmutableDictionary(
            g => g.Key, g => g.Select(r => SourceText.Parse(r.Range).Value.Range!.Value).ToImmutableArray());

    /// <summary>Every namespace connects to the same, and no other run is there.</summary>
    public static PlanSupply Supply(
        RunSpec spec, ImmutableArray<AgentResources> agents, ImmutableDictionary<string, ImmutableArray<IpRange>> sources,
        params HeldBlocks[] held)
    {
        var destinations = DestinationCounts.Destinations(spec.Targets);
        return new PlanSupply(agents, agents.Select(a => a.NetworkNamespace).Distinct().ToDictionary(
            n => n, n => new NamespaceEnds(sources.GetValueOrDefault(n, []), destinations)), [.. held]);
    }

    public static RunPlan Planned(
        RunSpec spec, ImmutableArray<AgentResources> agents, ImmutableDictionary<string, ImmutableArray<IpRange>> sources)
    {
        var result = Planner.Plan(spec, Supply(spec, agents, sources), 1);
        Assert.That(result.Problems, Is.Empty);
        return result.Plan!;
    }

    /// <summary>Every (source, port) that a plan lets somebody bind, with the owner.</summary>
    public static IEnumerable<(string Network, IpAddress Source, int Port, string Owner)> Endpoints(RunPlan plan) =>
        from agent in plan.Agents.Concat(plan.Departed.Select(d => d.Plan))
        from block in agent.Slice.Blocks
        from source in Enumerable.Range(0, (int)block.Sources.Count)
        from port in Enumerable.Range(block.FirstPort, block.PortBlocks * BlockRange.PortsPerBlock)
        where port != 0 && !agent.Slice.ExcludedPorts.Any(e => e.Contains(port))
        select (agent.NetworkNamespace, block.Sources.First.Plus(source), port, agent.AgentId);

    public static bool NobodySharesAnEndpoint(RunPlan plan)
    {
        var seen = new HashSet<(string, IpAddress, int)>();
        return Endpoints(plan).All(e => seen.Add((e.Network, e.Source, e.Port)));
    }
}
