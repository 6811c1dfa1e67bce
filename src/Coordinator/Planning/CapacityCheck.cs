using System.Collections.Immutable;
using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>Holds the goal against what there is, and says the arithmetic in words.</summary>
internal static class CapacityCheck
{
    /// <summary>Everything that the goal exceeds, in the words that <c>plan</c> uses.</summary>
    public static IEnumerable<PlanProblem> Check(
        long goal, ImmutableArray<AgentResources> agents, ImmutableArray<(NamespaceSpace Space, long Tuples)> spaces) =>
        CapacityLimits.Exceeded(CapacityLimits.Of(goal, agents, [.. spaces.Select(s => EndpointRow.Of(s.Space, agents, s.Tuples))]))
            .Select(l => PlanProblem.DoesNotFit(l.Refusal));

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
}
