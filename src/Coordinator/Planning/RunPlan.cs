using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>Who does what in a run. Immutable: a change of the run makes a new plan with the next revision number.</summary>
public sealed record RunPlan
{
    /// <summary>Number of this plan within the run, from 1.</summary>
    public required long Revision { get; init; }

    /// <summary>The goal of the hold.</summary>
    public required long Goal { get; init; }

    /// <summary>Destinations of all agents together, without duplicates; for people.</summary>
    public required ImmutableArray<Destination> Destinations { get; init; }

    /// <summary>
    /// The goal of the whole run over time; the agents' schedules sum to it at every instant within one connection an agent.
    /// </summary>
    public required Schedule Schedule { get; init; }

    /// <summary>Elapsed time from which on the schedule stands at <see cref="Goal"/>.</summary>
    public required TimeSpan RampEnd { get; init; }

    /// <summary>Elapsed time at which the hold ends and the drain begins.</summary>
    public required TimeSpan HoldEnd { get; init; }

    /// <summary>True when the user gave neither ramp nor rate, so that the gentle default applies.</summary>
    public bool RateIsDefault { get; init; }

    /// <summary>One entry for each agent that takes part.</summary>
    public required ImmutableArray<AgentPlan> Agents { get; init; }

    /// <summary>Agents that took part in earlier revisions and are gone; their blocks rest before they are issued again.</summary>
    public ImmutableArray<DepartedAgent> Departed { get; init; } = [];

    /// <summary>How long a drain may take: 10 s + goal / 40,000 per s.</summary>
    public required TimeSpan DrainTimeout { get; init; }

    /// <summary>Set when the goal is less than what was asked for.</summary>
    public GoalCut? Cut { get; init; }

    /// <summary>
    /// Connects per second that the endpoint space allows connections that churn, over the goal's own rate as well; null when nothing
    /// bounds it.
    /// </summary>
    public double? ChurnCeiling { get; init; }

    /// <summary>What may not turn out as it is meant: whole sentences without a full stop.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];

    /// <summary>Tuples of all slices.</summary>
    public long Tuples => Agents.Sum(a => a.Tuples);

    /// <summary>Blocks of all slices.</summary>
    public long Blocks => Agents.Sum(a => a.Slice.BlockCount);
}

/// <summary>One agent's part of a plan.</summary>
public sealed record AgentPlan
{
    /// <summary>The agent's identity.</summary>
    public required string AgentId { get; init; }

    /// <summary>For people.</summary>
    public required string Host { get; init; }

    /// <summary>The endpoint space that its blocks are from.</summary>
    public required string NetworkNamespace { get; init; }

    /// <summary>What it connects to: the same for all agents of one namespace.</summary>
    public required ImmutableArray<Destination> Destinations { get; init; }

    /// <summary>Its part of the goal.</summary>
    public required long Share { get; init; }

    /// <summary>The goal of this agent over time.</summary>
    public required Schedule Schedule { get; init; }

    /// <summary>The blocks that it owns.</summary>
    public required Slice Slice { get; init; }

    /// <summary>
    /// 4-tuples that may be opened: usable ports of its blocks times destinations of the same family, without retiring blocks and
    /// without sources that are gone.
    /// </summary>
    public required long Tuples { get; init; }
}

/// <summary>An agent that is gone.</summary>
/// <param name="Plan">What it had.</param>
/// <param name="Since">Elapsed time of the revision that it is missing from.</param>
public sealed record DepartedAgent(AgentPlan Plan, TimeSpan Since);

/// <summary>The goal was cut to what fits.</summary>
/// <param name="Asked">Connections that were asked for.</param>
/// <param name="Why">Whole sentences with the arithmetic; at least one.</param>
public sealed record GoalCut(long Asked, ImmutableArray<string> Why);
