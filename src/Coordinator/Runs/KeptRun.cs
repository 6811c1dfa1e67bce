using System.Collections.Immutable;
using System.Text.Json;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Store;

namespace LoadHarness.Coordinator.Runs;

/// <summary>A run that went on when the coordinator ended, as the store has it.</summary>
/// <param name="Snapshot">As users saw it.</param>
/// <param name="RequestId">Of the request that made it; may be empty.</param>
/// <param name="Conduct">How it was conducted; without a plan while it waits for agents.</param>
/// <param name="Measurements">What it had measured beside seconds and samples.</param>
/// <param name="Seconds">Of the clients.</param>
/// <param name="BackendSeconds">Of the backends.</param>
/// <param name="Samples">Those that are not folded.</param>
/// <param name="Events">All.</param>
/// <param name="Readers">Agents that were told last to read the kernel.</param>
/// <param name="AwayFor">For how long the coordinator was gone; null: the machine was started anew since.</param>
internal sealed record KeptRun(
    RunSnapshot Snapshot,
    string RequestId,
    RunConduct Conduct,
    MeasurementsCheckpoint Measurements,
    ImmutableArray<SecondTotals> Seconds,
    ImmutableArray<SecondTotals> BackendSeconds,
    ImmutableArray<SampleRow> Samples,
    ImmutableArray<RunEvent> Events,
    ImmutableHashSet<string> Readers,
    TimeSpan? AwayFor)
{
    /// <summary>Everyone who has taken part.</summary>
    public IEnumerable<MemberConduct> Everyone => Conduct.Clients.Concat(Conduct.Former).Concat(Conduct.Backends);

    /// <summary>Reads a run.</summary>
    /// <returns>Null when there is nothing to go on with.</returns>
    /// <exception cref="JsonException">What was kept cannot be read.</exception>
    /// <exception cref="WireException">Likewise.</exception>
    public static KeptRun? Read(CoordinatorStore store, RunRow row)
    {
        var snapshot = RunRecord.FromRow(row);
        snapshot = snapshot with { Spec = RunRecord.SecretsOf(store).AddTo(snapshot.Spec, row.Id) };
        var kept = store.Checkpoints.Of(row.Id);
        var conduct = kept is null ? new() : StoredState.Read<RunConduct>(kept.Conduct);
        if (conduct.Plan is null && !CanWaitAgain(snapshot, store.AwayFor))
            return null;
        var readers = store.Runs.LastRevisions(row.Id)
            .Where(r => WireTranslation.ToAssignment(r.Assignment).KernelView is not null).Select(r => r.AgentId);
        return new(
            snapshot, row.RequestId, conduct,
            kept?.Measurements is { } measurements ? StoredState.Read<MeasurementsCheckpoint>(measurements) : new(),
            store.Folds.Seconds(row.Id), store.Folds.BackendSeconds(row.Id), store.Runs.Samples(row.Id), store.Events.Of(row.Id),
            readers.ToImmutableHashSet(StringComparer.Ordinal), store.AwayFor);
    }

    // No agent was told anything. Without a number it would take whoever comes back first; and nobody expects a run to begin long after he asked for it.
    private static bool CanWaitAgain(RunSnapshot run, TimeSpan? awayFor) =>
        run is { State: RunState.Pending, Spec.Agents: not null } && awayFor <= run.Spec.ReadyTimeout;

    /// <summary>The samples that are not folded, oldest first; those of agents that never took part are left out.</summary>
    /// <exception cref="WireException">One cannot be read.</exception>
    public IEnumerable<AgentSample> UnfoldedSamples()
    {
        var hellos = Everyone.DistinctBy(m => m.Hello.AgentId).ToDictionary(m => m.Hello.AgentId, m => m.Hello, StringComparer.Ordinal);
        return Samples.Where(s => hellos.ContainsKey(s.AgentId))
            .Select(s => WireTranslation.ToSample(s.Sample, hellos[s.AgentId] with { Incarnation = s.Incarnation }));
    }
}
