using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Protos;
using LoadHarness.V1;
using BlockRange = LoadHarness.Protos.BlockRange;

namespace LoadHarness.Coordinator.Runs;

/// <summary>The clients of one run, each with its part of the plan.</summary>
internal sealed class RunRoster(
    IRunLink run, AgentRegistry registry, RunRecord record, AssignmentBuilder builder, KernelReaders readers, SourceProvisions provisions)
    : Roster(run, registry)
{
    private ImmutableArray<RunMember> _former = [];
    private RunPlan? _plan;

    /// <summary>
    /// The newest reconnect storm; null when there was none. Who joins or comes back when it is over is not told of it any more, and need
    /// not be able to have a part in it.
    /// </summary>
    public RunStorm? Storm { get; set; }

    /// <summary>Everyone who has worked for the run, those included who were dropped after its start; each agent once.</summary>
    public ImmutableArray<RunMember> Everyone => [.. Members.Concat(_former).OrderBy(m => m.Agent.Id, StringComparer.Ordinal)];

    /// <summary>Those who were dropped after its start.</summary>
    public ImmutableArray<RunMember> Former => _former;

    /// <summary>Whether an agent can do what this run does.</summary>
    public bool CanCarry(AgentState agent) => builder.Needed.All(agent.Hello.Capabilities.Contains);

    /// <summary>Takes an agent in while the run is under load: as the one that it was, if it has worked for the run before.</summary>
    /// <returns>False when another run was quicker.</returns>
    public bool TryJoin(AgentState agent, TimeSpan elapsed)
    {
        var member = _former.FirstOrDefault(m => m.Agent.Id == agent.Id);
        // An earlier life of the coordinator may have known it.
        var again = member is null ? new RunMember(agent) : ReferenceEquals(member.Agent, agent) ? member : RunMember.Of(agent, member.Kept);
        again.Return();
        if (!TryAdd(again))
            return false;
        Members[^1].JoinedAt = elapsed;
        if (member is not null)
            _former = _former.Remove(member);
        return true;
    }

    /// <summary>Begins with those whom an earlier life of the coordinator had dropped.</summary>
    public void RestoreFormer(IEnumerable<RunMember> former) => _former = [.. former];

    /// <summary>Begins with the readers of the kernel that an earlier life of the coordinator had named.</summary>
    public void RestoreReaders(ImmutableHashSet<string> named, TimeSpan elapsed) =>
        readers.Restore(Members.Where(m => named.Contains(m.Agent.Id)), elapsed);

    /// <summary>Tells every member what to do from now on. The same plan with another order, or another plan.</summary>
    /// <param name="plan">Members without a part in it are dismissed.</param>
    /// <param name="phase">The phase wanted.</param>
    /// <param name="startNanos">The start instant; null before it is fixed.</param>
    /// <param name="drainTimeout">How long a drain may take.</param>
    /// <param name="elapsed">Now.</param>
    public void Command(RunPlan plan, Phase phase, long? startNanos, TimeSpan drainTimeout, TimeSpan elapsed)
    {
        var parts = plan.Agents.ToDictionary(a => a.AgentId, StringComparer.Ordinal);
        Dismiss([.. Members.Where(m => !parts.ContainsKey(m.Agent.Id))]);
        _plan = plan;
        foreach (var member in Members)
            member.Take(parts[member.Agent.Id]);
        readers.Choose(Members, elapsed);
        provisions.Choose(Members);
        var order = Next(phase, startNanos, drainTimeout) with { Storm = phase == Phase.Running && elapsed <= Storm?.Latest ? Storm : null };
        var goal = plan.Agents.Sum(a => a.Share);
        foreach (var (i, member) in Members.Index())
            record.Assign(member.Agent, builder.Build(member.Plan!, new(i, Members.Length, goal), order, readers.DutyOf(member, Members, plan.Departed), provisions.DutiesOf(member.Agent)));
    }

    /// <summary>Names another reader of the kernel where one has fallen silent; tells all members the same again if so.</summary>
    public void ReviewReaders(TimeSpan elapsed)
    {
        if (readers.Choose(Members, elapsed))
            Repeat(elapsed);
    }

    /// <summary>
    /// Blocks that members have found empty, of their newest order: what they said of an older one may be in use again.
    /// </summary>
    public ImmutableDictionary<string, ImmutableArray<BlockRange>> Emptied() => Working
        .Select(m => (m.Agent.Id, Blocks: Order is { } order && StatusOf(m, order) is { Refused: null } status ? status.EmptyBlocks : []))
        .Where(p => !p.Blocks.IsEmpty)
        .ToImmutableDictionary(p => p.Id, p => p.Blocks, StringComparer.Ordinal);

    /// <summary>Sources that members have found gone from their hosts, by network namespace.</summary>
    public ImmutableDictionary<string, ImmutableHashSet<IpAddress>> GoneSources() => Working
        .Where(m => m.Agent.Status is { GoneSources.IsEmpty: false } status && status.RunId == RunId)
        .GroupBy(m => m.Agent.Hello.Inventory.NetworkNamespace, m => m.Agent.Status?.GoneSources ?? [], StringComparer.Ordinal)
        .ToImmutableDictionary(g => g.Key, g => g.SelectMany(a => a).ToImmutableHashSet(), StringComparer.Ordinal);

    /// <inheritdoc/>
    public override void Repeat(TimeSpan elapsed)
    {
        if (_plan is { } plan && Order is { } order)
            Command(plan, order.Phase, order.StartNanos, order.DrainTimeout, elapsed);
    }

    /// <summary>Drops members out of the run: they are told to drain, and are free for another one.</summary>
    public void Dismiss(ImmutableArray<RunMember> dismissed)
    {
        foreach (var member in dismissed)
        {
            if (Order is { } order && member.Plan is { } part)
            {
                var leave = new RunOrder(order.Number + 1, Phase.Drained, order.StartNanos, order.DrainTimeout);
                record.Assign(member.Agent, builder.Build(part, default, leave, null, provisions.DutiesOf(member.Agent)));
            }
        }

        foreach (var member in dismissed)
            member.Leave();
        Drop(dismissed);
        if (Order?.StartNanos is not null)
            _former = [.. _former, .. dismissed];
    }
}
