using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>The agents that share one network namespace, and the endpoint space that they share.</summary>
/// <param name="Name">Identifies it.</param>
/// <param name="Agents">Indices into the supply's agents.</param>
/// <param name="Destinations">What they connect to.</param>
/// <param name="Ports">Source ports that may be bound.</param>
/// <param name="Pool">Without what other runs hold.</param>
/// <param name="HeldBy">The runs that hold blocks of it.</param>
internal sealed record NamespaceSpace(
    string Name, ImmutableArray<int> Agents, ImmutableArray<Destination> Destinations, PortMap Ports, BlockPool Pool,
    ImmutableArray<string> HeldBy)
{
    /// <summary>Groups agents by namespace, in the order in which their first agents stand.</summary>
    /// <param name="spec">What is asked for.</param>
    /// <param name="supply">What there is.</param>
    /// <param name="problems">Takes what is wrong.</param>
    public static ImmutableArray<NamespaceSpace> Group(RunSpec spec, PlanSupply supply, List<PlanProblem> problems) =>
    [
        .. Enumerable.Range(0, supply.Agents.Length).GroupBy(i => supply.Agents[i].NetworkNamespace)
            .Select(g => Of(g.Key, [.. g], spec, supply, problems)),
    ];

    private static NamespaceSpace Of(
        string name, ImmutableArray<int> indices, RunSpec spec, PlanSupply supply, List<PlanProblem> problems)
    {
        var (sources, destinations) = supply.EndsOf(name);
        var members = indices.Select(i => supply.Agents[i]).ToList();
        var counts = DestinationCounts.Of(destinations);
        if (SourcePortPolicy.WhyRefused(spec.SourcePorts, members) is { } problem)
            problems.Add(problem);
        if (sources.All(s => counts.Of(s.First.IsV6) == 0))
            problems.Add(NoSource(members, destinations));
        var ports = SourcePortPolicy.Choose(spec.SourcePorts, destinations, members, sources);
        if (ports.Count == 0)
            problems.Add(NoPort(spec, members, destinations));
        var pool = new BlockPool(sources, ports, counts);
        var held = supply.Held.Where(h => h.NetworkNamespace == name).ToList();
        var before = pool.FreeBlocks;
        pool.Issue(held.SelectMany(h => h.Blocks));
        if (pool.FreeBlocks == 0 && before > 0)
            problems.Add(AllHeld(members, held));
        return new NamespaceSpace(name, indices, destinations, ports, pool, [.. held.Select(h => h.RunId)]);
    }

    private static PlanProblem NoPort(RunSpec spec, List<AgentResources> members, ImmutableArray<Destination> destinations) =>
        PlanProblem.DoesNotFit(
            $"--source-ports {spec.SourcePorts}: not one of them may be bound on host {members[0].Host}. Left out are reserved ports, "
            + "ports that something listens on, and the target's own ports when it is on this host "
            + $"({destinations[0].Addresses.First}:{destinations[0].Ports}: a connection from there to there loads nothing). "
            + "Give other --source-ports, or leave --source-ports out.");

    private static PlanProblem NoSource(List<AgentResources> members, ImmutableArray<Destination> destinations)
    {
        var target = destinations.IsEmpty ? "the target" : destinations[0].Addresses.First.ToString();
        return PlanProblem.DoesNotFit(
            $"Host {members[0].Host} has no source address from which {target} can be reached. "
            + "Name addresses of that host with --sources (see 'ip address' there), or leave its agents out.");
    }

    private static PlanProblem AllHeld(List<AgentResources> members, List<HeldBlocks> held) => PlanProblem.DoesNotFit(
        $"Every block of source ports on host {members[0].Host} is held by {Runs(held.Select(h => h.RunId))}, which is going on there. "
        + "Wait for its end, give other addresses with --sources, or leave that host's agents out (--select).");

    /// <summary>Names runs.</summary>
    internal static string Runs(IEnumerable<string> ids) => "run " + string.Join(" and run ", ids.Distinct());
}
