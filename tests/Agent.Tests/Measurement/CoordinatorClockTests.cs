using CsCheck;
using LoadHarness.Agent.Measurement;

namespace LoadHarness.Agent.Tests.Measurement;

public class CoordinatorClockTests
{
    [Test]
    public void IsKnown_BeforeTheFirstHeartbeat_IsFalse()
    {
        var clock = new CoordinatorClock();

        Assert.That(clock.IsKnown, Is.False);
        Assert.That(clock.UncertaintyNanos, Is.Zero);
    }

    [Test]
    public void Observe_OneHeartbeat_MapsTheMiddleOfItsRoundTrip()
    {
        var clock = new CoordinatorClock();

        clock.Observe(sentNanos: 1_000, receivedNanos: 1_200, coordinatorNanos: 50_000);

        Assert.That(clock.IsKnown, Is.True);
        Assert.That(clock.ToBoottimeNanos(50_000), Is.EqualTo(1_100));
        Assert.That(clock.UncertaintyNanos, Is.EqualTo(100));
    }

    [Test]
    public void Observe_AnAnswerFromBeforeItsQuestion_IsIgnored()
    {
        var clock = new CoordinatorClock();

        clock.Observe(sentNanos: 1_000, receivedNanos: 999, coordinatorNanos: 50_000);

        Assert.That(clock.IsKnown, Is.False);
    }

    [Test]
    public void Observe_AnyDelays_StaysWithinItsUncertaintyOfTheTruth()
    {
        const long offset = 777_000_003;
        var heartbeat = Gen.Select(Gen.Long[0, 1_000_000_000], Gen.Long[0, 5_000_000], Gen.Long[0, 5_000_000]);
        heartbeat.Array[1, 20].Sample(heartbeats =>
        {
            var clock = new CoordinatorClock();
            foreach (var (sent, there, back) in heartbeats)
                clock.Observe(sent, sent + there + back, sent + there + offset);

            var error = Math.Abs(clock.ToBoottimeNanos(offset) - 0);
            Assert.That(error, Is.LessThanOrEqualTo(clock.UncertaintyNanos + 1));
            Assert.That(clock.UncertaintyNanos, Is.EqualTo(heartbeats.Min(h => h.Item2 + h.Item3) / 2));
        });
    }

    [Test]
    public void Reset_AnotherCoordinator_IsLearntAnew()
    {
        var clock = new CoordinatorClock();
        clock.Observe(1_000, 1_010, 50_000);

        clock.Reset();
        clock.Observe(2_000, 2_100, 90_000);

        Assert.That(clock.ToBoottimeNanos(90_000), Is.EqualTo(2_050));
    }
}
