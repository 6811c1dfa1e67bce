using LoadHarness.Coordinator.Aggregation;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Aggregation.Samples;

namespace LoadHarness.Coordinator.Tests.Aggregation;

public class EarlyAbortTests
{
    private static AgentSample Failing(int second, long failed, long opened = 0, long established = 0) =>
        Of("a", (ulong)second + 1, second, second + 1, established, new() { Failed = failed, Opened = opened }) with
        {
            Failures = failed == 0 ? [] : [new(FailureStage.Connect, FailureParty.Target, FailureCause.Refused, 111, failed)],
        };

    private static Timeline Fed(params AgentSample[] samples)
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        foreach (var sample in samples)
            timeline.Add(sample);
        timeline.Advance(samples[^1].To);
        return timeline;
    }

    [Test]
    public void Judge_OnlyRefusals_SaysSo() =>
        Assert.That(
            EarlyAbort.Judge(Fed(Failing(0, 100), Failing(1, 100), Failing(2, 100)), 3),
            Is.EqualTo("nothing was established in 3 s, and 300 connects failed (connect/target/refused 300)"));

    [Test]
    public void Judge_TooEarly_Waits() => Assert.That(EarlyAbort.Judge(Fed(Failing(0, 100), Failing(1, 100)), 3), Is.Null);

    [Test]
    public void Judge_FailuresBeganLate_CountsFromTheFirst() =>
        Assert.That(EarlyAbort.Judge(Fed(Failing(0, 0), Failing(1, 0), Failing(2, 100), Failing(3, 0)), 3), Is.Null);

    [Test]
    public void Judge_SomethingOpened_GoesOn() =>
        Assert.That(EarlyAbort.Judge(Fed(Failing(0, 100, opened: 1), Failing(1, 100), Failing(2, 100)), 3), Is.Null);

    [Test]
    public void Judge_NothingHappens_GoesOn() =>
        Assert.That(EarlyAbort.Judge(Fed(Failing(0, 0), Failing(1, 0), Failing(2, 0)), 3), Is.Null);

    [Test]
    public void Judge_IncompleteSeconds_DoNotCount()
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        for (var second = 0; second < 5; second++)
            timeline.Add(Failing(second, 10));
        timeline.Advance(At(2));
        Assert.That(EarlyAbort.Judge(timeline, 3), Is.Null);
    }
}
