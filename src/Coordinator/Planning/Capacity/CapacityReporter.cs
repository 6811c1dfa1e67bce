using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>Computes the arithmetic of a run. Pure: it plans the run as it would be planned, and issues nothing.</summary>
public static class CapacityReporter
{
    /// <summary>The report.</summary>
    /// <param name="spec">Validated.</param>
    /// <param name="supply">At least one agent.</param>
    /// <param name="facts">What is known of the hosts, by name.</param>
    public static CapacityReport Of(RunSpec spec, PlanSupply supply, IReadOnlyDictionary<string, HostFacts> facts)
    {
        // Whether it fits is the question here: what --force would start is another plan.
        var planned = Planner.Plan(spec with { Force = false }, supply, 1);
        var spaces = NamespaceSpace.Group(spec, supply, []);
        var rows = spaces.Select(s => EndpointRow.Of(s, supply.Agents, s.Pool.FreeTuples)).ToImmutableArray();
        var agents = Shares(spec.Connections, planned.Plan, supply.Agents);
        var hosts = Hosts(spec, agents, rows, facts);
        var opening = planned.Plan is { } plan
            ? new Opening(plan.RampEnd, plan.Schedule.ConnectsPerSecond, plan.RateIsDefault)
            : SchedulePlanner.Open(spec, [.. agents.Select(a => a.Share)], double.PositiveInfinity);
        var limits = CapacityLimits.Of(spec.Connections, supply.Agents, rows);
        var refusals = limits.Select(l => l.Refusal).ToHashSet(StringComparer.Ordinal);
        return new()
        {
            Spec = spec,
            Limits = [.. limits.Concat(HostLimits.Of(spec.Connections, hosts)).OrderBy(l => l.Holds)],
            Problems = [.. planned.Problems.Where(p => !refusals.Contains(p.Message))],
            Spaces = rows,
            Agents = agents,
            Hosts = hosts,
            Weights = WeightedShare.Of(
                DestinationCounts.Union(spaces.Select(s => s.Destinations)), spec.Connections,
                [.. spaces.Select((s, i) => (s.Destinations, (rows[i].SourcesV4 * rows[i].Ports, rows[i].SourcesV6 * rows[i].Ports)))]),
            Opening = opening,
            Warnings = [.. LoadForecast.Warnings(spec, supply.Agents, rows.Sum(r => r.Free), opening)],
            Churn = new(rows.Sum(r => r.Free), spec.Connections, spec.Churn, spec.Rest, hosts.Min(h => h.Facts.MaxTimeWaitBuckets)),
            KernelChosen = new(supply.Agents.MinBy(a => a.EphemeralPorts.Count)!.EphemeralPorts,
                rows.Sum(r => (r.SourcesV4 * r.Destinations.V4) + (r.SourcesV6 * r.Destinations.V6))),
            Haproxy = new(spec.Connections),
        };
    }

    private static ImmutableArray<AgentNeed> Shares(long goal, RunPlan? plan, ImmutableArray<AgentResources> agents)
    {
        var planned = plan?.Agents.ToDictionary(a => a.AgentId, a => a.Share, StringComparer.Ordinal);
        var even = Apportionment.Split(goal, [.. agents.Select(a => (long)Math.Max(1, a.Cores))], [.. agents.Select(_ => goal)]);
        return
        [
            .. agents.Select((a, i) =>
            {
                var share = planned?.GetValueOrDefault(a.AgentId) ?? even[i];
                return new AgentNeed(a, share, AgentCapacity.Reactors(a, share));
            }),
        ];
    }

    private static ImmutableArray<HostLoad> Hosts(
        RunSpec spec, ImmutableArray<AgentNeed> agents, ImmutableArray<EndpointRow> rows, IReadOnlyDictionary<string, HostFacts> facts)
    {
        var local = rows.Where(r => r.TargetIsLocal).Select(r => r.NetworkNamespace).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. agents.GroupBy(a => a.Agent.Host, StringComparer.Ordinal).Select(g => new HostLoad(
                g.Key, g.Count(), g.Sum(a => a.Share), g.Any(a => local.Contains(a.Agent.NetworkNamespace)),
                facts.GetValueOrDefault(g.Key, HostFacts.Unknown))
            {
                KeepsTls = spec.Transport.Tls is { ReleasesIdle: false },
            }),
        ];
    }
}
