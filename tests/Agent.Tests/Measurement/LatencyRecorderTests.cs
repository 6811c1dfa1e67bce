using CsCheck;
using LoadHarness.Agent.Measurement;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Measurement;

/// <summary>Our array of counts against HdrHistogram's own recording.</summary>
public sealed class LatencyRecorderTests
{
    private static readonly Gen<long> _value = Gen.OneOf(
        Gen.Select(Gen.Int[0, 33], Gen.Double[1, 2]).Select((octave, part) => (long)((1L << octave) * part)),
        Gen.OneOf(Gen.Const(-5L), Gen.Const(0L), Gen.Const(2047L), Gen.Const(2048L), Gen.Const(HistogramLayout.HighestMicros), Gen.Const(HistogramLayout.HighestMicros + 1)));

    [Test]
    public void Record_AnyValues_CountsAsHdrHistogramDoes() =>
        _value.Array[0, 200].Sample(values =>
        {
            var recorder = new LatencyRecorder();
            var theirs = HistogramLayout.Create();
            foreach (var value in values)
            {
                recorder.Record(value);
                theirs.RecordValue(HistogramLayout.Clamp(value));
            }

            var ours = HistogramLayout.Create();
            recorder.AddTo(ours);
            return HistogramLayout.Encode(ours).SequenceEqual(HistogramLayout.Encode(theirs))
                && recorder.Count == values.Length
                && recorder.Clamped == values.Count(v => v > HistogramLayout.HighestMicros);
        });

    [Test]
    public void BucketOf_AnyValue_HoldsItAndNothingOfItsNeighbours() =>
        _value.Select(HistogramLayout.Clamp).Sample(value =>
        {
            var bucket = HistogramLayout.BucketOf(value);
            return HistogramLayout.ValueOf(bucket) <= value && value < HistogramLayout.ValueOf(bucket + 1) && bucket < HistogramLayout.Buckets;
        });

    [Test]
    public void RecordSince_OverTheWrapOfItsClock_IsTheSpan()
    {
        var recorder = new LatencyRecorder();
        var sum = HistogramLayout.Create();

        recorder.RecordSince(uint.MaxValue - 99, ((1L << 32) + 900) * 1000);
        recorder.AddTo(sum);

        Assert.That(sum.GetCountAtValue(1000), Is.EqualTo(1));
    }

    [Test]
    public void Reset_ForgetsAll()
    {
        var recorder = new LatencyRecorder();
        recorder.Record(HistogramLayout.HighestMicros + 1);
        recorder.Reset();
        var sum = HistogramLayout.Create();
        recorder.AddTo(sum);

        Assert.That((recorder.Count, recorder.Clamped, sum.TotalCount), Is.EqualTo((0, 0, 0)));
    }
}
