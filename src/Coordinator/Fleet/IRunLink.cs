using LoadHarness.Coordinator.Aggregation;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>What the fleet tells a run. Every member returns at once and may be called from any thread.</summary>
public interface IRunLink
{
    /// <summary>The run's id.</summary>
    string RunId { get; }

    /// <summary>An agent of this run has attached, answered, fallen silent or left: look at the agents again.</summary>
    void AgentChanged();

    /// <summary>Takes a sample, and keeps it.</summary>
    /// <param name="sample">May be given again when keeping it has failed.</param>
    /// <param name="bytes">As it came.</param>
    /// <returns>Completes when the sample is stored: only then may the agent forget it. Fails when it cannot be.</returns>
    Task KeepAsync(AgentSample sample, byte[] bytes);

    /// <summary>Something about an agent that the run's report must say.</summary>
    void Note(string agentId, AgentFinding finding);
}
