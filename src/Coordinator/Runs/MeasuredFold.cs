using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Measurements that can be kept in place of the samples that they were made of.</summary>
/// <param name="Seconds">Complete ones of the clients, new or changed.</param>
/// <param name="BackendSeconds">Likewise of the backends.</param>
/// <param name="Intervals">Parts of 10 s.</param>
/// <param name="Checkpoint">Everything else, as it is with these.</param>
internal sealed record MeasuredFold(
    ImmutableArray<SecondTotals> Seconds,
    ImmutableArray<SecondTotals> BackendSeconds,
    ImmutableArray<FoldedInterval> Intervals,
    MeasurementsCheckpoint Checkpoint);
