using System.Collections.Immutable;
using CsCheck;
using HdrHistogram;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Tests.Reports;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Aggregation;

/// <summary>However values are spread over agents and seconds, what is made of their histograms is what is made of the values.</summary>
public sealed class MergedLatencyTests
{
    private const int Agents = 4;
    private const int Seconds = 25;

    private static readonly double[] _percentiles = [50, 90, 99, 99.9, 100];

    // Of any size, those beyond the layout among them.
    private static readonly Gen<(long Micros, int Agent, int Second)[]> _values =
        Gen.Select(Gen.Double[-1, 33].Select(octave => (long)Math.Pow(2, octave)), Gen.Int[0, Agents - 1], Gen.Int[0, Seconds - 1]).Array[1, 3000];

    [Test]
    public void Merge_OfAnyPartition_HasThePercentilesOfTheUnion() => _values.Sample(
        values =>
        {
            var timeline = new Timeline(TimeSpan.FromHours(1));
            var fold = new SampleFold();
            foreach (var sample in SamplesOf(values))
            {
                timeline.Add(sample);
                fold.Add(sample);
            }

            var intervals = fold.TakeUpTo(int.MaxValue - 10).Select(i => new LatencyInterval(
                HistogramKind.Request, TimeSpan.FromSeconds(i.FromSecond), TimeSpan.FromSeconds(i.FromSecond + SampleFold.Length), i.Histograms[HistogramKind.Request]));
            var logged = HistogramLayout.Create();
            foreach (var line in LatencyLogTextTests.Read(LatencyLogText.Write("r", DateTimeOffset.UnixEpoch, intervals)))
                logged.Add(line);

            var exact = values.Select(v => HistogramLayout.Clamp(v.Micros)).Order().ToArray();
            return Agrees(timeline.Histogram(HistogramKind.Request)!, exact) && Agrees(logged, exact);
        },
        iter: 200);

    // By the nearest rank, as HdrHistogram counts; a value stands for its bucket, which is at most 0.1 % wide.
    private static bool Agrees(HistogramBase merged, long[] exact) =>
        merged.TotalCount == exact.Length
        && _percentiles.All(p => IsSameBucket(merged, merged.GetValueAtPercentile(p), exact[Rank(p, exact.Length) - 1]))
        && IsSameBucket(merged, merged.GetMaxValue(), exact[^1])
        && (merged.HighestEquivalentValue(exact[^1]) - merged.LowestEquivalentValue(exact[^1])) * 1000 <= exact[^1];

    private static bool IsSameBucket(HistogramBase histogram, long one, long other) =>
        histogram.LowestEquivalentValue(one) == histogram.LowestEquivalentValue(other);

    private static int Rank(double percentile, int count) => Math.Max(1, (int)((percentile / 100 * count) + 0.5));

    private static IEnumerable<AgentSample> SamplesOf(IEnumerable<(long Micros, int Agent, int Second)> values) => values
        .GroupBy(v => (v.Agent, v.Second), v => v.Micros)
        .OrderBy(g => g.Key.Second)
        .Select(g => Samples.Of($"a{g.Key.Agent}", (ulong)g.Key.Second + 1, g.Key.Second, g.Key.Second + 1) with
        {
            // As it comes over the wire.
            Histograms = ImmutableDictionary<HistogramKind, HistogramBase>.Empty.Add(
                HistogramKind.Request, HistogramLayout.Decode(HistogramLayout.Encode(Samples.Histogram(g)))),
        });
}
