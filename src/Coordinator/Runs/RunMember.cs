using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

/// <summary>One agent in one run. Only the run's own loop touches it.</summary>
internal sealed class RunMember(AgentState agent)
{
    /// <summary>The agent.</summary>
    public AgentState Agent => agent;

    /// <summary>Its part of the plan; null before there is one.</summary>
    public AgentPlan? Plan { get; private set; }

    /// <summary>The largest share that it was given.</summary>
    public long LargestShare { get; private set; }

    /// <summary>When it had closed everything, elapsed; null before.</summary>
    public TimeSpan? DrainedAt { get; set; }

    /// <summary>How it was lost; null while it works.</summary>
    public string? Lost { get; set; }

    /// <summary>Gives it a part of a plan.</summary>
    public void Take(AgentPlan plan)
    {
        Plan = plan;
        LargestShare = Math.Max(LargestShare, plan.Share);
    }

    /// <summary>The agent's newest word on this very revision of this run; null when it has not taken it yet.</summary>
    public AgentStatus? StatusOf(string runId, ulong number) =>
        agent.Status is { } status && status.RunId == runId && status.Revision.Epoch == agent.Assignment?.Revision.Epoch
        && status.Revision.Number == number ? status : null;

    /// <summary>Whether it has reached a phase of a revision.</summary>
    public bool HasReached(string runId, ulong number, Phase phase) =>
        StatusOf(runId, number) is { Refused: null } status && status.Phase == phase;
}
