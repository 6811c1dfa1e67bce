using System.Collections.Immutable;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Agents of one run with one task, and what they were told last. Only the run's own loop touches it.</summary>
internal abstract class Roster(IRunLink run, AgentRegistry registry)
{
    /// <summary>All members, lost ones too.</summary>
    public ImmutableArray<RunMember> Members { get; private set; } = [];

    /// <summary>Members that were not lost.</summary>
    public IEnumerable<RunMember> Working => Members.Where(m => m.Lost is null);

    /// <summary>What all members were told last; null before the first time.</summary>
    public RunOrder? Order { get; protected set; }

    /// <summary>When those that had drained by themselves were told to go on, elapsed.</summary>
    public TimeSpan RousedAt { get; set; } = TimeSpan.MinValue / 2;

    /// <summary>Takes idle agents into the run: all of them, or none when another run was quicker with one.</summary>
    public bool TryEnlist(ImmutableArray<AgentState> agents)
    {
        foreach (var agent in agents)
        {
            if (!registry.TryReserve(agent, run))
            {
                ReleaseAll();
                Members = [];
                return false;
            }

            Members = Members.Add(new RunMember(agent));
        }

        return true;
    }

    /// <summary>Members that have not reached a phase of the newest order.</summary>
    public ImmutableArray<RunMember> Laggards(Phase phase) =>
        [.. Working.Where(m => Order is not { } order || !m.HasReached(run.RunId, order.Number, phase))];

    /// <summary>
    /// Members that have drained although they were not told to: their leases had ended, or they think that the run has lasted long enough.
    /// </summary>
    public ImmutableArray<RunMember> Idlers() =>
        [.. Working.Where(m => Order is { Phase: not Phase.Drained } order && m.HasReached(run.RunId, order.Number, Phase.Drained))];

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
        foreach (var member in Members.Where(m => m.DrainedAt is null))
        {
            if (member.Lost is null && member.Agent.IsLost(drainTimeout))
            {
                member.Lost = member.Agent.Departure ?? $"not heard for {member.Agent.Silence.TotalSeconds:0} s";
                changed.Add(member);
            }
            else if (member.Lost is not null && member.Agent.Departure is null && member.Agent.Answers)
            {
                // It was given its newest assignment when it attached; what it had was kept for it.
                member.Lost = null;
                changed.Add(member);
            }
        }

        return changed.ToImmutable();
    }

    /// <summary>Takes note of the members that have closed everything.</summary>
    public void NoteDrained(TimeSpan elapsed)
    {
        foreach (var member in Working.Except(Laggards(Phase.Drained)))
            member.DrainedAt ??= elapsed;
    }

    /// <summary>The run.</summary>
    protected string RunId => run.RunId;

    /// <summary>A member's newest word on an order; null when it has not taken it yet.</summary>
    protected AgentStatus? StatusOf(RunMember member, RunOrder order) => member.StatusOf(run.RunId, order.Number);

    /// <summary>Tells all members the same again, under a new revision.</summary>
    public abstract void Repeat(TimeSpan elapsed);

    /// <summary>The run has ended: its agents are free. What they were told stays for those that come back late.</summary>
    public void ReleaseAll()
    {
        foreach (var member in Members)
            registry.Release(member.Agent, run);
    }

    /// <summary>The run needs these no longer.</summary>
    protected void Drop(ImmutableArray<RunMember> dropped)
    {
        foreach (var member in dropped)
            registry.Release(member.Agent, run);
        Members = Members.RemoveRange(dropped);
    }

    /// <summary>The order after the present one.</summary>
    protected RunOrder Next(Phase phase, long? startNanos, TimeSpan drainTimeout) =>
        Order = new RunOrder((Order?.Number ?? 0) + 1, phase, startNanos, drainTimeout);
}
