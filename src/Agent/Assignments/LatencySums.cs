using System.Collections.Immutable;
using HdrHistogram;
using LoadHarness.Agent.Measurement;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Assignments;

/// <summary>The latencies of all reactors since the last sample, by kind, in the shared layout. Used by one thread.</summary>
internal sealed class LatencySums
{
    private readonly Dictionary<HistogramKind, (LongHistogram Values, long Clamped)> _sums = [];

    /// <summary>Adds those of one reactor.</summary>
    public void Add(Latencies latencies)
    {
        foreach (var kind in latencies.Kinds)
        {
            var (sum, clamped) = SumOf(kind);
            latencies[kind].AddTo(sum);
            _sums[kind] = (sum, clamped + latencies[kind].Clamped);
        }

        if (latencies.PeerCloseAges.TotalCount > 0)
            AddAges(latencies.PeerCloseAges, SumOf(HistogramKind.PeerCloseAge).Values);
    }

    /// <summary>Encodes what there is, and begins anew.</summary>
    public ImmutableArray<EncodedHistogram> Take()
    {
        var histograms = ImmutableArray.CreateBuilder<EncodedHistogram>();
        foreach (var (kind, (values, clamped)) in _sums.Where(s => s.Value.Values.TotalCount > 0).ToList())
        {
            histograms.Add(new(kind, HistogramLayout.Encode(values), clamped));
            values.Reset();
            _sums[kind] = (values, 0);
        }

        return histograms.DrainToImmutable();
    }

    private (LongHistogram Values, long Clamped) SumOf(HistogramKind kind) =>
        _sums.TryGetValue(kind, out var sum) ? sum : _sums[kind] = (HistogramLayout.Create(), 0);

    // Of two digits: in the shared layout from here on.
    private static void AddAges(IntHistogram ages, LongHistogram sum)
    {
        foreach (var bucket in ages.RecordedValues())
            sum.RecordValueWithCount(HistogramLayout.Clamp(ages.MedianEquivalentValue(bucket.ValueIteratedTo)), bucket.CountAddedInThisIterationStep);
    }
}
