using System.Collections.Immutable;
using CsCheck;
using HdrHistogram;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Aggregation.Samples;

namespace LoadHarness.Coordinator.Tests.Aggregation;

public class TimelineTests
{
    private static Timeline Fed(IEnumerable<AgentSample> samples, double now)
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        foreach (var sample in samples)
            timeline.Add(sample);
        timeline.Advance(At(now));
        return timeline;
    }

    private static string Print(Timeline timeline) => string.Join('\n',
    [
        .. timeline.Complete().Select(s => s.ToString()),
        .. timeline.Agents.Select(a => a.ToString()),
        .. timeline.Failures.Select(f => f.ToString()),
        .. timeline.Gaps().Select(g => g.ToString()),
        timeline.Totals.ToString(),
        $"{timeline.Histogram(HistogramKind.Connect)?.TotalCount} {timeline.Histogram(HistogramKind.Connect)?.GetValueAtPercentile(90)}",
    ]);

    [Test]
    public void Add_TwoAgents_SumsTheirSecond()
    {
        var second = Fed([Of("a", 1, 0, 1, 10, new() { Opened = 10 }), Of("b", 1, 0, 1, 5, new() { Opened = 7 })], 1).Newest!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(second.Second, Is.Zero);
            Assert.That(second.Gauges.Established, Is.EqualTo(15));
            Assert.That(second.Counters.Opened, Is.EqualTo(17));
            Assert.That(second.IsWhole, Is.True);
        }
    }

    [Test]
    public void Add_Twice_ChangesNothing()
    {
        var timeline = Fed([Of("a", 1, 0, 1, 10)], 1);
        var before = Print(timeline);
        Assert.That(timeline.Add(Of("a", 1, 0, 1, 99)), Is.EqualTo(SampleOutcome.Duplicate));
        Assert.That(Print(timeline), Is.EqualTo(before));
    }

    [Test]
    public void Add_SameSequenceOfAnotherLife_Counts() =>
        Assert.That(
            Fed([Of("a", 1, 0, 1, counters: new() { Opened = 1 }),
                Of("a", 1, 1, 2, counters: new() { Opened = 1 }) with { Incarnation = "life-2" }], 2)
                .Totals.Opened,
            Is.EqualTo(2));

    [TestCase(-1, 1)]
    [TestCase(1, 1)]
    [TestCase(2, 1)]
    [TestCase(0, 3601)]
    [TestCase(1e9, 2e9)]
    public void Add_TimesWithoutSense_Refused(double from, double to)
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(timeline.Add(Of("a", 1, from, to)), Is.EqualTo(SampleOutcome.OutOfRange));
            Assert.That(timeline.Seconds, Is.Zero);
        }
    }

    [Test]
    public void Advance_AgentOwesASecond_WaitsForThreeSeconds()
    {
        var timeline = Fed([Of("a", 1, 0, 1, 10)], 0);
        timeline.Join("b", TimeSpan.Zero);
        timeline.Advance(At(3.9));
        var waiting = timeline.CompleteSeconds;
        timeline.Advance(At(4));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(waiting, Is.Zero);
            Assert.That(timeline.CompleteSeconds, Is.EqualTo(1));
            Assert.That(timeline.Newest!.Missing, Is.EqualTo(1));
            Assert.That(timeline.Gaps(), Is.EqualTo(new[] { ("b", 0, 1) }));
        }
    }

    [Test]
    public void Add_LateSample_AmendsACompleteSecond()
    {
        var timeline = Fed([Of("a", 1, 0, 1, 10)], 0);
        timeline.Join("b", TimeSpan.Zero);
        timeline.Advance(At(4));
        timeline.Add(Of("b", 1, 0, 1, 5));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(timeline.At(0).Gauges.Established, Is.EqualTo(15));
            Assert.That(timeline.At(0).IsWhole, Is.True);
            Assert.That(timeline.Gaps(), Is.Empty);
        }
    }

    [Test]
    public void Add_MergedSample_KeepsCountsAndShowsGaugesAsMissing()
    {
        var timeline = Fed([Of("a", 1, 0, 4, 40, new() { Opened = 41 })], 4);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(timeline.CompleteSeconds, Is.EqualTo(4), "the agent has reported all of them");
            Assert.That(timeline.Complete().Sum(s => s.Counters.Opened), Is.EqualTo(41));
            Assert.That(timeline.Complete().Select(s => s.Counters.Opened), Is.All.InRange(10, 11));
            Assert.That(timeline.Complete().Select(s => s.Missing), Is.EqualTo(new[] { 1, 1, 1, 0 }));
            Assert.That(timeline.Gaps(), Is.EqualTo(new[] { ("a", 0, 3) }));
        }
    }

    [Test]
    public void Add_TwoSamplesOfOneSecond_TakesTheLaterGauges() =>
        Assert.That(Fed([Of("a", 2, 0.4, 1, 7), Of("a", 1, 0, 0.4, 3)], 1).Newest!.Gauges.Established, Is.EqualTo(7));

    [Test]
    public void Join_InTheMiddle_IsExpectedFromTheNextSecondOn()
    {
        var timeline = Fed([Of("a", 1, 0, 1), Of("a", 2, 1, 2), Of("a", 3, 2, 3)], 0);
        timeline.Join("b", At(1.2));
        timeline.Advance(At(3));
        Assert.That(timeline.CompleteSeconds, Is.EqualTo(2), "b owes the third second only");
    }

    [Test]
    public void Leave_LostAgent_IsNoLongerMissed()
    {
        var timeline = Fed([Of("a", 1, 0, 1, 5), Of("b", 1, 0, 1, 5), Of("a", 2, 1, 2, 5), Of("a", 3, 2, 3, 5)], 0);
        timeline.Leave("b", At(1));
        timeline.Advance(At(3));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(timeline.CompleteSeconds, Is.EqualTo(3));
            Assert.That(timeline.Complete().Select(s => s.Gauges.Established), Is.EqualTo(new[] { 10, 5, 5 }));
            Assert.That(timeline.Gaps(), Is.Empty);
        }
    }

    [Test]
    public void Confirmed_NobodyExpectsAGreeting_IsNull() => Assert.That(Fed([Of("a", 1, 0, 1)], 1).Newest!.Gauges.Confirmed, Is.Null);

    [Test]
    public void Confirmed_ExpectedGreetings_AreSummed() =>
        Assert.That(
            Fed(["a", "b"], 1).Newest!.Gauges.Confirmed, Is.EqualTo(6));

    private static Timeline Fed(string[] agents, double now) =>
        Fed(agents.Select(a => Of(a, 1, 0, 1) with { Gauges = new() { Confirmed = 3 } }), now);

    [Test]
    public void Add_AnyOrderAndRepeated_GivesTheSameTimeline() =>
        Any.SelectMany(samples => Gen.Shuffle(samples).Select(Gen.Shuffle(samples), (one, other) => (samples, one, other))).Sample(t =>
            Print(Fed(t.one, 60)) == Print(Fed(t.samples, 60))
                && Print(Fed([.. t.other, .. t.one, .. t.other], 60)) == Print(Fed(t.samples, 60)));

    [Test]
    public void Add_AnySamples_LosesNoCount() =>
        Any.Sample(samples =>
        {
            var timeline = Fed(samples, 60);
            var opened = samples.Sum(s => s.Counters.Opened);
            return timeline.Totals.Opened == opened
                && timeline.Complete().Sum(s => s.Counters.Opened) == opened
                && timeline.Agents.Sum(a => a.Counters.Opened) == opened
                && timeline.Failures.Sum(f => f.Count) == samples.Sum(s => s.Counters.Failed);
        });

    [Test]
    public void Histogram_MergedFromParts_HasThePercentilesOfTheUnion() =>
        Gen.Long[1, 10_000_000].Array[1, 200].Array[1, 6].Sample(parts =>
        {
            var timeline = Fed(parts.Select((p, i) => Of($"a{i}", 1, 0, 1) with
            {
                Histograms = ImmutableDictionary<HistogramKind, HistogramBase>.Empty
                    .Add(HistogramKind.Connect, Histogram(p)),
            }), 1);
            var merged = timeline.Histogram(HistogramKind.Connect)!;
            var union = Histogram(parts.SelectMany(p => p));
            return new[] { 0, 1, 50, 90, 99, 99.9, 100 }.All(p => merged.GetValueAtPercentile(p) == union.GetValueAtPercentile(p))
                && merged.TotalCount == union.TotalCount && merged.GetMaxValue() == union.GetMaxValue();
        });

    [Test]
    public void Complete_ADayOfManyAgents_StaysSmall()
    {
        var before = GC.GetTotalMemory(true);
        var timeline = new Timeline(TimeSpan.FromHours(25));
        for (var second = 0; second < 86_400; second++)
        {
            for (var a = 0; a < 5; a++)
                timeline.Add(Of($"a{a}", (ulong)second + 1, second, second + 1, 10, new() { Opened = 1 }));
            timeline.Advance(At(second + 1));
        }

        var used = GC.GetTotalMemory(true) - before;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(timeline.CompleteSeconds, Is.EqualTo(86_400));
            Assert.That(used, Is.LessThan(60_000_000));
        }
    }
}
