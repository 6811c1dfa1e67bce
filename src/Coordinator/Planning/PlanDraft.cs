using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>A plan in the making: what every step of <see cref="Planner"/> works on.</summary>
internal sealed class PlanDraft
{
    /// <summary>An agent that gives blocks back keeps a quarter more than it needs: small changes cost no revision.</summary>
    private const int KeptMargin = 4;

    private readonly ImmutableArray<AgentResources> _agents;
    private readonly ImmutableArray<NamespaceSpace> _spaces;
    private readonly AgentPlan?[] _current;
    private readonly RunSpec _spec;
    private readonly TupleDemand _demand;
    private readonly TimeSpan _rest;
    private readonly ImmutableHashSet<string> _ended;

    /// <summary>Groups the agents into namespaces.</summary>
    public PlanDraft(RunSpec spec, PlanSupply supply)
    {
        (_spec, _agents) = (spec, supply.Agents);
        (_demand, _rest, _ended) = (TupleDemand.Of(spec), spec.Rest, supply.Ended);
        _current = new AgentPlan?[_agents.Length];
        _spaces = NamespaceSpace.Group(spec, supply, Problems);
        Destinations = DestinationCounts.Union(_spaces.Select(s => s.Destinations));
    }

    /// <summary>What stands against the plan so far.</summary>
    public List<PlanProblem> Problems { get; } = [];

    /// <summary>Of all agents together.</summary>
    public ImmutableArray<Destination> Destinations { get; }

    /// <summary>Agents that are gone and whose blocks still rest.</summary>
    public ImmutableArray<DepartedAgent> Departed { get; private set; } = [];

    /// <summary>Takes over what a present plan has issued.</summary>
    public void Continue(RunPlan current, TimeSpan elapsed)
    {
        var plans = current.Agents.ToDictionary(a => a.AgentId);
        for (var i = 0; i < _agents.Length; i++)
        {
            if (plans.Remove(_agents[i].AgentId, out var plan) && plan.NetworkNamespace == _agents[i].NetworkNamespace)
                _current[i] = plan;
            else if (plan is not null)
                plans[plan.AgentId] = plan;
        }

        var resting = current.Departed.Where(d => elapsed - d.Since < SliceCutter.Rest);
        // Its tuples may be in TIME-WAIT, or its process stopped with all of them: only who may reuse at once, and knows, need not wait.
        var departing = plans.Values.Where(p => _rest > TimeSpan.Zero || !_ended.Contains(p.AgentId));
        Departed = [.. resting, .. departing.Select(p => new DepartedAgent(p, elapsed))];
        foreach (var space in _spaces)
        {
            var issued = current.Agents.Concat(Departed.Select(d => d.Plan)).Where(a => a.NetworkNamespace == space.Name);
            space.Pool.Issue(issued.SelectMany(a => a.Slice.Blocks));
        }
    }

    /// <summary>What fits of a goal; adds what stands against it to the problems.</summary>
    /// <param name="asked">0 or more.</param>
    /// <param name="mayCut">Whether less than that will do.</param>
    public (long Goal, GoalCut? Cut) Fit(long asked, bool mayCut)
    {
        if (Problems.Count > 0)
            return (0, null);
        var fits = _spaces.Sum(RoomOf);
        var why = CapacityCheck.Check(asked, _agents, [.. _spaces.Select(s => (s, TuplesOf(s)))]).ToList();
        if (why.Count == 0 && asked > fits)
            why.Add(CapacityCheck.Resting(asked, fits, _spaces.Sum(TuplesOf), _spec));
        if (why.Count == 0)
            return (asked, null);
        if (mayCut)
            return (Math.Min(asked, fits), new GoalCut(asked, [.. why.Select(p => p.Message)]));
        Problems.AddRange(why);
        return (0, null);
    }

    /// <summary>Tuples that there are for the run.</summary>
    public long Tuples => _spaces.Sum(TuplesOf);

    /// <summary>The highest rate of the whole at which every agent stays within its own limit.</summary>
    public double AllowedRate(ImmutableArray<long> shares) => SchedulePlanner.Allowed(_agents, shares);

    /// <summary>The highest rate of the whole at which no namespace runs out of tuples; infinite when none rests.</summary>
    public double RateOfTuples(ImmutableArray<long> shares) => Lowest(shares, (space, share) => _demand.HighestRate(TuplesOf(space), share));

    /// <summary>The rate of the whole at which the first namespace has gone through its tuples; null when there is no such rate.</summary>
    public double? ChurnCeiling(ImmutableArray<long> shares) =>
        Lowest(shares, (space, _) => _demand.Ceiling(TuplesOf(space))) is var lowest && double.IsFinite(lowest) ? lowest : null;

    /// <summary>What an agent's own limit has against a rate of the whole; null when nothing has.</summary>
    public PlanProblem? CheckRate(double rate, ImmutableArray<long> shares) =>
        CapacityCheck.CheckRate(rate, AllowedRate(shares), _agents, shares);

    /// <summary>Splits a goal over the agents in proportion to their cores, within what each and its namespace can hold.</summary>
    public ImmutableArray<long> Spread(long goal)
    {
        var limits = _spaces.Select(RoomOf).ToArray();
        var parts = Apportionment.Split(goal, [.. _spaces.Select(s => s.Agents.Sum(Weight))], limits);
        var shares = new long[_agents.Length];
        for (var k = 0; k < _spaces.Length; k++)
        {
            var members = _spaces[k].Agents;
            var inside = Apportionment.Split(
                parts[k], [.. members.Select(Weight)], [.. members.Select(i => AgentCapacity.MostConnections(_agents[i]))]);
            for (var m = 0; m < members.Length; m++)
                shares[members[m]] = inside[m];
        }

        return [.. shares];
    }

    /// <summary>
    /// Splits a new goal so that nobody loses when it grows and nobody gains when it shrinks: no live connection is closed
    /// to even things out. Only what a namespace has no room for any more moves.
    /// </summary>
    /// <param name="goal">0 or more.</param>
    /// <param name="order">Where it <see cref="ScaleOrder.Spreads"/>, what is not open yet moves too.</param>
    public ImmutableArray<long> Move(long goal, ScaleOrder order)
    {
        var present = _current.Select(p => order.Spreads ? Math.Min(p?.Share ?? 0, p?.Schedule.GoalAt(order.Elapsed) ?? 0) : p?.Share ?? 0).ToArray();
        foreach (var space in _spaces)
        {
            long[] inside = [.. space.Agents.Select(i => present[i])];
            var settled = Apportionment.Split(Math.Min(inside.Sum(), RoomOf(space)), inside, inside);
            for (var m = 0; m < space.Agents.Length; m++)
                present[space.Agents[m]] = settled[m];
        }

        var growth = goal - present.Sum();
        if (growth < 0)
            return Apportionment.Split(goal, present, present);
        var wanted = Spread(goal).Select((share, i) => Math.Max(0, share - present[i])).ToArray();
        var added = Apportionment.Split(growth, wanted, wanted);
        return [.. present.Select((share, i) => share + added[i])];
    }

    /// <summary>The goals of the agents at an instant of the present plan; nothing for those that join.</summary>
    public ImmutableArray<long> GoalsAt(TimeSpan elapsed) => [.. _current.Select(p => p?.Schedule.GoalAt(elapsed) ?? 0)];

    /// <summary>Cuts the slices and completes the plan; null when whole blocks do not suit the agents of a namespace.</summary>
    /// <param name="shares">Parts of the goal; they move between agents of one namespace when whole blocks ask for it.</param>
    /// <param name="whole">The schedule of the run.</param>
    /// <param name="from">Where each agent starts.</param>
    /// <param name="plan">Everything but the agents.</param>
    /// <param name="coarse">The host where blocks do not suit.</param>
    public RunPlan? Finish(ImmutableArray<long> shares, Schedule whole, ImmutableArray<long> from, RunPlan plan, out string coarse)
    {
        var slices = new ImmutableArray<BlockRange>[_agents.Length];
        var final = shares.ToArray();
        foreach (var space in _spaces)
        {
            coarse = _agents[space.Agents[0]].Host;
            if (!Cut(space, final, whole.ConnectsPerSecond, plan.Goal, slices))
                return null;
        }

        coarse = "";
        shares = [.. final];
        var limits = new double[_agents.Length];
        foreach (var (space, i) in _spaces.SelectMany(s => s.Agents.Select(i => (s, i))))
        {
            limits[i] = Math.Min(
                _agents[i].MaxConnectsPerSecond ?? double.PositiveInfinity, _demand.HighestRate(Usable(space, slices[i]), shares[i]));
        }

        var schedules = SchedulePlanner.PerAgent(whole, from, shares, [.. limits]);
        var agents = ImmutableArray.CreateBuilder<AgentPlan>(_agents.Length);
        foreach (var space in _spaces)
        {
            foreach (var i in space.Agents)
                agents.Add(AgentPlanOf(i, space, shares[i], schedules[i], slices[i]));
        }

        return plan with { Agents = agents.MoveToImmutable() };
    }

    private bool Cut(NamespaceSpace space, long[] shares, double rate, long goal, ImmutableArray<BlockRange>[] slices)
    {
        var cut = SliceCutter.Cut(space.Pool, [.. space.Agents.Select(i => Request(i, space, shares[i], rate * shares[i] / Math.Max(1, goal)))]);
        var members = space.Agents;
        var limits = new long[members.Length];
        for (var m = 0; m < members.Length; m++)
        {
            slices[members[m]] = cut[m];
            limits[m] = Math.Min(AgentCapacity.MostConnections(_agents[members[m]]), _demand.Carried(Usable(space, cut[m])));
        }

        var total = members.Sum(i => shares[i]);
        if (limits.Sum() < total)
            return false;
        var settled = Apportionment.Split(total, [.. members.Select(i => shares[i])], limits);
        for (var m = 0; m < members.Length; m++)
            shares[members[m]] = settled[m];
        return true;
    }

    private SliceRequest Request(int agent, NamespaceSpace space, long share, double rate)
    {
        var (resources, current) = (_agents[agent], _current[agent]);
        var running = current is null ? 0 : AgentCapacity.Reactors(resources, current.Share);
        var hold = resources.PrivateDescriptorTables
            ? (long)running * resources.ConnectionsPerReactor
            : AgentCapacity.MostConnections(resources);
        var needed = _demand.Needed(share);
        var resting = space.ForWeights(Math.Max(needed, share + _demand.Resting(share, rate))) - needed;
        var reactors = AgentCapacity.Reactors(resources, share);
        var kept = Kept(agent, space, needed + resting, Math.Max(running, reactors));
        return new SliceRequest(needed, resting, reactors, kept, running, share <= hold ? long.MaxValue : hold);
    }

    // What was going back is used again before anything new is taken; what is far more than needed goes back.
    private ImmutableArray<BlockRange> Kept(int agent, NamespaceSpace space, long tuples, int reactors)
    {
        var held = Held(agent);
        var usable = Usable(space, held);
        if (usable < tuples)
            return BlockRetirement.Recall(space.Pool, held, tuples);
        var keep = tuples + (tuples / KeptMargin);
        return _agents[agent].CanRetire && usable > 2 * keep
            ? BlockRetirement.Retire(space.Pool, held, keep, reactors)
            : held;
    }

    private AgentPlan AgentPlanOf(int agent, NamespaceSpace space, long share, Schedule schedule, ImmutableArray<BlockRange> blocks)
    {
        IEnumerable<PortSpan> before = _current[agent]?.Slice.ExcludedPorts ?? [];
        return new AgentPlan
        {
            AgentId = _agents[agent].AgentId,
            Host = _agents[agent].Host,
            NetworkNamespace = space.Name,
            Destinations = space.Destinations,
            Share = share,
            Schedule = schedule,
            Slice = new Slice(blocks, PortText.Merge(before.Concat(space.Ports.UnusableIn(blocks))), _rest),
            Tuples = Usable(space, blocks),
        };
    }

    private ImmutableArray<BlockRange> Held(int agent) => _current[agent]?.Slice.Blocks ?? [];

    private long TuplesOf(NamespaceSpace space) => space.Pool.FreeTuples + space.Agents.Sum(i => space.Pool.TuplesOf(Held(i)));

    private static long Usable(NamespaceSpace space, ImmutableArray<BlockRange> blocks) => space.Pool.TuplesOf(blocks.Where(b => !b.Retiring));

    private long RoomOf(NamespaceSpace space) =>
        Math.Min(_demand.Carried(TuplesOf(space)), space.Agents.Sum(i => AgentCapacity.MostConnections(_agents[i])));

    private double Lowest(ImmutableArray<long> shares, Func<NamespaceSpace, long, double> rateOf)
    {
        var (goal, lowest) = (shares.Sum(), double.PositiveInfinity);
        foreach (var space in _spaces)
        {
            var share = space.Agents.Sum(i => shares[i]);
            if (share > 0)
                lowest = Math.Min(lowest, rateOf(space, share) * goal / share);
        }

        return lowest;
    }

    private long Weight(int agent) => Math.Max(1, _agents[agent].Cores);
}
