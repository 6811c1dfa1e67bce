using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>A change of a live run.</summary>
/// <param name="Elapsed">Now.</param>
/// <param name="Goal">The new goal; zero is a goal too.</param>
/// <param name="Over">How long the change takes; null: as the run's connect rate allows.</param>
/// <param name="MayCut">Whether less than the goal will do when it does not fit, or cannot be reached before the hold ends.</param>
/// <param name="Spreads">Whether agents that join take over what others have not opened by now; else only what is missing.</param>
public readonly record struct ScaleOrder(TimeSpan Elapsed, long Goal, TimeSpan? Over, bool MayCut = false, bool Spreads = false)
{
    /// <summary>The run goes on to its goal with other agents or other sources, as far as that fits and at its own rate.</summary>
    public static ScaleOrder GoOn(TimeSpan elapsed, long goal, bool spreads = false) => new(elapsed, goal, null, MayCut: true, spreads);
}

/// <summary>Makes run plans. Pure: the same arguments give the same plan.</summary>
public static class Planner
{
    private const int Tries = 8;
    private const double LessEachTry = 0.95;

    /// <summary>Plans a run.</summary>
    /// <param name="spec">Validated.</param>
    /// <param name="supply">Agents, both ends of what they connect, and what other runs hold.</param>
    /// <param name="revision">Number of the plan.</param>
    public static PlanResult Plan(RunSpec spec, PlanSupply supply, long revision) =>
        supply.Agents.IsEmpty ? NoAgents() : WithinBlocks(spec.Force, 0, most => Plan(spec, supply, revision, most));

    /// <summary>
    /// Replaces the schedule from now on; the end stays. Blocks are added where needed and never taken away. Agents that are not in
    /// the present plan join: they take what is missing. Agents of the present plan that are not in <paramref name="supply"/> are
    /// gone, and their blocks rest. With the present goal this moves the share of lost agents to the others; when nobody is left and
    /// the order may be cut, the plan has no agents and a goal of 0.
    /// </summary>
    /// <param name="spec">As it was planned.</param>
    /// <param name="current">The present plan.</param>
    /// <param name="order">What changes.</param>
    /// <param name="supply">As for <see cref="Plan(RunSpec, PlanSupply, long)"/>, from now on.</param>
    public static PlanResult Scale(RunSpec spec, RunPlan current, ScaleOrder order, PlanSupply supply)
    {
        if (supply.Agents.IsEmpty && !order.MayCut)
            return NoAgents();
        if (WhyWrong(current, order) is { } wrong)
            return wrong;
        // What connections live may follow from how many there are.
        spec = spec with { Connections = Math.Max(1, order.Goal) };
        if (supply.Agents.IsEmpty)
            return Deserted(spec, current, order, supply);
        var present = current.Agents.Where(a => supply.Agents.Any(s => s.AgentId == a.AgentId)).Sum(a => a.Share);
        return WithinBlocks(spec.Force || order.MayCut, Math.Min(present, order.Goal), most => Scale(spec, current, order, supply, most));
    }

    /// <summary>
    /// Takes blocks out of the slices of agents that have found them empty: they may be issued again. Null when there are none.
    /// </summary>
    /// <param name="current">The present plan.</param>
    /// <param name="empty">Blocks by agent; those that are not retiring there are passed over.</param>
    public static RunPlan? Reclaim(RunPlan current, IReadOnlyDictionary<string, ImmutableArray<BlockRange>> empty)
    {
        var changed = false;
        var agents = current.Agents.Select(agent =>
        {
            var left = empty.TryGetValue(agent.AgentId, out var blocks) ? BlockRetirement.Without(agent.Slice.Blocks, blocks) : agent.Slice.Blocks;
            changed |= left.Sum(b => b.Count) != agent.Slice.BlockCount;
            return agent with { Slice = agent.Slice with { Blocks = left } };
        }).ToImmutableArray();
        return changed ? current with { Revision = current.Revision + 1, Agents = agents } : null;
    }

    private static Attempt Plan(RunSpec spec, PlanSupply supply, long revision, long most)
    {
        var draft = new PlanDraft(spec, supply);
        var (goal, cut) = Cut(draft, spec.Connections, most, spec.Force);
        if (cut is not null && goal == 0)
            draft.Problems.AddRange(cut.Why.Select(PlanProblem.DoesNotFit));
        if (draft.Problems.Count > 0)
            return new(null, new PlanResult(null, [.. draft.Problems]), goal, "");

        var shares = draft.Spread(goal);
        var (allowed, byTuples) = (draft.AllowedRate(shares), draft.RateOfTuples(shares));
        if ((draft.CheckRate(SchedulePlanner.Wanted(spec, goal), shares) ?? CapacityCheck.CheckRamp(spec, goal, byTuples)) is { } tooFast)
            return new(null, tooFast, goal, "");
        var opening = SchedulePlanner.Open(spec, shares, Math.Min(allowed, byTuples));
        if (CapacityCheck.CheckChurn(spec, goal, opening) is { } tooSlow)
            return new(null, tooSlow, goal, "");
        var end = opening.Duration + spec.Hold;
        if (end > spec.MaxDuration)
            return new(null, TooLong(spec, opening), goal, "");
        var whole = SchedulePlanner.Line(TimeSpan.Zero, 0, opening.Duration, goal, end, opening.ConnectsPerSecond);
        var plan = draft.Finish(shares, whole, [.. shares.Select(_ => 0L)], new RunPlan
        {
            Revision = revision,
            Goal = goal,
            Cut = cut,
            Destinations = draft.Destinations,
            Schedule = whole,
            RampEnd = opening.Duration,
            HoldEnd = end,
            RateIsDefault = opening.IsDefault,
            ChurnCeiling = draft.ChurnCeiling(shares),
            Warnings = [.. LoadForecast.Warnings(spec with { Connections = goal }, supply.Agents, draft.Tuples, opening)],
            Agents = [],
            DrainTimeout = DrainTimeout(goal),
        }, out var coarse);
        return new(plan, null, goal, coarse);
    }

    private static Attempt Scale(
        RunSpec spec, RunPlan current, ScaleOrder order, PlanSupply supply, long most)
    {
        var draft = new PlanDraft(spec, supply);
        draft.Continue(current, order.Elapsed);
        var (goal, cut) = Cut(draft, order.Goal, most, spec.Force || order.MayCut);
        if (draft.Problems.Count > 0)
            return new(null, new PlanResult(null, [.. draft.Problems]), goal, "");

        var from = draft.GoalsAt(order.Elapsed);
        if (order is { MayCut: true, Over: null })
            (goal, cut) = InTime(current, order, (goal, cut), from.Sum());
        var shares = draft.Move(goal, order);
        var change = Math.Abs(goal - from.Sum());
        var pace = order.MayCut ? Math.Min(current.Schedule.ConnectsPerSecond, draft.AllowedRate(shares)) : current.Schedule.ConnectsPerSecond;
        var over = order.Over ?? SchedulePlanner.DurationOf(from, shares, pace);
        if (order is { MayCut: true, Over: null })
            over = Within(over, current.RampEnd - order.Elapsed, current.HoldEnd - order.Elapsed);
        var reached = order.Elapsed + over;
        if (reached > current.HoldEnd)
            return new(null, TooLate(current, order, change, over), goal, "");
        if (!order.MayCut && over > TimeSpan.Zero && goal > from.Sum() && draft.CheckRate(change / over.TotalSeconds, shares) is { } tooFast)
            return new(null, tooFast, goal, "");
        var rate = Math.Max(pace, TupleDemand.Of(spec).ChurnRate(goal));
        if (order.Over is { Ticks: > 0 })
            rate = Math.Max(rate, SchedulePlanner.RateOf(change, over));
        var whole = SchedulePlanner.Line(
            order.Elapsed, from.Sum(), reached, goal, current.HoldEnd, Math.Min(rate, draft.RateOfTuples(shares)));
        var plan = draft.Finish(shares, whole, from, current with
        {
            Revision = current.Revision + 1,
            Goal = goal,
            Cut = cut,
            Destinations = draft.Destinations,
            Schedule = whole,
            RampEnd = reached,
            ChurnCeiling = draft.ChurnCeiling(shares),
            Agents = [],
            Departed = draft.Departed,
            DrainTimeout = DrainTimeout(Math.Max(goal, from.Sum())),
        }, out var coarse);
        return new(plan, null, goal, coarse);
    }

    // Nobody is left: what was issued rests, and whoever joins begins with nothing.
    private static PlanResult Deserted(RunSpec spec, RunPlan current, ScaleOrder order, PlanSupply supply)
    {
        var draft = new PlanDraft(spec, supply);
        draft.Continue(current, order.Elapsed);
        return new(current with
        {
            Revision = current.Revision + 1,
            Goal = 0,
            Cut = new GoalCut(order.Goal, ["No agent is left."]),
            Schedule = SchedulePlanner.Line(order.Elapsed, 0, order.Elapsed, 0, current.HoldEnd, current.Schedule.ConnectsPerSecond),
            RampEnd = order.Elapsed,
            Agents = [],
            Departed = draft.Departed,
        }, []);
    }

    // What is opened until the hold ends is worth having; more cannot be promised.
    private static (long Goal, GoalCut? Cut) InTime(RunPlan current, ScaleOrder order, (long Goal, GoalCut? Cut) fits, long from)
    {
        var left = current.HoldEnd - order.Elapsed;
        var reachable = from + (long)(current.Schedule.ConnectsPerSecond * left.TotalSeconds);
        if (fits.Goal <= reachable)
            return fits;
        var why = $"At {RateText.Format(Math.Round(current.Schedule.ConnectsPerSecond, 1))} no more can be opened in the "
            + $"{left.TotalSeconds:0.#} s until the hold ends.";
        return (reachable, new GoalCut(order.Goal, [.. fits.Cut?.Why ?? [], why]));
    }

    private static TimeSpan Within(TimeSpan time, TimeSpan least, TimeSpan most)
    {
        var longer = time > least ? time : least;
        return longer < most ? longer : most;
    }

    private static (long Goal, GoalCut? Cut) Cut(PlanDraft draft, long asked, long most, bool mayCut)
    {
        var (goal, cut) = draft.Fit(asked, mayCut);
        return goal <= most ? (goal, cut) : (most, cut ?? new GoalCut(asked, ["The last blocks cannot be cut to suit every agent."]));
    }

    // The last tuples of a space may be in blocks that do not suit the agents; where less will do, a little less is tried.
    // What agents have already suits their blocks: nothing is closed for what others would have been given.
    private static PlanResult WithinBlocks(bool mayCut, long present, Func<long, Attempt> plan)
    {
        var attempt = plan(long.MaxValue);
        for (var i = 0; i < Tries && mayCut && attempt is { Plan: null, Refusal: null }; i++)
        {
            var less = (long)(attempt.Goal * LessEachTry);
            attempt = plan(attempt.Goal > present ? Math.Max(less, present) : less);
        }

        return attempt.Plan is { } made ? made : attempt.Refusal ?? CapacityCheck.BlocksTooCoarse(attempt.Coarse);
    }

    /// <summary>One try at a plan.</summary>
    /// <param name="Plan">Null when there is none.</param>
    /// <param name="Refusal">What stands against it; null when only whole blocks do.</param>
    /// <param name="Goal">The goal that was tried.</param>
    /// <param name="Coarse">The host where blocks do not suit.</param>
    private readonly record struct Attempt(RunPlan? Plan, PlanResult? Refusal, long Goal, string Coarse);

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
