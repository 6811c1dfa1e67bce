using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using HdrHistogram;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Reports;

/// <summary>
/// Latencies in HdrHistogram's log format, version 1.3, as HistogramLogProcessor (Java) and hdr-histogram-js read it: one series for each
/// latency, told apart by its tag. The histograms are written as they were measured, in microseconds, bucket for bucket; so a largest value is
/// the top of its bucket, within 0.1 %.
/// <para>The package's own writer is not used: it writes UTF-16 and cuts the compressed histograms off.</para>
/// </summary>
public static class LatencyLogText
{
    private const int CompressedCookie = 0x1c849314;
    private const int CompressedHeaderBytes = 8;
    private const double MicrosPerMilli = 1000;

    /// <summary>The series of a latency; null for what is none.</summary>
    public static string? TagOf(HistogramKind kind) => kind switch
    {
        HistogramKind.Connect => "connect",
        HistogramKind.TlsHandshake => "tlsHandshake",
        HistogramKind.TimeToFirstByte => "timeToFirstByte",
        HistogramKind.Request => "request",
        HistogramKind.RequestService => "requestService",
        _ => null,
    };

    /// <summary>Writes a log, in parts of whole lines.</summary>
    /// <param name="runId">Of the run.</param>
    /// <param name="started">Its start instant.</param>
    /// <param name="intervals">In order of time.</param>
    public static IEnumerable<string> Write(string runId, DateTimeOffset started, IEnumerable<LatencyInterval> intervals)
    {
        var start = Fixed(started.ToUnixTimeMilliseconds() / 1000.0);
        yield return $"""
            #[Latencies of LoadHarness run {runId}]
            #[Values are in microseconds; HistogramLogProcessor shows milliseconds with -outputValueUnitRatio 1000]
            #[MaxValueDivisor: {Fixed(MicrosPerMilli)}, so Interval_Max is in milliseconds]
            #[Histogram log format version 1.3]
            #[StartTime: {start} (seconds since epoch), {started.UtcDateTime.ToString("O", CultureInfo.InvariantCulture)}]
            #[BaseTime: {start} (seconds since epoch)]
            "StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"

            """.ReplaceLineEndings("\n");
        foreach (var interval in intervals)
        {
            if (TagOf(interval.Kind) is { } tag && interval.Values.TotalCount > 0)
                yield return Line(tag, interval);
        }
    }

    private static string Line(string tag, LatencyInterval interval) => string.Create(
        CultureInfo.InvariantCulture,
        $"Tag={tag},{Fixed(interval.From.TotalSeconds)},{Fixed((interval.To - interval.From).TotalSeconds)},"
        + $"{Fixed(interval.Values.GetMaxValue() / MicrosPerMilli)},{Convert.ToBase64String(Compress(interval.Values))}\n");

    private static string Fixed(double value) => value.ToString("F3", CultureInfo.InvariantCulture);

    private static byte[] Compress(HistogramBase histogram)
    {
        using var compressed = new MemoryStream();
        compressed.Write(new byte[CompressedHeaderBytes]);
        using (var stream = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
            stream.Write(HistogramLayout.Encode(histogram));
        var bytes = compressed.ToArray();
        BinaryPrimitives.WriteInt32BigEndian(bytes, CompressedCookie);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(sizeof(int)), bytes.Length - CompressedHeaderBytes);
        return bytes;
    }
}
