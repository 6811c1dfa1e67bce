using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using LifetimeSpread = LoadHarness.V1.LifetimeSpread;

namespace LoadHarness.Coordinator.Planning;

/// <summary>How fast the goal is opened.</summary>
/// <param name="Duration">From nothing to the goal.</param>
/// <param name="ConnectsPerSecond">Upper bound over the whole run.</param>
/// <param name="IsDefault">True when the user asked for neither ramp nor rate.</param>
public readonly record struct Opening(TimeSpan Duration, double ConnectsPerSecond, bool IsDefault);

/// <summary>The goal over time, of the run and of each agent.</summary>
public static class SchedulePlanner
{
    /// <summary>How far the bound lies above the slope of a ramp, so that a ramp that fell behind can catch up.</summary>
    private const double CatchUp = 1.1;

    /// <summary>
    /// How far it lies above the mean rate at which connections with drawn lifetimes end: they end in bunches, and a bound close to the mean
    /// would let some of the goal wait all the time.
    /// </summary>
    private const double Bunches = 2;

    private const double LowestRate = 1e-6;

    /// <summary>How a run opens its goal.</summary>
    /// <param name="spec">Ramp, rate or neither.</param>
    /// <param name="shares">The parts of the goal; the gentle default bounds the largest one.</param>
    /// <param name="allowed">The highest rate at which every agent stays within its own limit and within its tuples.</param>
    public static Opening Open(RunSpec spec, ImmutableArray<long> shares, double allowed)
    {
        var goal = shares.Sum();
        if (spec.Ramp is { } ramp)
            return new Opening(ramp, Math.Max(LowestRate, Math.Min(Math.Max(CatchUp * Wanted(spec, goal), OfBunches(spec, goal)), allowed)), false);
        var rate = Math.Min(spec.ConnectRate ?? GentleRate(goal, shares.Max()), allowed);
        return new Opening(DurationOf(goal, rate), rate, spec.ConnectRate is null);
    }

    /// <summary>
    /// What a run needs: the slope of its ramp or its rate, and what replaces connections that churn; 0 when it asks for nothing.
    /// </summary>
    public static double Wanted(RunSpec spec, long goal)
    {
        var churn = TupleDemand.Of(spec).ChurnRate(goal);
        if (spec.Ramp is not { } ramp)
            return Math.Max(spec.ConnectRate ?? 0, churn);
        var slope = goal / ramp.TotalSeconds;
        // A ramp that is over before the first connection ends opens and replaces in turn.
        return spec.Churn is { } churning && ramp > churning.Lifetime ? slope + churn : Math.Max(slope, churn);
    }

    private static double OfBunches(RunSpec spec, long goal) =>
        spec.Workload.Any(w => w.Workload is WorkloadSpec.Churn { Life.Spread: not LifetimeSpread.Fixed }) ? Bunches * TupleDemand.Of(spec).ChurnRate(goal) : 0;

    /// <summary>The highest rate of the whole at which nobody exceeds its own limit; infinite when nobody has one.</summary>
    /// <param name="agents">With their limits.</param>
    /// <param name="shares">Their parts of the goal.</param>
    public static double Allowed(ImmutableArray<AgentResources> agents, ImmutableArray<long> shares)
    {
        var (goal, allowed) = (shares.Sum(), double.PositiveInfinity);
        for (var i = 0; i < shares.Length; i++)
        {
            if (agents[i].MaxConnectsPerSecond is { } most && shares[i] > 0)
                allowed = Math.Min(allowed, most * goal / shares[i]);
        }

        return allowed;
    }

    /// <summary>The bound for a change of the goal over a duration.</summary>
    public static double RateOf(long change, TimeSpan over) => Math.Max(CatchUp * change / over.TotalSeconds, LowestRate);

    /// <summary>How long a change of the goal takes at a rate, rounded up to the millisecond.</summary>
    public static TimeSpan DurationOf(long change, double rate) => TimeSpan.FromMilliseconds(Math.Ceiling(1000 * change / rate));

    /// <summary>How long agents take to go from one set of goals to another, each at its part of a rate; rounded up to the millisecond.</summary>
    /// <param name="from">Where each agent starts.</param>
    /// <param name="shares">Where each agent goes.</param>
    /// <param name="rate">Of all of them, per second.</param>
    public static TimeSpan DurationOf(ImmutableArray<long> from, ImmutableArray<long> shares, double rate)
    {
        var (parts, longest) = (Parts(from, shares), DurationOf(Math.Abs(shares.Sum() - from.Sum()), rate));
        for (var i = 0; i < shares.Length; i++)
        {
            if (shares[i] > from[i] && DurationOf(shares[i] - from[i], rate * parts[i]) is var own && own > longest)
                longest = own;
        }

        return longest;
    }

    /// <summary>From one goal to another in a straight line, then level to the end.</summary>
    public static Schedule Line(TimeSpan start, long from, TimeSpan reached, long goal, TimeSpan end, double rate)
    {
        var points = ImmutableArray.CreateBuilder<SchedulePoint>(3);
        points.Add(new SchedulePoint(start, from));
        points.Add(new SchedulePoint(reached, goal));
        if (end > reached)
            points.Add(new SchedulePoint(end, goal));
        return new Schedule(points.ToImmutable(), rate);
    }

    /// <summary>
    /// The schedules of the agents: the same instants as the whole, so that they sum to it within one connection an agent, and
    /// rates that sum to its rate, in proportion to the shares or to what is to be opened.
    /// </summary>
    /// <param name="whole">The schedule of the run.</param>
    /// <param name="from">Where each agent starts; sums to the first goal of the whole.</param>
    /// <param name="shares">Where each agent goes; sums to the last goal of the whole.</param>
    /// <param name="limits">The highest rate of each agent: its own limits hold whatever the proportions are.</param>
    public static ImmutableArray<Schedule> PerAgent(
        Schedule whole, ImmutableArray<long> from, ImmutableArray<long> shares, ImmutableArray<double> limits)
    {
        var parts = Parts(from, shares);
        var schedules = ImmutableArray.CreateBuilder<Schedule>(shares.Length);
        for (var i = 0; i < shares.Length; i++)
        {
            var (first, share) = (from[i], shares[i]);
            var points = whole.Points.Select((p, at) => p with { Goal = at == 0 ? first : share });
            // A bound must be above zero even for an agent that has nothing to open.
            var rate = Math.Min(whole.ConnectsPerSecond * parts[i], limits[i]);
            schedules.Add(new Schedule([.. points], Math.Max(rate, LowestRate)));
        }

        return schedules.MoveToImmutable();
    }

    // In proportion to the shares, for everybody reopens; who alone has something to open gets a larger part.
    private static ImmutableArray<double> Parts(ImmutableArray<long> from, ImmutableArray<long> shares)
    {
        long[] held = shares.Sum() > 0 ? [.. shares] : [.. from];
        long[] growth = [.. shares.Zip(from, (share, first) => Math.Max(0, share - first))];
        var (total, grown) = (held.Sum(), growth.Sum());
        if (total == 0)
            return [.. shares.Select(_ => 1.0 / shares.Length)];
        double[] weights = [.. held.Select((h, i) => Math.Max((double)h / total, grown == 0 ? 0 : (double)growth[i] / grown))];
        return [.. weights.Select(w => w / weights.Sum())];
    }

    private static double GentleRate(long goal, long largestShare)
    {
        // The largest share runs at its bound; the others are in proportion to it.
        var byAgent = RunSpecValidator.GentleRatePerAgent * goal / Math.Max(1, largestShare);
        return Math.Min(RunSpecValidator.GentleRate, byAgent);
    }
}
