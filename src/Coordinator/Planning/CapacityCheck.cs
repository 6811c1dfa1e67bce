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

    /// <summary>Tuples that hold a goal, but not while its connections are replaced and their tuples rest.</summary>
    /// <param name="goal">Connections that are wanted.</param>
    /// <param name="fits">Connections that can be kept.</param>
    /// <param name="tuples">All that there are.</param>
    /// <param name="spec">How connections take them.</param>
    public static PlanProblem Resting(long goal, long fits, long tuples, RunSpec spec)
    {
        var demand = TupleDemand.Of(spec);
        if (demand is not { RestsAlways: true, Lifetime: { } lifetime })
            return PlanProblem.DoesNotFit($"The goal of {goal:N0} connections is more than what is left on the hosts holds: {fits:N0}.");
        var rate = RateText.Format(Math.Round(demand.ChurnRate(goal), 1));
        var needed = ChurnArithmetic.TuplesFor(goal, lifetime, demand.Rest);
        var rests = DurationText.Format(demand.Rest);
        return PlanProblem.DoesNotFit(
            $"The goal of {goal:N0} connections that {ChurnWords.Live(spec)} takes {goal:N0} tuples and {rate} x {rests} = {needed - goal:N0} more that "
            + $"rest after our FIN (TIME-WAIT), {needed:N0} in all, and there are {tuples:N0}. {Ceiling(goal, fits, tuples, spec)}. Cheapest first: --reuse immediate (connects over "
            + $"TIME-WAIT, which an explicit port with TCP timestamps may); {string.Concat(ChurnWords.Remedies(spec).Select(r => $"or {r}; "))}or "
            + $"{(needed + tuples - 1) / Math.Max(1, tuples):N0} times the target ports or source addresses{(fits > 0 && !IsOpen(spec) ? $"; or a goal of {fits:N0}" : "")}.");
    }

    // An open model ends as many connections as it has requests for, however many there are.
    private static bool IsOpen(RunSpec spec) => spec.Workload.Any(w => w.Workload.Requests is { PerConnection: > 0, Load: LoadSpec.Open });

    private static string Ceiling(long goal, long fits, long tuples, RunSpec spec)
    {
        var rests = DurationText.Format(spec.Rest);
        if (IsOpen(spec))
            return $"Beside {goal:N0} connections {Math.Max(0, tuples - goal):N0} tuples are left, and these sustain {RateText.Format(Math.Floor(10 * Math.Max(0, tuples - goal) / spec.Rest.TotalSeconds) / 10)}";
        var lifetime = spec.Churn!.Lifetime;
        return $"The ceiling is {tuples:N0} / ({DurationText.Format(lifetime)} + {rests}) = "
            + $"{RateText.Format(Math.Round(ChurnArithmetic.Ceiling(tuples, lifetime, spec.Rest), 1))}, "
            + (fits > 0 ? $"with {fits:N0} connections" : "which keeps up not even one connection");
    }

    /// <summary>Connections that end faster than a run may open others.</summary>
    public static PlanProblem? CheckChurn(RunSpec spec, long goal, Opening opening)
    {
        var needed = TupleDemand.Of(spec).ChurnRate(goal);
        // A rate that was rounded is no reason to refuse a run.
        if (opening.ConnectsPerSecond >= needed * 0.999)
            return null;
        var most = (long)(opening.ConnectsPerSecond * spec.Churn!.Lifetime.TotalSeconds);
        var remedies = ChurnWords.Remedies(spec).Where(r => r != "--close rst");
        return PlanProblem.Invalid(
            $"{goal:N0} connections that {ChurnWords.Live(spec)} are kept up by "
            + $"{RateText.Format(Math.Round(needed, 1))}, and the run opens {RateText.Format(Math.Round(opening.ConnectsPerSecond, 1))} at most"
            + $"{(opening.IsDefault ? " (the gentle default: neither --ramp nor --connect-rate was given)" : "")}: "
            + (IsOpen(spec) ? "the others would be missing, and their requests would wait. " : $"{most:N0} would be open. ")
            + $"Give --connect-rate {RateText.Format(Math.Ceiling(needed))}, {string.Join(", ", remedies)}{(IsOpen(spec) ? "" : $", or -c {most:N0}")}.");
    }

    /// <summary>A ramp that goes through the tuples faster than those that rest come back.</summary>
    public static PlanProblem? CheckRamp(RunSpec spec, long goal, double most)
    {
        var wanted = SchedulePlanner.Wanted(spec, goal);
        return spec.Ramp is not { } ramp || wanted <= most * 1.001
            ? null
            : PlanProblem.DoesNotFit(
                $"--ramp {DurationText.Format(ramp)} opens and replaces {RateText.Format(Math.Round(wanted, 1))}, and with tuples that rest "
                + $"{DurationText.Format(spec.Rest)} there are enough for {RateText.Format(Math.Round(most, 1))}. "
                + "Give a longer --ramp, --reuse immediate, more target ports or more source addresses.");
    }

    /// <summary>Agents of one host whose descriptors and blocks do not match up.</summary>
    public static PlanProblem BlocksTooCoarse(string host) => PlanProblem.DoesNotFit(
        $"The endpoint space of host {host} is nearly full and cannot be cut into blocks of {BlockRange.PortsPerBlock} ports "
        + "that suit its agents. "
        + "Give one more source address or one more target port, or use fewer agents there.");
}
