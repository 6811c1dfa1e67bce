using System.Collections.Immutable;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Agents of one run with one task, and what they were told last. Only the run's own loop touches it.</summary>
internal abstract class Roster(IRunLink run, AgentRegistry registry)
{
    // Who is not heard may go by an older order than the newest one.
    private TimeSpan _longestDrain;

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

    /// <summary>Begins with the members that an earlier life of the coordinator had; they were told nothing by this one.</summary>
    public void Restore(IEnumerable<RunMember> members) => Members = [.. members];

    /// <summary>Members that have not reached a phase of the newest order.</summary>
    public ImmutableArray<RunMember> Laggards(Phase phase) =>
        [.. Working.Where(m => Order is not { } order || !(m.HasReached(run.RunId, order.Number, phase) || (phase == Phase.Drained && m.DrainedAt is not null)))];

    /// <summary>
    /// Members that have drained although they were not told to: their leases had ended, or they think that the run has lasted long enough.
    /// </summary>
    public ImmutableArray<RunMember> Idlers() =>
        [.. Working.Where(m => Order is { Phase: not Phase.Drained } order && m.HasReached(run.RunId, order.Number, Phase.Drained))];

    /// <summary>Members that came under load and refuse what they were given, with their words, or that are silent for too long.</summary>
    /// <param name="latest">Who came before this is silent for too long, elapsed.</param>
    public ImmutableArray<(RunMember Member, AgentRefusal? Refusal)> ReviewNew(TimeSpan latest)
    {
        var refusing = ImmutableArray.CreateBuilder<(RunMember, AgentRefusal?)>();
        foreach (var member in Working.Where(m => m.IsNew))
        {
            var status = Order is { } order ? member.StatusOf(run.RunId, order.Number) : null;
            if (status is { Refused: { } refusal })
                refusing.Add((member, refusal));
            else if (status is not null)
                member.JoinedAt = null;
            else if (member.JoinedAt < latest)
                refusing.Add((member, null));
        }

        return refusing.ToImmutable();
    }

    /// <summary>The first member that refuses the newest order, and its words; null when none does. New ones may.</summary>
    public (RunMember Member, AgentRefusal Refusal)? Refusal() => Working.Where(m => !m.IsNew)
        .Select(m => (Member: m, Order is { } order ? m.StatusOf(run.RunId, order.Number)?.Refused : null))
        .Where(p => p.Item2 is not null)
        .Select(p => ((RunMember, AgentRefusal)?)(p.Member, p.Item2!))
        .FirstOrDefault();

    /// <summary>Members whose connections are gone for certain, and who are not known to be lost yet.</summary>
    public ImmutableArray<RunMember> NewlyLost() =>
        // Who has drained has nothing left to lose.
        [.. Working.Where(m => m.DrainedAt is null && m.Agent.IsLost(m.DrainTime(_longestDrain)))];

    /// <summary>Lost members that are there again; what they had was kept for them.</summary>
    public ImmutableArray<RunMember> Returned() =>
        [.. Members.Where(m => m is { Lost: not null, DrainedAt: null, Agent: { Departure: null, Answers: true } })];

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

    /// <summary>Takes one more into the run.</summary>
    /// <returns>False when another run was quicker.</returns>
    protected bool TryAdd(RunMember member)
    {
        if (!registry.TryReserve(member.Agent, run))
            return false;
        Members = Members.Add(member);
        return true;
    }

    /// <summary>The run needs these no longer.</summary>
    protected void Drop(ImmutableArray<RunMember> dropped)
    {
        foreach (var member in dropped)
            registry.Release(member.Agent, run);
        Members = Members.RemoveRange(dropped);
    }

    /// <summary>The order after the present one.</summary>
    protected RunOrder Next(Phase phase, long? startNanos, TimeSpan drainTimeout)
    {
        _longestDrain = drainTimeout > _longestDrain ? drainTimeout : _longestDrain;
        return Order = new RunOrder((Order?.Number ?? 0) + 1, phase, startNanos, drainTimeout);
    }
}
