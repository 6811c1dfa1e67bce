using CsCheck;
using HdrHistogram;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.Fleet;

/// <summary>Our decoder of strangers' histograms against HdrHistogram's own encoder.</summary>
public sealed class HistogramLayoutTests
{
    // The ratio of integers to doubles means nothing to us.
    private const int CheckedHeaderBytes = 32;

    // What a histogram of the layout takes itself, and as much again for words about what is wrong.
    private const long MostAllocated = 1 << 20;

    private static readonly Gen<long> _value = Gen.Select(Gen.Int[0, 31], Gen.Double[1, 2]).Select((octave, part) =>
        HistogramLayout.Clamp((long)((1L << octave) * part)));

    private static readonly Gen<LongHistogram> _histogram = Gen.Select(_value, Gen.Long[1, 1L << 30]).List[0, 50].Select(values =>
    {
        var histogram = HistogramLayout.Create();
        foreach (var (value, count) in values)
            histogram.RecordValueWithCount(value, count);
        return histogram;
    });

    [Test]
    public void Decode_OfAnyEncoded_IsEqual() => _histogram.Sample(
        histogram => Counts(HistogramLayout.Decode(HistogramLayout.Encode(histogram))).SequenceEqual(Counts(histogram)), iter: 500);

    [Test]
    public void Decode_OfTheBounds_IsEqual()
    {
        var histogram = HistogramLayout.Create();
        foreach (var value in new[] { HistogramLayout.LowestMicros, 2, 1023, 1024, 2047, 2048, 2049, 4095, 4096, HistogramLayout.HighestMicros })
            histogram.RecordValue(value);

        Assert.That(Counts(HistogramLayout.Decode(HistogramLayout.Encode(histogram))), Is.EqualTo(Counts(histogram)));
    }

    [Test]
    public void AddTo_Several_IsTheirSum() => Gen.Select(_histogram, _histogram).Sample(
        (one, other) =>
        {
            var sum = HistogramLayout.Create();
            HistogramLayout.AddTo(sum, HistogramLayout.Encode(one));
            HistogramLayout.AddTo(sum, HistogramLayout.Encode(other));
            one.Add(other);
            return Counts(sum).SequenceEqual(Counts(one));
        },
        iter: 200);

    [Test]
    public void Decode_WithAnyByteOfTheHeaderChanged_IsRefused() => Gen.Select(_histogram, Gen.Int[0, CheckedHeaderBytes - 1], Gen.Byte[1, 255]).Sample(
        (histogram, at, change) =>
        {
            var bytes = HistogramLayout.Encode(histogram);
            bytes[at] ^= change;
            return IsRefused(bytes);
        },
        iter: 500);

    [Test]
    public void Decode_OfAnotherLength_IsRefused() => Gen.Select(_histogram, Gen.Int[0, 1000], Gen.Byte.Array[1, 20]).Sample(
        (histogram, cut, more) =>
        {
            var bytes = HistogramLayout.Encode(histogram);
            return IsRefused(bytes[..(cut % bytes.Length)]) && IsRefused([.. bytes, .. more]);
        },
        iter: 500);

    [Test]
    public void Decode_OfAnyCounts_IsRefusedOrWithinTheLayoutAndTakesNoMemory() => Gen.Select(_histogram, Gen.Byte.Array[0, 400]).Sample(
        (histogram, counts) =>
        {
            var bytes = (byte[])[.. HistogramLayout.Encode(histogram)[..40], .. counts];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), counts.Length);
            var before = GC.GetAllocatedBytesForCurrentThread();
            var taken = !IsRefused(bytes);
            return GC.GetAllocatedBytesForCurrentThread() - before < MostAllocated && (!taken || HistogramLayout.Decode(bytes).TotalCount >= 0);
        },
        iter: 2_000);

    // Four billion empty buckets, as many values as a long holds, and a count that never ends.
    [TestCase(new byte[] { 0xff, 0xff, 0xff, 0xff, 0x1f })]
    [TestCase(new byte[] { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff })]
    [TestCase(new byte[] { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff })]
    [TestCase(new byte[] { 0x80, 0x80, 0x80 })]
    public void Decode_OfWildCounts_IsRefused(byte[] counts)
    {
        var bytes = (byte[])[.. HistogramLayout.Encode(HistogramLayout.Create())[..40], .. counts];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(4), counts.Length);

        Assert.That(() => HistogramLayout.Decode(bytes), Throws.TypeOf<InvalidDataException>());
    }

    // Anything but InvalidDataException fails the test.
    private static bool IsRefused(byte[] bytes)
    {
        try
        {
            HistogramLayout.Decode(bytes);
            return false;
        }
        catch (InvalidDataException)
        {
            return true;
        }
    }

    private static List<(long Value, long Count)> Counts(HistogramBase histogram) =>
        [.. histogram.RecordedValues().Select(v => (v.ValueIteratedTo, v.CountAddedInThisIterationStep))];
}
