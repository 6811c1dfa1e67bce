using System.Collections.Immutable;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

/// <summary>The agents of one run and what they were told last. Only the run's own loop touches it.</summary>
internal sealed class RunRoster(IRunLink run, AgentRegistry registry, RunRecord record, AssignmentBuilder builder, KernelReaders readers)
{
    private ImmutableArray<RunMember> _members = [];
    private ImmutableArray<RunMember> _former = [];
    private RunPlan? _plan;

    /// <summary>All members, lost ones too.</summary>
    public ImmutableArray<RunMember> Members => _members;

    /// <summary>Everyone who has worked for the run, those included who were dropped after its start.</summary>
    public ImmutableArray<RunMember> Everyone => [.. _members, .. _former];

    /// <summary>Members that were not lost.</summary>
    public IEnumerable<RunMember> Working => _members.Where(m => m.Lost is null);

    /// <summary>What all members were told last; null before the first time.</summary>
    public RunOrder? Order { get; private set; }

    /// <summary>Takes idle agents into the run: all of them, or none when another run was quicker with one.</summary>
    public bool TryEnlist(ImmutableArray<AgentState> agents)
    {
        foreach (var agent in agents)
        {
            if (!registry.TryReserve(agent, run))
            {
                ReleaseAll();
                _members = [];
                return false;
            }

            _members = _members.Add(new RunMember(agent));
        }

        return true;
    }

    /// <summary>Tells every member what to do from now on. The same plan with another order, or another plan.</summary>
    /// <param name="plan">Members without a part in it are dismissed.</param>
    /// <param name="phase">The phase wanted.</param>
    /// <param name="startNanos">The start instant; null before it is fixed.</param>
    /// <param name="drainTimeout">How long a drain may take.</param>
    /// <param name="elapsed">Now.</param>
    public void Command(RunPlan plan, Phase phase, long? startNanos, TimeSpan drainTimeout, TimeSpan elapsed)
    {
        var parts = plan.Agents.ToDictionary(a => a.AgentId, StringComparer.Ordinal);
        Dismiss([.. _members.Where(m => !parts.ContainsKey(m.Agent.Id))]);
        _plan = plan;
        foreach (var member in _members)
            member.Take(parts[member.Agent.Id]);
        readers.Choose(_members, elapsed);
        Order = new RunOrder((Order?.Number ?? 0) + 1, phase, startNanos, drainTimeout);
        foreach (var member in _members)
            record.Assign(member.Agent, builder.Build(member.Plan!, Order, readers.DutyOf(member, _members)));
    }

    /// <summary>Names another reader of the kernel where one has fallen silent; tells all members the same again if so.</summary>
    public void ReviewReaders(TimeSpan elapsed)
    {
        if (readers.Choose(_members, elapsed))
            Repeat(elapsed);
    }

    /// <summary>
    /// Members that have drained although they were not told to: their leases had ended, or they think that the run has lasted long enough.
    /// </summary>
    public ImmutableArray<RunMember> Idlers() =>
        [.. Working.Where(m => Order is { Phase: not Phase.Drained } order && m.HasReached(run.RunId, order.Number, Phase.Drained))];

    /// <summary>Tells all members the same again, under a new revision.</summary>
    public void Repeat(TimeSpan elapsed)
    {
        if (_plan is { } plan && Order is { } order)
            Command(plan, order.Phase, order.StartNanos, order.DrainTimeout, elapsed);
    }

    /// <summary>Members that have not reached a phase of the newest order.</summary>
    public ImmutableArray<RunMember> Laggards(Phase phase) =>
        [.. Working.Where(m => Order is not { } order || !m.HasReached(run.RunId, order.Number, phase))];

    /// <summary>The first member that refuses the newest order, and its words; null when none does.</summary>
    public (RunMember Member, AgentRefusal Refusal)? Refusal() => Working
        .Select(m => (Member: m, Order is { } order ? m.StatusOf(run.RunId, order.Number)?.Refused : null))
        .Where(p => p.Item2 is not null)
        .Select(p => ((RunMember, AgentRefusal)?)(p.Member, p.Item2!))
        .FirstOrDefault();

    /// <summary>Looks who was lost, and who has come back after that.</summary>
    /// <returns>Members whose <see cref="RunMember.Lost"/> has changed.</returns>
    public ImmutableArray<RunMember> ReviewLosses(TimeSpan drainTimeout)
    {
        var changed = ImmutableArray.CreateBuilder<RunMember>();
        // Who has drained has nothing left to lose.
        foreach (var member in _members.Where(m => m.DrainedAt is null))
        {
            if (member.Lost is null && member.Agent.IsLost(drainTimeout))
            {
                member.Lost = member.Agent.Departure ?? $"not heard for {member.Agent.Silence.TotalSeconds:0} s";
                changed.Add(member);
            }
            else if (member.Lost is not null && member.Agent.Departure is null && member.Agent.Answers)
            {
                // It was given its newest assignment when it attached; its blocks were kept for it.
                member.Lost = null;
                changed.Add(member);
            }
        }

        return changed.ToImmutable();
    }

    /// <summary>Drops members out of the run: they are told to drain, and are free for another one.</summary>
    public void Dismiss(ImmutableArray<RunMember> dismissed)
    {
        foreach (var member in dismissed)
        {
            if (Order is { } order && member.Plan is { } part)
            {
                var leave = new RunOrder(order.Number + 1, Phase.Drained, order.StartNanos, order.DrainTimeout);
                record.Assign(member.Agent, builder.Build(part, leave, null));
            }

            registry.Release(member.Agent, run);
        }

        _members = _members.RemoveRange(dismissed);
        if (Order?.StartNanos is not null)
            _former = [.. _former, .. dismissed];
    }

    /// <summary>The run has ended: its agents are free. What they were told stays for those that come back late.</summary>
    public void ReleaseAll()
    {
        foreach (var member in _members)
            registry.Release(member.Agent, run);
    }
}
