using CsCheck;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Runs;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Aggregation.Samples;

namespace LoadHarness.Coordinator.Tests.Aggregation;

/// <summary>A timeline that is kept and goes on elsewhere says the same as one that was never disturbed.</summary>
public sealed class TimelineCheckpointTests
{
    private const int Agents = 3;
    private const int Seconds = 40;

    // Samples of the last seconds before the cut come again, as from an agent whose acknowledgement was lost.
    [Test]
    public void Restore_AtAnySecond_GivesTheSummaryOfAnUndisturbedRun() =>
        Gen.Select(Gen.Int[1, Seconds], Gen.Int[0, 12], Gen.Int[0, 5]).Sample((cut, gap, again) =>
        {
            var disturbed = New();
            var kept = Run(disturbed, 0, cut);
            var after = new Timeline(TimeSpan.FromHours(1));
            after.Restore(StoredState.Read<TimelineCheckpoint>(StoredState.Write(disturbed.Checkpoint(disturbed.CompleteSeconds))), kept);
            after.Advance(At(Math.Min(cut + gap, Seconds)));
            Run(after, Math.Max(0, cut - again), Seconds);

            var undisturbed = New();
            Run(undisturbed, 0, Seconds);
            Assert.That(Summary(after), Is.EqualTo(Summary(undisturbed)));
        });

    [Test]
    public void Copy_OfARunThatGoesOn_IsClosedWithoutIt()
    {
        var timeline = New();
        Run(timeline, 0, 20);
        var before = Summary(timeline.Copy());

        Run(timeline, 20, Seconds);

        var undisturbed = New();
        Run(undisturbed, 0, Seconds);
        Assert.That(Summary(timeline), Is.EqualTo(Summary(undisturbed)));
        Assert.That(before, Is.Not.EqualTo(Summary(undisturbed)));
    }

    private static Timeline New()
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        for (var agent = 0; agent < Agents; agent++)
            timeline.Join($"a{agent}", TimeSpan.Zero);
        return timeline;
    }

    /// <returns>The complete seconds, as the store would have them.</returns>
    private static List<SecondTotals> Run(Timeline timeline, int from, int to)
    {
        for (var second = from; second < to; second++)
        {
            for (var agent = 0; agent < Agents; agent++)
                timeline.Add(Sample(agent, second));
            timeline.Advance(At(second + 1.2));
        }

        return [.. timeline.Complete()];
    }

    private static AgentSample Sample(int agent, int second)
    {
        var held = Math.Min(3000, (second + 1) * 300);
        var sample = Of($"a{agent}", (ulong)second + 1, second, second + 1, held, new CounterValues
        {
            Scheduled = second < 10 ? 300 : 0,
            Offered = second < 10 ? 300 : 0,
            Opened = second < 10 ? 300 : 5,
            ClosedByPeer = second < 10 ? 0 : 5,
            Aborted = second == 30 ? 3 : 0,
        });
        return sample with
        {
            Health = sample.Health with { RssBytes = 1_000_000 + (held * 100), BaseRssBytes = 900_000, Saturated = second == 7 },
            Failures = second % 9 == 0 ? [new(FailureStage.Connect, FailureParty.Target, FailureCause.Refused, 111, 2)] : [],
            Histograms = sample.Histograms.Add(HistogramKind.Connect, Histogram(100 + (second * 37), 5000 + agent)),
            Kernel = agent == 0 && second % 3 == 0 ? Reading(second + 0.4, Agents * held, second, 0.05) : null,
        };
    }

    private static string Summary(Timeline timeline) => SummaryJson.Write(SummaryBuilder.Build(SummaryFixture.Input(timeline)), indented: true);
}
