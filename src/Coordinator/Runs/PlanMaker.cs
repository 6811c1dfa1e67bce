using System.Collections.Immutable;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Plans over the agents as they are: what their hosts have goes into the pure planner.</summary>
/// <param name="runId">The run.</param>
/// <param name="spec">What the user asked for.</param>
/// <param name="ledger">What other runs hold.</param>
internal sealed class PlanMaker(string runId, RunSpec spec, BlockLedger ledger)
{
    /// <summary>What the run adds to its hosts.</summary>
    public SourceProvisions Provisions { get; } = new(spec);

    /// <summary>What agents said of their hosts, by identity.</summary>
    public ImmutableDictionary<string, RouteReply> Replies { get; set; } = ImmutableDictionary<string, RouteReply>.Empty;

    /// <summary>Source addresses that agents of this run have found gone, by network namespace.</summary>
    public ImmutableDictionary<string, ImmutableHashSet<IpAddress>> Gone { get; set; } =
        ImmutableDictionary<string, ImmutableHashSet<IpAddress>>.Empty;

    /// <summary>Agents whose processes are known to have ended.</summary>
    public ImmutableHashSet<string> Ended { get; set; } = [];

    /// <summary>Where backends of this run are about to listen: clients there leave their ports alone.</summary>
    public ImmutableHashSet<string> BackendNamespaces { get; set; } = [];

    // Of hosts that the run has used: agents refuse other destinations while it lasts, and a host keeps its sources when others are lost.
    private ImmutableDictionary<string, NamespaceEnds> _known = ImmutableDictionary<string, NamespaceEnds>.Empty;

    /// <summary>Whether it is known what is connected on an agent's host.</summary>
    public bool Knows(AgentState agent) => _known.ContainsKey(agent.Hello.Inventory.NetworkNamespace) || Replies.ContainsKey(agent.Id);

    /// <summary>Plans a run that has not started.</summary>
    public PlanMade Make(ImmutableArray<AgentState> agents, long revision)
    {
        _known = ImmutableDictionary<string, NamespaceEnds>.Empty;
        return With(agents, supply => Planner.Plan(spec, supply, revision));
    }

    /// <summary>Plans a change of a live run.</summary>
    public PlanMade Change(RunPlan current, ScaleOrder order, ImmutableArray<AgentState> agents) =>
        With(agents, supply => Planner.Scale(spec, current, order, supply));

    /// <summary>The arithmetic of a run that has not started; no block is taken.</summary>
    /// <exception cref="RunRejectedException">The targets mean nothing there, or nothing leads to them.</exception>
    public CapacityReport Report(ImmutableArray<AgentState> agents)
    {
        if (Provisions.Cut(agents, Replies) is { IsEmpty: false } problems)
            throw new RunRejectedException(RunRejection.Invalid, problems);
        var ends = EndsResolver.Resolve(spec, agents, Replies, Provisions.ByNamespace);
        if (!ends.Problems.IsEmpty)
            throw new RunRejectedException(RunRejection.Invalid, ends.Problems);
        var facts = agents.GroupBy(a => a.Hello.Inventory.Hostname, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.First().Hello.Inventory.ToFacts(), StringComparer.Ordinal);
        return CapacityReporter.Of(spec, new PlanSupply([.. agents.Select(ResourcesOf)], ends.ByNamespace, ledger.Held()), facts);
    }

    /// <summary>Plans a run without blocks that agents have given back; null when there are none.</summary>
    public RunPlan? Reclaim(RunPlan current, IReadOnlyDictionary<string, ImmutableArray<BlockRange>> empty) =>
        Planner.Reclaim(current, empty) is { } plan ? ledger.Take(runId, _ => plan).Plan : null;

    /// <summary>Keeps the blocks of a plan: another one was made and is not taken, or the run is one of an earlier life of the coordinator.</summary>
    public void Keep(RunPlan plan) => ledger.Take(runId, _ => plan);
    /// <summary>For people.</summary>
    public PlanOverview Describe(RunPlan plan) =>
        new(PlanText.Lines(spec, plan), plan.Goal, plan.Tuples, plan.Blocks, plan.RampEnd, plan.HoldEnd);

    private AgentResources ResourcesOf(AgentState agent)
    {
        var resources = agent.ToResources();
        return BackendNamespaces.Contains(resources.NetworkNamespace)
            ? resources with { UnusablePorts = [.. resources.UnusablePorts, .. spec.BackendListen] }
            : resources;
    }

    private PlanMade With(ImmutableArray<AgentState> agents, Func<PlanSupply, PlanResult> plan)
    {
        if (Provisions.Cut(agents, Replies) is { IsEmpty: false } problems)
            return new(null, true, problems);
        var known = _known;
        if (agents.Any(a => !known.ContainsKey(a.Hello.Inventory.NetworkNamespace)))
        {
            var ends = EndsResolver.Resolve(spec, agents, Replies, Provisions.ByNamespace);
            if (!ends.Problems.IsEmpty)
                return new(null, true, ends.Problems);
            known = ends.ByNamespace.ToImmutableDictionary(StringComparer.Ordinal).SetItems(_known);
        }

        var resources = agents.Select(a => ResourcesOf(a)).ToImmutableArray();
        var result = ledger.Take(runId, held => plan(new PlanSupply(resources, known, held) { Gone = Gone, Ended = Ended }));
        if (result.Plan is not null)
            _known = known;
        return new(result.Plan, result.Problems.Any(p => p.Kind == PlanProblemKind.Invalid), [.. result.Problems.Select(p => p.Message)]);
    }
}

/// <summary>A plan, or what stands against it.</summary>
/// <param name="Plan">Null when there are problems.</param>
/// <param name="IsInvalid">The request is wrong in itself; otherwise it does not fit.</param>
/// <param name="Problems">For people.</param>
internal sealed record PlanMade(RunPlan? Plan, bool IsInvalid, ImmutableArray<string> Problems)
{
    /// <summary>What whoever asked for the plan is told.</summary>
    public RunRejectedException Rejection => new(IsInvalid ? RunRejection.Invalid : RunRejection.DoesNotFit, Problems);
}
