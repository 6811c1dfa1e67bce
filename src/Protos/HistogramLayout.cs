using System.Buffers.Binary;
using System.Numerics;
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

    private const int Cookie = 0x1c849313;
    private const int HeaderBytes = 40;

    // Of 3 digits: 2,048 values are told apart before the first are put together.
    private const int HalfBuckets = 1024;
    private const int HalfBucketsLog2 = 10;

    // Sums over a long run stay far below overflow.
    private const long MostValues = 1L << 40;

    /// <summary>How many buckets there are: up to the first power of two above the largest value, 2^32.</summary>
    public const int Buckets = 23 * HalfBuckets;

    /// <summary>A new, empty histogram. It has one writer at a time: two would lose counts.</summary>
    public static LongHistogram Create() => new(LowestMicros, HighestMicros, SignificantDigits);

    /// <summary>Bounds a value to the layout.</summary>
    /// <param name="micros">Any value, in microseconds.</param>
    /// <returns>The value inside the layout; equal to <paramref name="micros"/> unless it lay outside.</returns>
    public static long Clamp(long micros) => Math.Clamp(micros, LowestMicros, HighestMicros);

    /// <summary>The bucket of a value, 0 to <see cref="Buckets"/> - 1.</summary>
    /// <param name="micros">From <see cref="LowestMicros"/> to <see cref="HighestMicros"/>.</param>
    public static int BucketOf(long micros)
    {
        // Each octave above the first 2,048 values has half as many buckets, each twice as wide.
        var octave = BitOperations.Log2((ulong)micros | ((2 * HalfBuckets) - 1)) - HalfBucketsLog2;
        return (octave << HalfBucketsLog2) + (int)(micros >> octave);
    }

    /// <summary>The lowest value of a bucket, 0 to <see cref="Buckets"/> - 1: the first 2,048 are exact, and each 1,024 after them twice as wide as those before.</summary>
    public static long ValueOf(long bucket)
    {
        var octave = (int)(bucket / HalfBuckets) - 1;
        return octave < 0 ? bucket : ((bucket % HalfBuckets) + HalfBuckets) << octave;
    }

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
        var histogram = Create();
        AddTo(histogram, encoded);
        return histogram;
    }

    /// <summary>
    /// Adds what <see cref="Encode"/> made to a histogram. Bytes of a stranger take no memory and no more time than there are bytes.
    /// </summary>
    /// <param name="sum">In this layout.</param>
    /// <param name="encoded">See HistogramEncoderV2 of HdrHistogram: a header, then for each bucket its count or a run of empty ones, ZigZag LEB128.</param>
    /// <returns>Values that were added.</returns>
    /// <exception cref="InvalidDataException">The bytes are no histogram, or one of another layout. Something may have been added.</exception>
    public static long AddTo(HistogramBase sum, ReadOnlySpan<byte> encoded)
    {
        CheckHeader(encoded);
        var counts = encoded[HeaderBytes..];
        var (index, total) = (0L, 0L);
        while (!counts.IsEmpty)
        {
            var count = ReadZigZag(ref counts);
            if (count == long.MinValue || index + Math.Max(1, -count) > Buckets || total + Math.Max(0, count) > MostValues)
                throw new InvalidDataException($"not a histogram of {Buckets:N0} buckets with at most {MostValues:N0} values");
            if (count > 0)
                sum.RecordValueWithCount(ValueOf(index), count);
            total += Math.Max(0, count);
            index += Math.Max(1, -count);
        }

        return total;
    }

    private static void CheckHeader(ReadOnlySpan<byte> encoded)
    {
        if (encoded.Length < HeaderBytes || BinaryPrimitives.ReadInt32BigEndian(encoded) != Cookie)
            throw new InvalidDataException($"not an HdrHistogram in V2 encoding ({encoded.Length} bytes)");
        var length = BinaryPrimitives.ReadInt32BigEndian(encoded[4..]);
        var (offset, digits) = (BinaryPrimitives.ReadInt32BigEndian(encoded[8..]), BinaryPrimitives.ReadInt32BigEndian(encoded[12..]));
        var (lowest, highest) = (BinaryPrimitives.ReadInt64BigEndian(encoded[16..]), BinaryPrimitives.ReadInt64BigEndian(encoded[24..]));
        if (length != encoded.Length - HeaderBytes || offset != 0)
            throw new InvalidDataException($"not an HdrHistogram in V2 encoding: {encoded.Length - HeaderBytes} bytes of counts, {length} announced");
        if (lowest != LowestMicros || highest != HighestMicros || digits != SignificantDigits)
        {
            throw new InvalidDataException(
                $"histogram layout {lowest}..{highest} with {digits} digits; wanted {LowestMicros}..{HighestMicros} with {SignificantDigits}");
        }
    }

    // At most nine bytes: the ninth gives all its eight bits.
    private static long ReadZigZag(ref ReadOnlySpan<byte> bytes)
    {
        var value = 0UL;
        for (var i = 0; i < bytes.Length; i++)
        {
            if (i == 8)
                value |= (ulong)bytes[i] << 56;
            else
                value |= (ulong)(bytes[i] & 0x7f) << (7 * i);
            if (i < 8 && bytes[i] >= 0x80)
                continue;
            bytes = bytes[(i + 1)..];
            return (long)(value >> 1) ^ -(long)(value & 1);
        }

        throw new InvalidDataException("the histogram's counts end in the middle of one");
    }
}
