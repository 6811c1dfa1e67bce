using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Measurement;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Assignments;

public sealed class LatencySumsTests
{
    [Test]
    public void Take_OfSeveralReactors_HasEachKindWithAllOfItsValuesAndThoseClamped()
    {
        var sums = new LatencySums();
        sums.Add(Latencies((HistogramKind.Request, 100), (HistogramKind.Request, HistogramLayout.HighestMicros + 1), (HistogramKind.Connect, 7)));
        sums.Add(Latencies((HistogramKind.Request, 300), (HistogramKind.Request, HistogramLayout.HighestMicros + 2)));

        var taken = sums.Take().ToDictionary(h => h.Kind);

        Assert.Multiple(() =>
        {
            Assert.That(taken.Keys, Is.EquivalentTo(new[] { HistogramKind.Request, HistogramKind.Connect }));
            Assert.That((taken[HistogramKind.Request].Clamped, taken[HistogramKind.Connect].Clamped), Is.EqualTo((2, 0)));
            var requests = HistogramLayout.Decode(taken[HistogramKind.Request].Encoded);
            Assert.That(requests.TotalCount, Is.EqualTo(4));
            Assert.That((requests.GetCountAtValue(100), requests.GetCountAtValue(300)), Is.EqualTo((1, 1)));
            Assert.That(HistogramLayout.Decode(taken[HistogramKind.Connect].Encoded).GetCountAtValue(7), Is.EqualTo(1));
        });
    }

    [Test]
    public void Take_Again_HasOnlyWhatCameSince()
    {
        var sums = new LatencySums();
        sums.Add(Latencies((HistogramKind.Request, HistogramLayout.HighestMicros + 1), (HistogramKind.Connect, 5)));
        sums.Take();
        sums.Add(Latencies((HistogramKind.Request, 9)));

        var taken = sums.Take().Single();

        Assert.That((taken.Kind, taken.Clamped, HistogramLayout.Decode(taken.Encoded).TotalCount), Is.EqualTo((HistogramKind.Request, 0, 1)));
        Assert.That(sums.Take(), Is.Empty);
    }

    [Test]
    public void Take_AgesOfTwoDigits_AreInTheSharedLayoutToTwoDigits()
    {
        var latencies = new Latencies();
        latencies.PeerCloseAges.RecordValue(30_000_000);
        var sums = new LatencySums();
        sums.Add(latencies);

        var taken = sums.Take().Single();

        Assert.That(taken.Kind, Is.EqualTo(HistogramKind.PeerCloseAge));
        Assert.That(HistogramLayout.Decode(taken.Encoded).GetValueAtPercentile(50), Is.EqualTo(30_000_000).Within(1).Percent);
    }

    private static Latencies Latencies(params (HistogramKind Kind, long Micros)[] values)
    {
        var latencies = new Latencies();
        foreach (var (kind, micros) in values)
            latencies[kind].Record(micros);
        return latencies;
    }
}
