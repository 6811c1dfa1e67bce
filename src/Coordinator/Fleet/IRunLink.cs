using LoadHarness.Coordinator.Aggregation;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>What the fleet tells a run. Every member returns at once and may be called from any thread.</summary>
public interface IRunLink
{
    /// <summary>The run's id.</summary>
    string RunId { get; }

    /// <summary>An agent of this run has attached, answered, fallen silent or left: look at the agents again.</summary>
    void AgentChanged();

    /// <summary>Keeps a sample. Once this has returned the sample counts as kept, and the agent may forget it.</summary>
    /// <param name="sample">Never given twice.</param>
    void Keep(AgentSample sample);

    /// <summary>Something about an agent that the run's report must say.</summary>
    void Note(string agentId, AgentFinding finding);
}
