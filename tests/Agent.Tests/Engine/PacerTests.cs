using CsCheck;
using LoadHarness.Agent.Engine;

namespace LoadHarness.Agent.Tests.Engine;

public sealed class PacerTests
{
    private const long Plenty = 1_000_000_000_000;

    private static readonly Gen<double> _rate = Gen.Double[-1, 7].Select(exponent => Math.Pow(10, exponent));

    // Clocks tick as they like: by nothing, by odd numbers, by the whole of what counts as on time.
    private static readonly Gen<long[]> _onTime = Gen.OneOf(Gen.Const(0L), Gen.Long[1, Pacer.CatchUpNanos], Gen.Const(Pacer.CatchUpNanos)).Array[1, 300];
    private static readonly Gen<long[]> _anyTime = Gen.OneOf(Gen.Long[0, Pacer.CatchUpNanos], Gen.Long[0, 5_000_000_000]).Array[1, 100];

    [Test]
    public void Step_AnyTime_NeverOffersMoreThanRateTimesTimeAndTheBound() =>
        Gen.Select(_rate, _anyTime, Gen.Double[0, 1]).Sample((rate, gaps, credit) =>
        {
            var state = new PacerState(0, credit);
            var (now, offered) = (0L, 0L);
            foreach (var gap in gaps)
            {
                now += gap;
                var step = Pacer.Step(state, rate, now, Plenty);
                offered += step.Due;
                state = step.State;
                if (offered > (rate * now / 1e9) + credit + 1e-6 || step.Due > (rate * Pacer.CatchUpNanos / 1e9) + 1 || step.NotOffered < 0)
                    return false;
            }

            return true;
        });

    [Test]
    public void Step_CalledOnTime_OffersEverything() =>
        Gen.Select(_rate, _onTime).Sample((rate, gaps) =>
        {
            var state = new PacerState(0, 0);
            var (now, offered) = (0L, 0L);
            foreach (var gap in gaps)
            {
                now += gap;
                var step = Pacer.Step(state, rate, now, Plenty);
                offered += step.Due;
                state = step.State;
                if (step.NotOffered != 0)
                    return false;
            }

            // What is left is less than one connect (rounding aside).
            return offered > (rate * now / 1e9) - 1 - 1e-3;
        });

    [Test]
    public void Step_CalledLate_GivesUpAndCountsWhatLiesBeyondTheBound() =>
        Gen.Select(Gen.Double[10, 1_000_000], Gen.Long[Pacer.CatchUpNanos, 3_600_000_000_000]).Sample((rate, gap) =>
        {
            var step = Pacer.Step(new PacerState(0, 0), rate, gap, Plenty);
            var due = rate * gap / 1e9;
            var bound = rate * Pacer.CatchUpNanos / 1e9;
            return step.Due >= Math.Min(due, bound) - 1 && step.Due <= bound + 1 && Math.Abs(step.Due + step.NotOffered - due) < 2;
        });

    [Test]
    public void Step_NothingMissing_OffersNothingAndSavesAtMostOne() =>
        Gen.Select(_rate, Gen.Long[0, 3_600_000_000_000], Gen.Long[-1000, 0], Gen.Double[0, 1]).Sample((rate, gap, missing, credit) =>
        {
            var step = Pacer.Step(new PacerState(5, credit), rate, 5 + gap, missing);
            return step is { Due: 0, NotOffered: 0 } && step.State.Credit <= 1;
        });

    [Test]
    public void Step_FewMissing_OffersNoMoreThanThoseAndSavesAtMostOne() =>
        Gen.Select(_rate, Gen.Long[0, 3_600_000_000_000], Gen.Long[1, 50]).Sample((rate, gap, missing) =>
        {
            var step = Pacer.Step(new PacerState(0, 0), rate, gap, missing);
            return step.Due + step.NotOffered <= missing && (step.Due < missing || step.State.Credit <= 1);
        });

    [Test]
    public void Step_OnlySomeWereStarted_OffersTheRestNext() =>
        Gen.Select(Gen.Double[100, 1_000_000], Gen.Double[0, 1]).Sample((rate, part) =>
        {
            var step = Pacer.Step(new PacerState(0, 0), rate, Pacer.CatchUpNanos, Plenty);
            var started = (long)(step.Due * part);
            var next = Pacer.Step(step.StateAfter(started), rate, Pacer.CatchUpNanos, Plenty);
            return next.Due == step.Due - started;
        });

    [TestCase(1e12)]
    [TestCase(1e18)]
    [TestCase(double.MaxValue)]
    public void Step_HugeRate_OffersWhatIsMissing(double rate)
    {
        var step = Pacer.Step(new PacerState(0, 0), rate, 1_000_000, 5000);

        Assert.Multiple(() =>
        {
            Assert.That(step.Due, Is.EqualTo(5000));
            Assert.That(step.NotOffered, Is.Zero);
            Assert.That(step.State.Credit, Is.InRange(0, 1));
        });
    }

    [Test]
    public void Step_TimeStandsStillOrGoesBack_OffersNothingTwice()
    {
        var first = Pacer.Step(new PacerState(0, 0), 1000, 10_000_000, Plenty);
        var back = Pacer.Step(first.State, 1000, 5_000_000, Plenty);
        var again = Pacer.Step(back.State, 1000, 10_000_000, Plenty);

        Assert.That(new[] { first.Due, back.Due, again.Due }, Is.EqualTo(new[] { 10, 0, 0 }));
    }

    [Test]
    public void NanosUntilDue_AnyRate_IsWhenTheNextOneIsDueAndNotBefore() =>
        Gen.Select(_rate, Gen.Double[0, 1]).Sample((rate, credit) =>
        {
            var state = new PacerState(0, credit);
            var wait = Pacer.NanosUntilDue(state, rate);
            var due = Pacer.Step(state, rate, wait + 1, Plenty).Due;
            return due >= 1 && (wait < 10 || Pacer.Step(state, rate, wait - 10 - (long)(1e-9 * wait), Plenty).Due == 0 || credit + (rate * wait / 1e9) > 1 + 1e-9);
        });

    [Test]
    public void NanosUntilDue_NoRate_IsNever() =>
        Assert.That(Pacer.NanosUntilDue(new PacerState(0, 0), 0), Is.EqualTo(long.MaxValue));
}
