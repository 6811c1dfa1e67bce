using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

/// <summary>One agent in one run. Only the run's own loop touches it.</summary>
internal sealed class RunMember(AgentState agent)
{
    private const double ResetsPerSecond = 40_000;

    /// <summary>The agent.</summary>
    public AgentState Agent => agent;

    /// <summary>Its part of the plan; null before there is one.</summary>
    public AgentPlan? Plan { get; private set; }

    /// <summary>The largest share that it was given.</summary>
    public long LargestShare { get; private set; }

    /// <summary>When it had closed everything, elapsed; null before.</summary>
    public TimeSpan? DrainedAt { get; set; }

    /// <summary>How it was lost; null while it works, and once it is back.</summary>
    public string? Lost { get; private set; }

    /// <summary>When and with what it was lost; null while it works, and once it is back.</summary>
    public MemberLoss? Loss { get; private set; }

    /// <summary>When it came while the run was under load, elapsed; null once it has taken what it was given, and for those of the start.</summary>
    public TimeSpan? JoinedAt { get; set; }

    /// <summary>Whether it came under load and has not yet taken what it was given.</summary>
    public bool IsNew => JoinedAt is not null;

    /// <summary>Its share now: none when the plan is without it.</summary>
    public long Share { get; private set; }

    /// <summary>Gives it a part of a plan.</summary>
    public void Take(AgentPlan plan)
    {
        (Plan, Share) = (plan, plan.Share);
        LargestShare = Math.Max(LargestShare, plan.Share);
    }

    /// <summary>The plan is without it.</summary>
    public void Leave() => Share = 0;

    /// <summary>It is lost.</summary>
    /// <param name="loss">When and with what.</param>
    public void Lose(MemberLoss loss) => (Lost, Loss) = (loss.How, loss);

    /// <summary>It is back.</summary>
    public void Return() => (Lost, Loss, DrainedAt) = (null, null, null);

    /// <summary>How long its drain may take, with the resets of what is left at its deadline.</summary>
    public TimeSpan DrainTime(TimeSpan drainTimeout) => drainTimeout + ResetTime(LargestShare);

    /// <summary>How long it takes to reset some connections, with both ends on one busy host: 25 us each.</summary>
    public static TimeSpan ResetTime(long connections) => TimeSpan.FromSeconds(connections / ResetsPerSecond);

    /// <summary>To be kept.</summary>
    public MemberConduct Kept => new(agent.Hello with { Held = null }, Plan, Share, LargestShare, DrainedAt, Loss, JoinedAt);

    /// <summary>As an earlier life of the coordinator kept it.</summary>
    public static RunMember Of(AgentState agent, MemberConduct kept) =>
        new(agent)
        {
            Plan = kept.Plan,
            Share = kept.Share,
            LargestShare = kept.LargestShare,
            DrainedAt = kept.DrainedAt,
            Lost = kept.Loss?.How,
            Loss = kept.Loss,
            JoinedAt = kept.JoinedAt,
        };

    /// <summary>The agent's newest word on this very revision of this run; null when it has not taken it yet.</summary>
    public AgentStatus? StatusOf(string runId, ulong number) =>
        agent.Status is { } status && status.RunId == runId && status.Revision.Epoch == agent.Assignment?.Revision.Epoch
        && status.Revision.Number == number ? status : null;

    /// <summary>Whether it has reached a phase of a revision.</summary>
    public bool HasReached(string runId, ulong number, Phase phase) =>
        StatusOf(runId, number) is { Refused: null } status && status.Phase == phase;
}

/// <summary>How an agent was lost.</summary>
/// <param name="How">For people.</param>
/// <param name="At">Elapsed.</param>
/// <param name="IsProven">Whether its process is known to have ended: else it may be stopped, with all of its sockets.</param>
/// <param name="Incarnation">The process life that was there.</param>
/// <param name="Held">Connections that it held when it was heard last.</param>
internal sealed record MemberLoss(string How, TimeSpan At, bool IsProven, string Incarnation, long Held);
