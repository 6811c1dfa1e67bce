using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>The agents that share one network namespace, and the endpoint space that they share.</summary>
internal sealed record NamespaceSpace(
    string Name, ImmutableArray<int> Agents, ImmutableArray<IpRange> Sources, PortMap Ports, BlockPool Pool)
{
    /// <summary>Groups agents by namespace, in the order in which their first agents stand.</summary>
    /// <param name="spec">What is asked for.</param>
    /// <param name="destinations">Of all agents.</param>
    /// <param name="agents">Indices in this array are what <see cref="Agents"/> holds.</param>
    /// <param name="sourcesByNamespace">Resolved sources.</param>
    /// <param name="problems">Takes what is wrong.</param>
    public static ImmutableArray<NamespaceSpace> Group(
        RunSpec spec, ImmutableArray<Destination> destinations, ImmutableArray<AgentResources> agents,
        IReadOnlyDictionary<string, ImmutableArray<IpRange>> sourcesByNamespace, List<PlanProblem> problems)
    {
        var counts = DestinationCounts.Of(destinations);
        var spaces = ImmutableArray.CreateBuilder<NamespaceSpace>();
        foreach (var group in Enumerable.Range(0, agents.Length).GroupBy(i => agents[i].NetworkNamespace))
        {
            var members = group.Select(i => agents[i]).ToList();
            ImmutableArray<IpRange> sources = sourcesByNamespace.TryGetValue(group.Key, out var given) ? given : [];
            if (SourcePortPolicy.WhyRefused(spec.SourcePorts, members) is { } problem)
                problems.Add(problem);
            if (sources.All(s => counts.Of(s.First.IsV6) == 0))
                problems.Add(NoSource(members, destinations));
            var ports = SourcePortPolicy.Choose(spec.SourcePorts, destinations, members, sources);
            if (ports.Count == 0)
                problems.Add(NoPort(spec, members, destinations));
            spaces.Add(new NamespaceSpace(group.Key, [.. group], sources, ports, new BlockPool(sources, ports, counts)));
        }

        return spaces.ToImmutable();
    }

    private static PlanProblem NoPort(RunSpec spec, List<AgentResources> members, ImmutableArray<Destination> destinations) => PlanProblem.DoesNotFit(
        $"--source-ports {spec.SourcePorts}: not one of them may be bound on host {members[0].Host}. Left out are reserved ports, ports that "
        + $"something listens on, and the target's own ports when it is on this host ({destinations[0].Addresses.First}:{destinations[0].Ports}: "
        + "a connection from there to there loads nothing). Give other --source-ports, or leave --source-ports out.");

    private static PlanProblem NoSource(List<AgentResources> members, ImmutableArray<Destination> destinations) => PlanProblem.DoesNotFit(
        $"Host {members[0].Host} has no source address from which {destinations[0].Addresses.First} can be reached. "
        + "Name addresses of that host with --sources (see 'ip address' there), or leave its agents out.");
}
