using LoadHarness.Coordinator.Aggregation;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Aggregation.Samples;
using static LoadHarness.Coordinator.Tests.Aggregation.SummaryFixture;

namespace LoadHarness.Coordinator.Tests.Aggregation;

public class StormReaderTests
{
    private static readonly RunStorm _storm = new(1, At(20.3), 0.1, At(1), CloseMethod.Fin, Goal);

    [Test]
    public void Build_StormThatIsRecoveredFrom_IsMeasuredAndTakesNothingFromTheHold()
    {
        // 1,000 of 10,000 close from 20.3 on; the last is back in second 23.
        var summary = SummaryBuilder.Build(Input(Stormy((20, 9_400, 600, 0), (21, 9_000, 400, 0), (22, 9_700, 0, 700), (23, Goal, 0, 300)))
            with
        { Storms = [_storm] });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Storms.Single(), Is.EqualTo(new StormFacts(1, 20.3, 0.1, 1, "fin", Goal, 1_000, 1_000, 3.7, 9_000)));
            Assert.That(summary.Result.HeldEstablishedMin, Is.EqualTo(Goal), "what was asked for is no failure to hold");
            Assert.That(summary.Result.Reached, Is.True);
            Assert.That(summary.Notes, Is.Empty);
        }
    }

    [Test]
    public void Build_GoalIsThereBeforeAllAreOpenedAgain_IsNoRecoveryYet()
    {
        var summary = SummaryBuilder.Build(Input(Stormy((20, Goal, 600, 500), (21, Goal, 400, 400), (22, Goal, 0, 100))) with { Storms = [_storm] });
        Assert.That(summary.Storms.Single().RecoverySeconds, Is.EqualTo(2.7));
    }

    [Test]
    public void Build_StormThatIsNotRecoveredFrom_IsSaidAndCountsAgainstTheHold()
    {
        var seconds = Enumerable.Range(21, 19).Select(s => (s, 9_200L, 0L, 0L)).Prepend((20, 9_000L, 1_000L, 200L)).ToArray();
        var summary = SummaryBuilder.Build(Input(Stormy(seconds)) with { Storms = [_storm] });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Storms.Single().RecoverySeconds, Is.Null);
            Assert.That(summary.Result.HeldEstablishedMin, Is.EqualTo(9_200), "from its last close on");
            Assert.That(summary.Notes, Has.One.Contains("did not come back after reconnect storm 1 of second 20"));
        }
    }

    [Test]
    public void Build_StormThatNoAgentHeardOf_IsSaid()
    {
        var summary = SummaryBuilder.Build(Input(Steady()) with { Storms = [_storm] });
        Assert.That(summary.Notes, Has.One.Contains("closed nothing"));
    }

    [Test]
    public void Build_SecondThatAnAgentIsMissingIn_IsNoRecovery()
    {
        var timeline = Stormy((20, 9_000, 1_000, 0), (21, 9_000, 0, 0), (22, Goal, 0, 1_000));
        timeline.Join("a9", At(22));
        timeline.Leave("a9", At(23));
        var summary = SummaryBuilder.Build(Input(timeline) with { Storms = [_storm] });
        Assert.That(summary.Storms.Single().RecoverySeconds, Is.EqualTo(3.7));
    }

    [Test]
    public void Build_TwoStorms_EachHasItsOwnNumbers()
    {
        var timeline = Stormy((20, 9_500, 1_000, 500), (21, Goal, 0, 500), (30, 8_000, 2_000, 0), (31, Goal, 0, 2_000));
        var summary = SummaryBuilder.Build(Input(timeline) with { Storms = [_storm, _storm with { Number = 2, At = At(30.5) }] });
        Assert.That(
            summary.Storms.Select(s => (s.Number, s.Closed, s.Opened, s.RecoverySeconds, s.LowestEstablished)),
            Is.EqualTo(new (int, long, long, double?, long?)[] { (1, 1_000, 1_000, 1.7, 9_500), (2, 2_000, 2_000, 1.5, 8_000) }));
    }

    // One agent that holds the goal from second 10 to 40, but for the given seconds: ESTABLISHED at their end, closed and opened by a storm.
    private static Timeline Stormy(params (int Second, long Established, long Closed, long Opened)[] seconds)
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        timeline.Join("a0", TimeSpan.Zero);
        for (var second = 0; second < 40; second++)
        {
            var storm = seconds.FirstOrDefault(s => s.Second == second);
            var ordinary = second < 10 ? (second + 1) * Goal / 10 : Goal;
            timeline.Add(Of("a0", (ulong)second + 1, second, second + 1, storm == default ? ordinary : storm.Established, new()
            {
                Opened = storm.Opened + (second < 10 ? Goal / 10 : 0),
                Closed = storm.Closed,
                StormClosed = storm.Closed,
                StormOpened = storm.Opened,
            }));
        }

        timeline.Advance(At(40));
        return timeline;
    }
}
