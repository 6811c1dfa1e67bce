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

    /// <summary>What each backend held last before the drain, and when that was.</summary>
    public ImmutableDictionary<string, (TimeSpan At, long Established)> Held => _held.ToImmutableDictionary(StringComparer.Ordinal);

    /// <summary>When the clients began to close; null before.</summary>
    public TimeSpan? DrainFrom => _drainFrom;

    /// <summary>Goes on where another one was.</summary>
    /// <param name="held">As <see cref="Held"/>.</param>
    /// <param name="drainFrom">As <see cref="DrainFrom"/>.</param>
    public void Restore(IEnumerable<KeyValuePair<string, (TimeSpan At, long Established)>> held, TimeSpan? drainFrom)
    {
        _drainFrom = drainFrom;
        foreach (var (agent, last) in held)
            _held[agent] = last;
    }

    /// <summary>The same again, to be closed while this one goes on.</summary>
    public BackendTimeline Copy()
    {
        var copy = new BackendTimeline(longest);
        copy.Timeline.Restore(Timeline.Checkpoint(0), []);
        copy.Restore(_held, _drainFrom);
        return copy;
    }

    /// <summary>Readings of the server ends taken between two instants, the newest of each network namespace.</summary>
    public ImmutableArray<KernelComparison> KernelBetween(TimeSpan from, TimeSpan to) => Timeline.Kernel.Between(from, to);
}
