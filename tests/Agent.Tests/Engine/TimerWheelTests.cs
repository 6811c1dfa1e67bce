using CsCheck;
using LoadHarness.Agent.Engine;

namespace LoadHarness.Agent.Tests.Engine;

public sealed class TimerWheelTests
{
    private const int Slots = 30;
    private const long Second = 1_000_000_000;
    private const long Origin = 12_345_678_901_234;
    private const long TickNanos = 16_000_000;

    private static readonly Gen<long> _span = Gen.OneOf(
        Gen.Long[0, TickNanos * 3], Gen.Long[0, 5 * Second], Gen.Long[0, 200 * Second], Gen.Const(TimerWheel.Buckets * TickNanos));

    /// <summary>Set a slot (when it has no deadline, else clear it), then let time pass and take what has expired.</summary>
    private static readonly Gen<(int Slot, long Deadline, long Pass)[]> _moves =
        Gen.Select(Gen.Int[0, Slots - 1], _span, Gen.OneOf(Gen.Const(0L), _span)).Array[1, 100];

    [Test]
    public void TakeExpired_AnyDeadlinesAndSteps_GivesEachOnceNeverEarlyAndAtMostATickLate() =>
        _moves.Sample(moves =>
        {
            using var links = new SlotLinks(Slots);
            for (var slot = 0; slot < Slots; slot++)
                links.Unlink(slot);
            var wheel = new TimerWheel(links, new SlotLists(links, TimerWheel.Buckets), TickNanos, Origin);
            var model = new Dictionary<int, long>();
            var now = Origin;
            foreach (var (slot, deadline, pass) in moves)
            {
                if (model.Remove(slot))
                    wheel.Clear(slot);
                else
                    wheel.Set(slot, model[slot] = now + deadline);
                now += pass;
                for (var expired = wheel.TakeExpired(now); expired >= 0; expired = wheel.TakeExpired(now))
                {
                    if (!model.Remove(expired, out var due) || due > now)
                        return false;
                }

                // One tick for the rounding of the deadline, one for that of now.
                if (model.Values.Any(due => now - due >= 2 * TickNanos) || wheel.Count != model.Count)
                    return false;
            }

            return true;
        });

    [Test]
    public void NextNanos_AnyDeadlinesWithinARound_IsTheTickOfTheFirst() =>
        Gen.Select(Gen.Int[0, Slots - 1], Gen.Long[0, (TimerWheel.Buckets - 2) * TickNanos], Gen.OneOf(Gen.Const(0L), Gen.Long[0, 5 * Second])).Array[1, 100].Sample(moves =>
        {
            using var links = new SlotLinks(Slots);
            for (var slot = 0; slot < Slots; slot++)
                links.Unlink(slot);
            var wheel = new TimerWheel(links, new SlotLists(links, TimerWheel.Buckets), TickNanos, Origin);
            var model = new Dictionary<int, long>();
            var now = Origin;
            foreach (var (slot, deadline, pass) in moves)
            {
                if (model.Remove(slot))
                    wheel.Clear(slot);
                else
                    wheel.Set(slot, model[slot] = now + deadline);
                now += pass;
                for (var expired = wheel.TakeExpired(now); expired >= 0; expired = wheel.TakeExpired(now))
                    model.Remove(expired);
                var horizon = now + (10 * Second);
                var ticks = model.Values.Select(d => Origin + ((((d - Origin) / TickNanos) + 1) * TickNanos)).Where(t => t <= horizon);
                if (wheel.NextNanos(horizon) != ticks.DefaultIfEmpty(horizon).Min())
                    return false;
            }

            return true;
        });

    [TestCase(0)]
    [TestCase(-1)]
    [TestCase(-3600)]
    public void Set_DeadlineBeforeTheWheelBegan_ExpiresAtTheNextTick(long seconds)
    {
        using var links = new SlotLinks(1);
        links.Unlink(0);
        var wheel = new TimerWheel(links, new SlotLists(links, TimerWheel.Buckets), TickNanos, Origin);

        wheel.Set(0, Origin + (seconds * Second));

        Assert.That(wheel.TakeExpired(Origin + TickNanos), Is.Zero);
    }

    [Test]
    public void TakeExpired_AfterMonths_StillMeetsDeadlines()
    {
        using var links = new SlotLinks(1);
        links.Unlink(0);
        var wheel = new TimerWheel(links, new SlotLists(links, TimerWheel.Buckets), TickNanos, Origin);
        var now = Origin + (300L * 24 * 3600 * Second);

        Assert.That(wheel.TakeExpired(now), Is.EqualTo(-1));
        wheel.Set(0, now + Second);

        Assert.Multiple(() =>
        {
            Assert.That(wheel.TakeExpired(now + Second - 1), Is.EqualTo(-1));
            Assert.That(wheel.TakeExpired(now + Second + (2 * TickNanos)), Is.Zero);
        });
    }
}
