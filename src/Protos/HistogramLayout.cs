using HdrHistogram;
using HdrHistogram.Encoding;
using HdrHistogram.Utilities;

namespace LoadHarness.Protos;

/// <summary>
/// The one layout of every latency histogram: values in microseconds, 1 us to 1 h, 3 significant digits.
/// Histograms can be merged without loss only when their bounds are equal, so agents and coordinator share this.
/// </summary>
public static class HistogramLayout
{
    /// <summary>Smallest value that is told apart, in microseconds.</summary>
    public const long LowestMicros = 1;

    /// <summary>Largest value, in microseconds (1 h); larger ones are counted here.</summary>
    public const long HighestMicros = 3_600_000_000;

    /// <summary>Decimal digits of precision.</summary>
    public const int SignificantDigits = 3;

    /// <summary>A new, empty histogram. It has one writer at a time: two would lose counts.</summary>
    public static LongHistogram Create() => new(LowestMicros, HighestMicros, SignificantDigits);

    /// <summary>Bounds a value to the layout.</summary>
    /// <param name="micros">Any value, in microseconds.</param>
    /// <returns>The value inside the layout; equal to <paramref name="micros"/> unless it lay outside.</returns>
    public static long Clamp(long micros) => Math.Clamp(micros, LowestMicros, HighestMicros);

    /// <summary>Encodes in HdrHistogram's V2 format, uncompressed; empty counts take next to no room.</summary>
    public static byte[] Encode(HistogramBase histogram)
    {
        var buffer = ByteBuffer.Allocate(histogram.GetNeededByteBufferCapacity());
        var length = histogram.Encode(buffer, HistogramEncoderV2.Instance);
        buffer.Position = 0;
        var bytes = new byte[length];
        for (var i = 0; i < length; i++)
            bytes[i] = buffer.Get();
        return bytes;
    }

    /// <summary>Decodes what <see cref="Encode"/> made.</summary>
    /// <exception cref="InvalidDataException">The bytes are no histogram, or one of another layout.</exception>
    public static HistogramBase Decode(ReadOnlySpan<byte> encoded)
    {
        HistogramBase histogram;
        try
        {
            histogram = HistogramEncoding.DecodeFromByteBuffer(ByteBuffer.Allocate(encoded.ToArray()), 0);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new InvalidDataException($"not an HdrHistogram in V2 encoding ({encoded.Length} bytes): {e.Message}", e);
        }

        if (histogram.LowestTrackableValue != LowestMicros
            || histogram.HighestTrackableValue != HighestMicros
            || histogram.NumberOfSignificantValueDigits != SignificantDigits)
        {
            throw new InvalidDataException(
                $"histogram layout {histogram.LowestTrackableValue}..{histogram.HighestTrackableValue} with "
                + $"{histogram.NumberOfSignificantValueDigits} digits; wanted {LowestMicros}..{HighestMicros} with {SignificantDigits}");
        }

        return histogram;
    }
}
