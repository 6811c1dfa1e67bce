using CsCheck;
using LoadHarness.Agent.Workloads;

namespace LoadHarness.Agent.Tests.Workloads;

public sealed class OpenScheduleTests
{
    private const long Second = 1_000_000_000;
    private const long Start = 77 * Second;

    [Test]
    public void Advance_AnyStepsAndRates_IsNeitherEarlyNorLate() =>
        Gen.Select(Gen.Double[0.01, 1e6], Gen.Long[0, 3 * Second].Array[1, 30]).Sample((rate, steps) =>
        {
            var schedule = new OpenSchedule(Start, rate);
            var (now, due) = (Start, 0L);
            foreach (var step in steps)
            {
                now += step;
                due += schedule.Advance(now);
                // One is due at once; floating point may tip one over at the very instant.
                if (Math.Abs(due - (Math.Floor((now - Start) * rate / 1e9) + 1)) > 1 || schedule.NextNanos <= now)
                    return false;
            }

            return schedule.Waiting == due;
        });

    [Test]
    public void Advance_ToTheInstantOfTheNext_MakesThatDueAndNoOther() =>
        Gen.Select(Gen.OneOf(Gen.Double[0.01, 1e6], Gen.Int[1, 1_000_000].Select(r => r / 100.0), Gen.Const(0.7)), Gen.Long[0, 100 * Second]).Sample((rate, before) =>
        {
            var schedule = new OpenSchedule(Start, rate);
            schedule.Advance(Start + before);
            for (var i = 0; i < 300; i++)
            {
                var next = schedule.NextNanos;
                if (schedule.Advance(next - 1) != 0 || schedule.Advance(next) != 1 || schedule.NextNanos <= next)
                    return false;
            }

            return true;
        });

    [Test]
    public void Take_OfABacklog_GivesEachTheInstantThatItWasDueAt()
    {
        var schedule = new OpenSchedule(Start, 1000);
        schedule.Advance(Start + Second);

        var instants = Enumerable.Range(0, 1001).Select(_ => schedule.Take()).ToList();

        Assert.That(instants, Is.EqualTo(Enumerable.Range(0, 1001).Select(i => Start + (i * Second / 1000))));
        Assert.That(schedule.Waiting, Is.Zero);
    }

    [Test]
    public void GiveUpBefore_LeavesThoseThatAreDueLater()
    {
        var schedule = new OpenSchedule(Start, 1000);
        schedule.Advance(Start + Second);

        Assert.That(schedule.GiveUpBefore(Start + (Second / 2)), Is.EqualTo(501));
        Assert.That(schedule.Waiting, Is.EqualTo(500));
        Assert.That(schedule.Take(), Is.EqualTo(Start + (501 * Second / 1000)));
        Assert.That(schedule.GiveUpBefore(long.MaxValue), Is.EqualTo(499));
    }

    [Test]
    public void Change_OfTheRate_GoesOnFromNowAndKeepsTheBacklog()
    {
        var schedule = new OpenSchedule(Start, 1000);
        schedule.Advance(Start + Second);
        for (var i = 0; i < 901; i++)
            schedule.Take();

        schedule.Change(100, Start + Second);

        Assert.That(schedule.Waiting, Is.EqualTo(100));
        Assert.That(schedule.NextNanos, Is.EqualTo(Start + Second + (Second / 100)));
        Assert.That(schedule.Advance(Start + (2 * Second)), Is.EqualTo(100));
    }

    [Test]
    public void Change_OfTheRate_WhatWaitsKeepsItsInstantsAndIsNotGivenUpForIt()
    {
        var schedule = new OpenSchedule(Start, 1000);
        schedule.Advance(Start + Second);
        for (var i = 0; i < 991; i++)
            schedule.Take();

        var due = schedule.Change(2000, Start + Second + 5_000_000);

        Assert.That((due, schedule.Waiting), Is.EqualTo((5, 15)));
        Assert.That(schedule.GiveUpBefore(Start + Second - 95_000_000), Is.Zero, "none has waited for so long");
        Assert.That(schedule.GiveUpBefore(Start + Second), Is.EqualTo(10).Within(1));
        Assert.That(schedule.Take(), Is.EqualTo(Start + Second + 1_000_000).Within(1_000_000));
    }

    [Test]
    public void AnyChangesOfTheRate_LoseNoneAndKeepTheirOrder() =>
        Gen.Select(Gen.Long[0, Second / 2], Gen.Double[0, 5000], Gen.Int[0, 500], Gen.Long[0, Second]).Array[1, 20].Sample(steps =>
        {
            var schedule = new OpenSchedule(Start, 1000);
            var (now, due, left, last) = (Start, 0L, 0L, Start);
            foreach (var (time, rate, takes, patience) in steps)
            {
                now += time;
                // An agent that is told to stop sending, now and then.
                due += schedule.Change(rate < 500 ? 0 : rate, now);
                left += schedule.GiveUpBefore(now - patience);
                for (var i = 0; i < takes && schedule.Waiting > 0; i++, left++)
                {
                    var instant = schedule.Take();
                    // What was due so long ago has just been given up; rounding may tip one over.
                    if (instant < last || instant > now || instant < now - patience - 1)
                        return false;
                    last = instant;
                }
            }

            return due == left + schedule.Waiting;
        });

    [Test]
    public void ARateOfZero_IsNeverDue()
    {
        var schedule = new OpenSchedule(Start, 0);

        Assert.That(schedule.Advance(Start + (1000 * Second)), Is.Zero);
        Assert.That(schedule.NextNanos, Is.EqualTo(long.MaxValue));
    }
}
