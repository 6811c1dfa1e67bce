using CsCheck;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Measurement;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Assignments;

public sealed class SampleBuilderTests
{
    private static readonly double[] _percentiles = [0, 50, 90, 99, 99.9, 100];

    [Test]
    public void Build_SeveralReactorsAndRounds_HasTheHistogramOfAllTheirValues() =>
        Gen.Long[1, 5_000_000].Array[0, 60].Array[1, 6].Array[1, 4].Sample(
            rounds =>
            {
                var builder = new SampleBuilder();
                var whole = HistogramLayout.Create();
                foreach (var round in rounds)
                {
                    builder.BeginRound();
                    for (var reactor = 0; reactor < round.Length; reactor++)
                    {
                        var snapshot = new ReactorSnapshot();
                        foreach (var micros in round[reactor])
                        {
                            snapshot.Latencies[HistogramKind.Connect].Record(micros);
                            whole.RecordValue(micros);
                        }

                        builder.Add(snapshot, reactor);
                    }
                }

                var sample = builder.Build("run", 0, 1000, false);
                if (whole.TotalCount == 0)
                    return sample.Histograms.IsEmpty;
                var merged = HistogramLayout.Decode(sample.Histograms.Single().Encoded);
                return merged.TotalCount == whole.TotalCount
                    && _percentiles.All(p => merged.GetValueAtPercentile(p) == whole.GetValueAtPercentile(p));
            },
            iter: 30);

    [Test]
    public void Build_SeveralRounds_HasTheGaugesOfTheLastAndTheCountersOfAll()
    {
        var builder = new SampleBuilder();
        Round(builder, new ReactorCounters { Goal = 10, Established = 10, EstablishedMax = 12, Opened = 5 }, new ReactorCounters { Goal = 1, Established = 2, EstablishedMax = 2, Opened = 1 });
        Round(builder, new ReactorCounters { Goal = 7, Established = 6, EstablishedMax = 10, Opened = 2 }, new ReactorCounters { Goal = 2, Established = 1, EstablishedMax = 2, Opened = 4 });

        var counts = builder.Build("run", 0, 1000, false).Counts;

        Assert.Multiple(() =>
        {
            Assert.That(counts.Goal, Is.EqualTo(9));
            Assert.That(counts.Established, Is.EqualTo(7));
            Assert.That(counts.Opened, Is.EqualTo(12));
            Assert.That(counts.EstablishedMax, Is.EqualTo(14), "the largest sum of any round");
            Assert.That(counts.Confirmed, Is.Null);
        });
    }

    [Test]
    public void Build_Again_BeginsCountersAnewAndKeepsGauges()
    {
        var builder = new SampleBuilder();
        var snapshot = new ReactorSnapshot { Counters = new ReactorCounters { Established = 5, EstablishedMax = 9, Opened = 9, Confirmed = 4 } };
        snapshot.Failures.Add(FailureStage.Connect, FailureCause.Refused, 111, 3);
        snapshot.Latencies[HistogramKind.Connect].Record(100);
        builder.BeginRound();
        builder.Add(snapshot, 0);
        var first = builder.Build("run", 0, 1000, true);
        Round(builder, new ReactorCounters { Established = 5, EstablishedMax = 5, Confirmed = 4 });

        var second = builder.Build("run", 1000, 2000, true);

        Assert.Multiple(() =>
        {
            Assert.That(first.Failures, Is.EqualTo(new[] { new FailureTally(FailureStage.Connect, FailureParty.Target, FailureCause.Refused, 111, 3) }));
            Assert.That(second.Failures, Is.Empty);
            Assert.That(second.Histograms, Is.Empty);
            Assert.That(second.Counts, Is.EqualTo(new Counts { Established = 5, EstablishedMax = 5, Confirmed = 4 }));
        });
    }

    [Test]
    public void Drained_SomeReactorIsNot_IsFalse()
    {
        var builder = new SampleBuilder();
        builder.BeginRound();
        builder.Add(new ReactorSnapshot { Drained = true }, 0);
        builder.Add(new ReactorSnapshot(), 1);

        Assert.That(builder.Drained, Is.False);
    }

    [TestCase(300_000_000, 0, 0, ExpectedResult = true, TestName = "Saturated_LateReactor_IsTrue")]
    [TestCase(0, 5, 5, ExpectedResult = true, TestName = "Saturated_NotOfferedForLateness_IsTrue")]
    [TestCase(0, 5, 0, ExpectedResult = false, TestName = "Saturated_NotOfferedForWantOfTuples_IsFalse")]
    [TestCase(1_000_000, 0, 0, ExpectedResult = false, TestName = "Saturated_AllInTime_IsFalse")]
    public bool Saturated(long lagNanos, long notOffered, long late)
    {
        var builder = new SampleBuilder();
        builder.BeginRound();
        builder.Add(new ReactorSnapshot { Counters = new ReactorCounters { LagMaxNanos = lagNanos, NotOffered = notOffered, Late = late } }, 0);
        return builder.Build("run", 0, 1000, false).Health.Saturated;
    }

    private static void Round(SampleBuilder builder, params ReactorCounters[] reactors)
    {
        builder.BeginRound();
        for (var i = 0; i < reactors.Length; i++)
            builder.Add(new ReactorSnapshot { Counters = reactors[i] }, i);
    }
}
