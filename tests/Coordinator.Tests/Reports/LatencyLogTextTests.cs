using System.Globalization;
using System.Text;
using HdrHistogram;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Tests.Aggregation;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Reports;

/// <summary>The log as HdrHistogram's own reader has it.</summary>
public sealed class LatencyLogTextTests
{
    private static readonly DateTimeOffset _started = new(2026, 3, 4, 5, 6, 7, 89, TimeSpan.Zero);

    // All octaves of the layout, its bounds among them.
    private static readonly long[] _values = [1, 2, 999, 2047, 2048, 2049, 123_456, 7_654_321, 3_599_999_999, 3_600_000_000];

    private static readonly LatencyInterval[] _intervals =
    [
        Of(HistogramKind.Connect, 0, 10, 100, 200, 300),
        Of(HistogramKind.Request, 0, 10, _values),
        Of(HistogramKind.PeerCloseAge, 0, 10, 5),
        Of(HistogramKind.RequestService, 0, 10),
        Of(HistogramKind.TlsHandshake, 10, 17.5, 900),
        Of(HistogramKind.TimeToFirstByte, 10, 17.5, 800),
        Of(HistogramKind.RequestService, 10, 17.5, 700),
    ];

    [Test]
    public void Write_AnyKind_IsReadBackWithTagTimesCountsAndValues()
    {
        var read = Read(LatencyLogText.Write("r1", _started, _intervals));

        Assert.Multiple(() =>
        {
            Assert.That(read.Select(h => h.Tag), Is.EqualTo(new[] { "connect", "request", "tlsHandshake", "timeToFirstByte", "requestService" }));
            Assert.That(read.Select(h => h.StartTimeStamp - read[0].StartTimeStamp), Is.EqualTo(new[] { 0, 0, 10_000, 10_000, 10_000 }));
            Assert.That(read.Select(h => h.EndTimeStamp - h.StartTimeStamp), Is.EqualTo(new[] { 10_000, 10_000, 7500, 7500, 7500 }));
            Assert.That(Counts(read[0]), Is.EqualTo(Counts(_intervals[0].Values)));
            Assert.That(Counts(read[1]), Is.EqualTo(Counts(_intervals[1].Values)), "bucket for bucket");
            Assert.That(read[1].TotalCount, Is.EqualTo(_values.Length));
            Assert.That(read[1].GetMaxValue(), Is.EqualTo(_intervals[1].Values.GetMaxValue()));
            Assert.That(_values.Select(v => read[1].GetCountAtValue(v)), Has.All.EqualTo(1).Or.EqualTo(2), "2,048 and 2,049 share a bucket, as do the largest");
        });
    }

    [Test]
    public void Write_Header_StatesVersionUnitsAndTimes()
    {
        var lines = string.Concat(LatencyLogText.Write("r1", _started, _intervals)).Split('\n');

        Assert.Multiple(() =>
        {
            Assert.That(lines[..7], Is.EqualTo(new[]
            {
                "#[Latencies of LoadHarness run r1]",
                "#[Values are in microseconds; HistogramLogProcessor shows milliseconds with -outputValueUnitRatio 1000]",
                "#[MaxValueDivisor: 1000.000, so Interval_Max is in milliseconds]",
                "#[Histogram log format version 1.3]",
                "#[StartTime: 1772600767.089 (seconds since epoch), 2026-03-04T05:06:07.0890000Z]",
                "#[BaseTime: 1772600767.089 (seconds since epoch)]",
                "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"",
            }));
            Assert.That(lines[7], Does.Match("^Tag=connect,0\\.000,10\\.000,0\\.300,HISTF[A-Za-z0-9+/]+=*$"));
            Assert.That(lines[9], Does.StartWith("Tag=tlsHandshake,10.000,7.500,0.900,HISTF"));
            Assert.That(lines[^1], Is.Empty, "the last line ends");
        });
    }

    [Test]
    [NonParallelizable]
    public void Write_InAnyCulture_IsTheSame()
    {
        var culture = CultureInfo.CurrentCulture;
        var usual = string.Concat(LatencyLogText.Write("r1", _started, _intervals));
        try
        {
            var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            comma.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture = comma;
            Assert.That(string.Concat(LatencyLogText.Write("r1", _started, _intervals)), Is.EqualTo(usual));
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    /// <summary>The histograms of a log, in its order.</summary>
    internal static List<HistogramBase> Read(IEnumerable<string> log)
    {
        using var stream = new MemoryStream(Encoding.ASCII.GetBytes(string.Concat(log)));
        using var reader = new HistogramLogReader(stream);
        return [.. reader.ReadHistograms()];
    }

    private static LatencyInterval Of(HistogramKind kind, double from, double to, params IEnumerable<long> micros) =>
        new(kind, TimeSpan.FromSeconds(from), TimeSpan.FromSeconds(to), Samples.Histogram(micros));

    private static IEnumerable<(long, long)> Counts(HistogramBase histogram) =>
        histogram.RecordedValues().Select(v => (v.ValueIteratedTo, v.CountAddedInThisIterationStep));
}
