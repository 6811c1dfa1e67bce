using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>A change of a live run.</summary>
/// <param name="Elapsed">Now.</param>
/// <param name="Goal">The new goal; zero is a goal too.</param>
/// <param name="Over">How long the change takes; null: as the run's connect rate allows.</param>
public readonly record struct ScaleOrder(TimeSpan Elapsed, long Goal, TimeSpan? Over);

/// <summary>Makes run plans. Pure: the same arguments give the same plan.</summary>
public static class Planner
{
    /// <summary>Plans a run.</summary>
    /// <param name="spec">Validated.</param>
    /// <param name="supply">Agents, both ends of what they connect, and what other runs hold.</param>
    /// <param name="revision">Number of the plan.</param>
    public static PlanResult Plan(RunSpec spec, PlanSupply supply, long revision)
    {
        if (supply.Agents.IsEmpty)
            return NoAgents();
        var draft = new PlanDraft(spec, supply);
        draft.CheckCapacity(spec.Connections);
        if (draft.Problems.Count > 0)
            return new PlanResult(null, [.. draft.Problems]);

        var shares = draft.Spread(spec.Connections);
        if (draft.CheckRate(SchedulePlanner.Wanted(spec), shares) is { } tooFast)
            return tooFast;
        var opening = SchedulePlanner.Open(spec, shares, draft.AllowedRate(shares));
        var end = opening.Duration + spec.Hold;
        if (end > spec.MaxDuration)
            return TooLong(spec, opening);
        var whole = SchedulePlanner.Line(TimeSpan.Zero, 0, opening.Duration, spec.Connections, end, opening.ConnectsPerSecond);
        return draft.Finish(shares, whole, [.. shares.Select(_ => 0L)], new RunPlan
        {
            Revision = revision,
            Goal = spec.Connections,
            Destinations = draft.Destinations,
            Schedule = whole,
            RampEnd = opening.Duration,
            HoldEnd = end,
            RateIsDefault = opening.IsDefault,
            Agents = [],
            DrainTimeout = DrainTimeout(spec.Connections),
        });
    }

    /// <summary>
    /// Replaces the schedule from now on; the end stays. Blocks are added where needed and never taken away. Agents that are not in
    /// the present plan join: they take what is missing. Agents of the present plan that are not in <paramref name="supply"/> are
    /// gone, and their blocks rest. With the present goal this moves the share of lost agents to the others.
    /// </summary>
    /// <param name="spec">As it was planned.</param>
    /// <param name="current">The present plan.</param>
    /// <param name="order">What changes.</param>
    /// <param name="supply">As for <see cref="Plan"/>, from now on.</param>
    public static PlanResult Scale(RunSpec spec, RunPlan current, ScaleOrder order, PlanSupply supply)
    {
        if (supply.Agents.IsEmpty)
            return NoAgents();
        if (WhyWrong(current, order) is { } wrong)
            return wrong;
        var draft = new PlanDraft(spec, supply);
        draft.Continue(current, order.Elapsed);
        draft.CheckCapacity(order.Goal);
        if (draft.Problems.Count > 0)
            return new PlanResult(null, [.. draft.Problems]);

        var shares = draft.Move(order.Goal);
        var from = draft.GoalsAt(order.Elapsed);
        var change = Math.Abs(order.Goal - from.Sum());
        var over = order.Over ?? SchedulePlanner.DurationOf(change, current.Schedule.ConnectsPerSecond);
        var reached = order.Elapsed + over;
        if (reached > current.HoldEnd)
            return TooLate(current, order, change, over);
        if (over > TimeSpan.Zero && order.Goal > from.Sum() && draft.CheckRate(change / over.TotalSeconds, shares) is { } tooFast)
            return tooFast;
        var rate = order.Over is { Ticks: > 0 }
            ? Math.Max(current.Schedule.ConnectsPerSecond, SchedulePlanner.RateOf(change, over))
            : current.Schedule.ConnectsPerSecond;
        var whole = SchedulePlanner.Line(order.Elapsed, from.Sum(), reached, order.Goal, current.HoldEnd, rate);
        return draft.Finish(shares, whole, from, current with
        {
            Revision = current.Revision + 1,
            Goal = order.Goal,
            Schedule = whole,
            RampEnd = reached,
            Agents = [],
            Departed = draft.Departed,
            DrainTimeout = DrainTimeout(Math.Max(order.Goal, from.Sum())),
        });
    }

    private static TimeSpan DrainTimeout(long goal) => TimeSpan.FromSeconds(10 + (goal / 40_000.0));

    private static PlanProblem? WhyWrong(RunPlan current, ScaleOrder order)
    {
        if (order.Goal is < 0 or > RunSpecValidator.MostConnections)
        {
            return PlanProblem.Invalid(
                $"A goal of {order.Goal:N0} connections is out of range. Give 0 to {RunSpecValidator.MostConnections:N0}.");
        }

        if (order.Over < TimeSpan.Zero)
            return PlanProblem.Invalid($"--over {DurationText.Format(order.Over.Value)} is negative. Write --over 60s.");
        return order.Elapsed >= current.HoldEnd
            ? PlanProblem.Invalid(
                $"The run's hold ended at {DurationText.Format(current.HoldEnd)}; what is left is the drain. Start another run.")
            : null;
    }

    private static PlanProblem NoAgents() => PlanProblem.DoesNotFit(
        "There is no agent to open connections. Start one with 'loadharness-agent join', or leave --agents out for a local run.");

    private static PlanProblem TooLong(RunSpec spec, Opening opening) => PlanProblem.Invalid(
        $"--hold {DurationText.Format(spec.Hold)} with {DurationText.Format(opening.Duration)} to open {spec.Connections:N0} connections"
        + $" ({RateText.Format(opening.ConnectsPerSecond)}{(opening.IsDefault ? ", the gentle default" : "")})"
        + $" is longer than the run may last: {DurationText.Format(spec.MaxDuration)}."
        + " Open faster with --connect-rate, hold for less time, or give a longer --max-duration.");

    private static PlanProblem TooLate(RunPlan current, ScaleOrder order, long change, TimeSpan over)
    {
        var left = DurationText.Format(TimeSpan.FromSeconds(Math.Floor((current.HoldEnd - order.Elapsed).TotalSeconds)));
        var why = order.Over is null ? $" at {RateText.Format(current.Schedule.ConnectsPerSecond)}" : "";
        return PlanProblem.Invalid(
            $"A change by {change:N0} connections takes {DurationText.Format(over)}{why}, and the hold ends in {left}. "
            + "Give a goal that is nearer, or a shorter --over.");
    }
}
