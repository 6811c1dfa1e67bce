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
    /// <summary>
    /// Most tuples of one namespace: 40 times the largest goal, enough for its resting tuples at 70 million connections a second. What is
    /// more was not meant, and would only be counted.
    /// </summary>
    private const long MostTuples = 1L << 32;

    /// <summary>Groups agents by namespace, in the order in which their first agents stand.</summary>
    /// <param name="spec">What is asked for.</param>
    /// <param name="supply">What there is.</param>
    /// <param name="problems">Takes what is wrong.</param>
    public static ImmutableArray<NamespaceSpace> Group(RunSpec spec, PlanSupply supply, List<PlanProblem> problems)
    {
        ImmutableArray<NamespaceSpace> spaces =
        [
            .. Enumerable.Range(0, supply.Agents.Length).GroupBy(i => supply.Agents[i].NetworkNamespace)
                .Select(g => Of(g.Key, [.. g], spec, supply, problems)),
        ];
        var all = spaces.SelectMany(s => s.Destinations).Select(d => d.Addresses.First.IsV6).ToHashSet();
        problems.AddRange(spec.Sources.Where(s => s.Range is { } range && all.Count > 0 && !all.Contains(range.First.IsV6)).Select(s =>
            PlanProblem.Invalid($"--sources {s.Text} is {Family(s.Range!.Value.First.IsV6)}, and no target is. Leave it out.")));
        return spaces;
    }

    /// <summary>
    /// Tuples that some connections and those that rest after them take with the heaviest destination in its proportion: it takes a port
    /// for each of its own, and with the port comes a tuple of every other destination.
    /// </summary>
    public long ForWeights(long tuples)
    {
        var (count, heaviest) = (Destinations.Sum(d => d.Count), Destinations.Max(d => d.Weight));
        var all = Destinations.Sum(d => d.Weight * d.Count);
        return heaviest * count <= all ? tuples : (long)Math.Ceiling((double)tuples * heaviest * count / all);
    }

    private static NamespaceSpace Of(
        string name, ImmutableArray<int> indices, RunSpec spec, PlanSupply supply, List<PlanProblem> problems)
    {
        var (sources, destinations) = supply.EndsOf(name);
        var members = indices.Select(i => supply.Agents[i]).ToList();
        var counts = DestinationCounts.Of(destinations);
        var refused = spec.Force ? [] : SourcePortPolicy.WhyRefused(spec.SourcePorts, destinations, members, sources).ToList();
        problems.AddRange(refused);
        // What is gone for a while is no reason to end a run.
        var ports = SourcePortPolicy.Choose(spec.SourcePorts, destinations, members, sources);
        sources = AddressRanges.Without(sources, supply.GoneFrom(name));
        if (supply.GoneFrom(name).IsEmpty)
            problems.AddRange(Unreached(members, sources, destinations));
        if (ports.Count == 0 && refused.Count == 0)
            problems.Add(NoPort(spec, members, destinations));
        if (TooMany(members, sources, ports, counts) is { } tooMany)
            problems.Add(tooMany);
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

    private static IEnumerable<PlanProblem> Unreached(
        List<AgentResources> members, ImmutableArray<IpRange> sources, ImmutableArray<Destination> destinations)
    {
        if (destinations.IsEmpty)
            yield return NoSource(members, "the target");
        foreach (var family in destinations.GroupBy(d => d.Addresses.First.IsV6).Where(g => sources.All(s => s.First.IsV6 != g.Key)))
            yield return NoSource(members, family.First().Addresses.First.ToString());
    }

    private static PlanProblem NoSource(List<AgentResources> members, string target) => PlanProblem.DoesNotFit(
        $"Host {members[0].Host} has no source address from which {target} can be reached. "
        + "Name addresses of that host with --sources (see 'ip address' there), or leave its agents out.");

    private static PlanProblem? TooMany(
        List<AgentResources> members, ImmutableArray<IpRange> sources, PortMap ports, DestinationCounts destinations)
    {
        var ranges = AddressRanges.Merge(sources);
        var tuples = ranges.Aggregate(Int128.Zero, (sum, r) => sum + ((Int128)r.Count * ports.Count * destinations.Of(r.First.IsV6)));
        return tuples <= MostTuples
            ? null
            : PlanProblem.Invalid(
                $"{ranges.Sum(r => r.Count):N0} source addresses x {ports.Count:N0} source ports x {destinations.V4 + destinations.V6:N0} destinations "
                + $"on host {members[0].Host} are {tuples:N0} tuples, and a run can use {MostTuples:N0} of one host at most. "
                + "Name fewer sources (--sources) or fewer target ports.");
    }

    private static string Family(bool isV6) => isV6 ? "IPv6" : "IPv4";

    private static PlanProblem AllHeld(List<AgentResources> members, List<HeldBlocks> held) => PlanProblem.DoesNotFit(
        $"Every block of source ports on host {members[0].Host} is held by {Runs(held.Select(h => h.RunId))}, which is going on there. "
        + "Wait for its end, give other addresses with --sources, or leave that host's agents out (--select).");

    /// <summary>Names runs.</summary>
    internal static string Runs(IEnumerable<string> ids) => "run " + string.Join(" and run ", ids.Distinct());
}
