using CsCheck;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Aggregation.Samples;

namespace LoadHarness.Coordinator.Tests.Aggregation;

public class PeerCloseReaderTests
{
    private const long Second = 1_000_000;

    [Test]
    public void Read_AgesNearOneValue_AreATimeOut()
    {
        // 19 of 20 within half a second of 30 s, the rest anywhere.
        var closes = Read(Histogram(Enumerable.Range(0, 400).Select(i => i % 20 == 0 ? i * Second / 4 : (30 * Second) + (i * 1000))));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(closes!.Count, Is.EqualTo(400));
            Assert.That(closes.Cluster!.AgeSeconds, Is.EqualTo(30).Within(0.3));
            Assert.That(closes.Cluster.Count, Is.InRange(380, 400));
            Assert.That(PeerCloseReader.Note(closes), Does.StartWith("The target closes connections at an age of 30").And.Contain("time-out of the target and not the load")
                .And.Contain("timeout client, server or tunnel"));
        }
    }

    [Test]
    public void Read_AgesSpreadOut_AreNone()
    {
        var closes = Read(Histogram(Enumerable.Range(1, 600).Select(i => i * Second / 10)));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(closes!.MedianAgeSeconds, Is.EqualTo(30).Within(0.2));
            Assert.That(closes.Cluster, Is.Null);
            Assert.That(PeerCloseReader.Note(closes), Is.Null);
        }
    }

    [Test]
    public void Read_AtOnce_IsNoTimeOut() =>
        Assert.That(PeerCloseReader.Note(Read(Histogram(Enumerable.Repeat(300L, 50)))),
            Does.Contain("as soon as they are established").And.Contain("no server of its backend is up").And.Not.Contain("time-out"));

    [TestCase(19, false)]
    [TestCase(20, true)]
    public void Read_Few_SayNothing(int count, bool cluster) =>
        Assert.That(Read(Histogram(Enumerable.Repeat(60 * Second, count)))!.Cluster is not null, Is.EqualTo(cluster));

    [TestCase(79, false)]
    [TestCase(80, true)]
    public void Read_PartOfAHundred_FourFifthsAreACluster(int together, bool cluster) =>
        Assert.That(
            Read(Histogram(Enumerable.Repeat(60 * Second, together).Concat(Enumerable.Range(1, 100 - together).Select(i => (100 + (i * 20)) * Second))))!
                .Cluster is not null, Is.EqualTo(cluster));

    [Test]
    public void Read_Nothing_IsNull() => Assert.That(Read(null), Is.Null);

    [Test]
    public void Read_AnyAges_ClusterIsWhatAWindowOfThemHolds() =>
        Gen.Long[1, 100 * Second].Array[1, 60].Sample(ages =>
        {
            var closes = Read(Histogram(ages))!;
            var most = ages.Max(c => ages.Count(a => Math.Abs(a - c) <= (c * 0.021) + (1.01 * Second)));
            return closes.Count == ages.Length && (closes.Cluster is not { } cluster || (cluster.Count <= most && cluster.Count >= Math.Max(20, ages.Length * 0.8)));
        });

    [Test]
    public void Build_TimeOut_IsInTheSummaryAndInItsNotes()
    {
        var timeline = SummaryFixture.Steady();
        for (var second = 20; second < 30; second++)
        {
            timeline.Add(Of("a0", 500 + (ulong)second, second, second + 1, 5_000, new() { ClosedByPeer = 4 }) with
            {
                Histograms = Connects(Histogram(1)).Clear().Add(HistogramKind.PeerCloseAge, Histogram(Enumerable.Repeat(20 * Second, 4))),
            });
        }

        var summary = SummaryBuilder.Build(SummaryFixture.Input(timeline));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.TargetCloses!.Cluster!.AgeSeconds, Is.EqualTo(20).Within(0.1));
            Assert.That(summary.Notes, Has.Some.Contains("at an age of 20 s"));
        }
    }

    [TestCase(10, 10, true)]
    [TestCase(10, 11, true)]
    [TestCase(10, 13, false)]
    public void Read_AllAtOneMoment_IsARestartAndNotATimeOut(int first, int last, bool burst)
    {
        var seconds = Enumerable.Range(0, 30).Select(s => new SecondTotals(
            s, GaugeValues.Zero, new CounterValues { ClosedByPeer = s >= first && s <= last ? 100 / (last - first + 1) : 0 }, 0, false));
        var closes = PeerCloseReader.Read(Histogram(Enumerable.Range(0, 100).Select(i => (4 * Second) + (i * Second / 100))), seconds)!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(closes.Burst is not null, Is.EqualTo(burst));
            Assert.That(PeerCloseReader.Note(closes), burst ? Does.Contain("at once, in second 1").And.Contain("hard-stop-after") : Does.Contain("time-out of the target"));
        }
    }

    private static TargetCloseFacts? Read(HdrHistogram.HistogramBase? ages) => PeerCloseReader.Read(ages, []);
}
