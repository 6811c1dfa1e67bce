using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>A plan in the making: what every step of <see cref="Planner"/> works on.</summary>
internal sealed class PlanDraft
{
    private readonly ImmutableArray<AgentResources> _agents;
    private readonly ImmutableArray<NamespaceSpace> _spaces;
    private readonly AgentPlan?[] _current;
    private readonly TimeSpan _rest;

    /// <summary>Groups the agents into namespaces.</summary>
    public PlanDraft(RunSpec spec, PlanSupply supply)
    {
        _agents = supply.Agents;
        _rest = spec.Rest;
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
        Departed = [.. resting, .. plans.Values.Select(p => new DepartedAgent(p, elapsed))];
        foreach (var space in _spaces)
        {
            var issued = current.Agents.Concat(Departed.Select(d => d.Plan)).Where(a => a.NetworkNamespace == space.Name);
            space.Pool.Issue(issued.SelectMany(a => a.Slice.Blocks));
        }
    }

    /// <summary>Adds what does not fit to the problems.</summary>
    public void CheckCapacity(long goal)
    {
        if (Problems.Count == 0)
            Problems.AddRange(CapacityCheck.Check(goal, _agents, [.. _spaces.Select(s => (s, TuplesOf(s)))]));
    }

    /// <summary>The highest rate of the whole at which every agent stays within its own limit.</summary>
    public double AllowedRate(ImmutableArray<long> shares) => SchedulePlanner.Allowed(_agents, shares);

    /// <summary>What an agent's own limit has against a rate of the whole; null when nothing has.</summary>
    public PlanProblem? CheckRate(double rate, ImmutableArray<long> shares) =>
        CapacityCheck.CheckRate(rate, AllowedRate(shares), _agents, shares);

    /// <summary>Splits a goal over the agents in proportion to their cores, within what each and its namespace can hold.</summary>
    public ImmutableArray<long> Spread(long goal)
    {
        var limits = _spaces.Select(s => Math.Min(TuplesOf(s), s.Agents.Sum(i => AgentCapacity.MostConnections(_agents[i])))).ToArray();
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
    /// to even things out.
    /// </summary>
    public ImmutableArray<long> Move(long goal)
    {
        var present = _current.Select(p => p?.Share ?? 0).ToArray();
        var growth = goal - present.Sum();
        if (growth < 0)
            return Apportionment.Split(goal, present, present);
        var wanted = Spread(goal).Select((share, i) => Math.Max(0, share - present[i])).ToArray();
        var added = Apportionment.Split(growth, wanted, wanted);
        return [.. present.Select((share, i) => share + added[i])];
    }

    /// <summary>The goals of the agents at an instant of the present plan; nothing for those that join.</summary>
    public ImmutableArray<long> GoalsAt(TimeSpan elapsed) => [.. _current.Select(p => p?.Schedule.GoalAt(elapsed) ?? 0)];

    /// <summary>Cuts the slices and completes the plan.</summary>
    /// <param name="shares">Parts of the goal; they move between agents of one namespace when whole blocks ask for it.</param>
    /// <param name="whole">The schedule of the run.</param>
    /// <param name="from">Where each agent starts.</param>
    /// <param name="plan">Everything but the agents.</param>
    public PlanResult Finish(ImmutableArray<long> shares, Schedule whole, ImmutableArray<long> from, RunPlan plan)
    {
        var slices = new ImmutableArray<BlockRange>[_agents.Length];
        var final = shares.ToArray();
        foreach (var space in _spaces)
        {
            if (!Cut(space, final, whole.ConnectsPerSecond, plan.Goal, slices))
                return CapacityCheck.BlocksTooCoarse(_agents[space.Agents[0]].Host);
        }

        shares = [.. final];
        var schedules = SchedulePlanner.PerAgent(whole, from, shares, _agents);
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
        var cut = SliceCutter.Cut(space.Pool, [.. space.Agents.Select(i => Request(i, shares[i], rate * shares[i] / Math.Max(1, goal)))]);
        var members = space.Agents;
        var limits = new long[members.Length];
        for (var m = 0; m < members.Length; m++)
        {
            slices[members[m]] = cut[m];
            limits[m] = Math.Min(AgentCapacity.MostConnections(_agents[members[m]]), space.Pool.TuplesOf(cut[m]));
        }

        var total = members.Sum(i => shares[i]);
        if (limits.Sum() < total)
            return false;
        var settled = Apportionment.Split(total, [.. members.Select(i => shares[i])], limits);
        for (var m = 0; m < members.Length; m++)
            shares[members[m]] = settled[m];
        return true;
    }

    private SliceRequest Request(int agent, long share, double rate)
    {
        var (resources, current) = (_agents[agent], _current[agent]);
        var running = current is null ? 0 : AgentCapacity.Reactors(resources, current.Share);
        var hold = resources.PrivateDescriptorTables
            ? (long)running * resources.ConnectionsPerReactor
            : AgentCapacity.MostConnections(resources);
        return new SliceRequest(share, rate, AgentCapacity.Reactors(resources, share), Held(agent), running, hold);
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
            Tuples = space.Pool.TuplesOf(blocks),
        };
    }

    private ImmutableArray<BlockRange> Held(int agent) => _current[agent]?.Slice.Blocks ?? [];

    private long TuplesOf(NamespaceSpace space) => space.Pool.FreeTuples + space.Agents.Sum(i => space.Pool.TuplesOf(Held(i)));

    private long Weight(int agent) => Math.Max(1, _agents[agent].Cores);
}
