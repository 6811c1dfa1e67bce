using System.Collections.Concurrent;
using LoadHarness.Agent.Assignments;

namespace LoadHarness.Agent.Tests.Link;

/// <summary>Stands in for the runner: records what it is told and says what the test wants.</summary>
internal sealed class RecordingRunner : IAssignmentRunner
{
    private AssignmentStatus? _status;

    public event Action? StatusChanged;

    public ConcurrentQueue<Assignment> Applied { get; } = [];

    public ConcurrentQueue<string> Drains { get; } = [];

    public AssignmentStatus? Status
    {
        get => Volatile.Read(ref _status);
        set
        {
            Volatile.Write(ref _status, value);
            StatusChanged?.Invoke();
        }
    }

    /// <summary>As the status says; what it refuses is not in hand.</summary>
    public string? WorksForStore => Status is { Refused: null, Phase: LoadHarness.V1.Phase.Prepared or LoadHarness.V1.Phase.Running } or { Held: > 0 } ? Status.StoreId : null;

    public void Apply(Assignment assignment) => Applied.Enqueue(assignment);

    public void Drain(string reason) => Drains.Enqueue(reason);
}
