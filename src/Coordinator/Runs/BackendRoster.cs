using System.Collections.Immutable;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Runs;

/// <summary>The backends of one run; none for most runs.</summary>
internal sealed class BackendRoster(IRunLink run, AgentRegistry registry, RunRecord record, AssignmentBuilder builder)
    : Roster(run, registry)
{
    // Each namespace has one reader for its server ends, whoever reads its client ends.
    private readonly KernelReaders _readers = new();

    /// <summary>Takes note of a sample of any agent.</summary>
    public void Heard(Aggregation.AgentSample sample, TimeSpan elapsed) => _readers.Heard(sample, elapsed);

    /// <summary>Begins with the readers that an earlier life of the coordinator had named.</summary>
    public void RestoreReaders(ImmutableHashSet<string> named, TimeSpan elapsed) =>
        _readers.Restore(Members.Where(m => named.Contains(m.Agent.Id)), elapsed);

    /// <summary>Tells every backend what to do from now on.</summary>
    /// <param name="phase">The phase wanted.</param>
    /// <param name="startNanos">The start instant; null before it is fixed.</param>
    /// <param name="drainTimeout">How long a drain may take.</param>
    /// <param name="elapsed">Now.</param>
    public void Command(Phase phase, long? startNanos, TimeSpan drainTimeout, TimeSpan elapsed)
    {
        if (Members.IsEmpty)
            return;
        _readers.Choose(Members, elapsed);
        var order = Next(phase, startNanos, drainTimeout);
        foreach (var member in Members)
            record.Assign(member.Agent, builder.BuildBackend(order, _readers.DutyOf(member, Members, [])));
    }

    /// <summary>Names another reader of the kernel where one has fallen silent; tells all backends the same again if so.</summary>
    public void ReviewReaders(TimeSpan elapsed)
    {
        if (_readers.Choose(Members, elapsed))
            Repeat(elapsed);
    }

    /// <inheritdoc/>
    public override void Repeat(TimeSpan elapsed)
    {
        if (Order is { } order)
            Command(order.Phase, order.StartNanos, order.DrainTimeout, elapsed);
    }
}
