using System.Collections.Immutable;
using HdrHistogram;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>
/// Folds samples into intervals of 10 s, to be kept in their place. A sample belongs to the interval in which it ends. What is
/// taken out is not kept here: a sample that comes late makes another part of its interval, and parts add up. Not safe for use by several threads at once.
/// </summary>
public sealed class SampleFold
{
    /// <summary>Seconds of an interval.</summary>
    public const int Length = 10;

    private readonly SortedDictionary<int, Part> _open = [];

    /// <summary>Takes a sample. Each is given once.</summary>
    /// <param name="sample">It.</param>
    /// <param name="ofBackend">What a backend failed at and how long it took are not the run's own failures and latencies.</param>
    public void Add(AgentSample sample, bool ofBackend = false)
    {
        var from = ((int)Math.Ceiling(sample.To.TotalSeconds) - 1) / Length * Length;
        if (!_open.TryGetValue(from, out var part))
            _open.Add(from, part = new Part());
        part.Add(sample, ofBackend);
    }

    /// <summary>Takes out the intervals that end at or before a second.</summary>
    /// <param name="completeSeconds">Seconds whose sums are complete: what is folded is needed for no sum any more.</param>
    public ImmutableArray<FoldedInterval> TakeUpTo(int completeSeconds)
    {
        var taken = _open.Where(p => p.Key + Length <= (long)completeSeconds).ToArray();
        foreach (var (from, _) in taken)
            _open.Remove(from);
        return [.. taken.Select(p => p.Value.ToInterval(p.Key))];
    }

    private sealed class Part
    {
        private readonly Dictionary<string, AgentInterval> _agents = new(StringComparer.Ordinal);
        private readonly Dictionary<FailureTally, long> _failures = [];
        private readonly Dictionary<HistogramKind, LongHistogram> _histograms = [];
        private readonly List<SampleKey> _samples = [];

        public void Add(AgentSample sample, bool ofBackend)
        {
            var interval = new AgentInterval(
                sample.AgentId, sample.To, sample.Gauges, sample.Counters, sample.Health.Cpu, sample.Health.RssBytes,
                sample.Health.ReactorLagMax, sample.Health.Saturated);
            _agents[sample.AgentId] = _agents.TryGetValue(sample.AgentId, out var before) ? before + interval : interval;
            _samples.Add(new(sample.AgentId, sample.Incarnation, sample.Sequence));
            if (ofBackend)
                return;
            foreach (var failure in sample.Failures)
                _failures[failure with { Count = 0 }] = _failures.GetValueOrDefault(failure with { Count = 0 }) + failure.Count;
            foreach (var (kind, histogram) in sample.Histograms)
            {
                if (!_histograms.TryGetValue(kind, out var merged))
                    _histograms.Add(kind, merged = HistogramLayout.Create());
                merged.Add(histogram);
            }
        }

        public FoldedInterval ToInterval(int from) => new(
            from,
            [.. _agents.Values],
            [.. _failures.Select(f => f.Key with { Count = f.Value })],
            _histograms.ToImmutableDictionary(h => h.Key, h => (HistogramBase)h.Value),
            [.. _samples]);
    }
}

/// <summary>A part of 10 s of a run.</summary>
/// <param name="FromSecond">Where it begins, elapsed.</param>
/// <param name="Agents">By agent.</param>
/// <param name="Failures">By kind.</param>
/// <param name="Histograms">By kind, in microseconds.</param>
/// <param name="Samples">What was folded.</param>
public sealed record FoldedInterval(
    int FromSecond,
    ImmutableArray<AgentInterval> Agents,
    ImmutableArray<FailureTally> Failures,
    ImmutableDictionary<HistogramKind, HistogramBase> Histograms,
    ImmutableArray<SampleKey> Samples);

/// <summary>One agent in 10 s.</summary>
/// <param name="AgentId">Its identity.</param>
/// <param name="To">The end of the newest sample, elapsed.</param>
/// <param name="Gauges">Of the newest sample.</param>
/// <param name="Counters">Deltas.</param>
/// <param name="Cpu">CPU time used.</param>
/// <param name="RssBytes">The most memory.</param>
/// <param name="ReactorLagMax">The longest time that a reactor was late.</param>
/// <param name="Saturated">Whether it was the limit at any time.</param>
public sealed record AgentInterval(
    string AgentId,
    TimeSpan To,
    GaugeValues Gauges,
    CounterValues Counters,
    TimeSpan Cpu,
    long RssBytes,
    TimeSpan ReactorLagMax,
    bool Saturated)
{
    /// <summary>Both together.</summary>
    public static AgentInterval operator +(AgentInterval a, AgentInterval b) => new(
        a.AgentId,
        a.To > b.To ? a.To : b.To,
        a.To > b.To ? a.Gauges : b.Gauges,
        a.Counters + b.Counters,
        a.Cpu + b.Cpu,
        Math.Max(a.RssBytes, b.RssBytes),
        a.ReactorLagMax > b.ReactorLagMax ? a.ReactorLagMax : b.ReactorLagMax,
        a.Saturated || b.Saturated);
}

/// <summary>What names a sample.</summary>
/// <param name="AgentId">Who measured it.</param>
/// <param name="Incarnation">In which process life.</param>
/// <param name="Sequence">Its number in that life.</param>
public readonly record struct SampleKey(string AgentId, string Incarnation, ulong Sequence);
