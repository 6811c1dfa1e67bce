namespace LoadHarness.Agent.Assignments;

/// <summary>
/// Converges on the newest assignment. All members may be called from any plain thread; none blocks for longer than
/// it takes to hand a command to the reactors.
/// </summary>
public interface IAssignmentRunner
{
    /// <summary>Takes an assignment. An older or equal revision of the same run changes nothing.</summary>
    void Apply(Assignment assignment);

    /// <summary>The present status; null while there is no assignment.</summary>
    AssignmentStatus? Status { get; }

    /// <summary>The store that the run in hand is out of; null when there is none. Only that coordinator keeps its lease alive.</summary>
    string? WorksForStore { get; }

    /// <summary>Raised, on a plain thread, whenever <see cref="Status"/> has changed in phase, revision, refusal or findings.</summary>
    event Action? StatusChanged;

    /// <summary>Drains for a local reason (lease ended, SIGTERM) and returns when every socket is closed.</summary>
    /// <param name="reason">For the log and the status findings.</param>
    void Drain(string reason);
}
