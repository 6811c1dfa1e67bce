using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>
/// What the backends of a run measured: the other side of the same connections, which is never added to the clients' sums. It has no
/// clock either. Not safe for use by several threads at once.
/// </summary>
public sealed class BackendTimeline(TimeSpan longest)
{
    // A report is a second old at most, and may have been cut by the drain.
    private static readonly TimeSpan _fresh = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, (TimeSpan At, long Established)> _held = new(StringComparer.Ordinal);
    private TimeSpan? _drainFrom;

    /// <summary>Second by second, as the clients' is.</summary>
    public Timeline Timeline { get; } = new(longest);

    /// <summary>Takes a sample of a backend.</summary>
    public SampleOutcome Add(AgentSample sample)
    {
        var outcome = Timeline.Add(sample);
        if (outcome == SampleOutcome.Added && !(sample.To > _drainFrom)
            && (!_held.TryGetValue(sample.AgentId, out var known) || known.At <= sample.To))
        {
            _held[sample.AgentId] = (sample.To, sample.Gauges.Established);
        }

        return outcome;
    }

    /// <summary>The clients begin to close: what is held from now on says nothing of the hold.</summary>
    public void BeginDrain(TimeSpan elapsed) => _drainFrom ??= elapsed;

    /// <summary>What a backend held when the drain began; null when its last report before that is more than two seconds older.</summary>
    public long? HeldBy(string agentId) =>
        _held.TryGetValue(agentId, out var held) && (_drainFrom is not { } drain || drain - held.At <= _fresh) ? held.Established : null;

    /// <summary>Readings of the server ends taken between two instants, the newest of each network namespace.</summary>
    public ImmutableArray<KernelComparison> KernelBetween(TimeSpan from, TimeSpan to) => Timeline.Kernel.Between(from, to);
}
