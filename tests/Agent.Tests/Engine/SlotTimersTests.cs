using CsCheck;
using LoadHarness.Agent.Engine;

namespace LoadHarness.Agent.Tests.Engine;

public sealed class SlotTimersTests
{
    private const long Tick = 1_000_000;
    private const long Origin = 9_876_543_210_123;
    private const int Slots = 8;

    [Test]
    public void TickOf_AnyDeadline_IsWhenItIsMetAndNotBefore() =>
        Gen.Long[0, 60_000 * Tick].Sample(deadline =>
        {
            using var timers = Make();
            timers.Set(3, Origin + deadline);
            var met = timers.TickOf(Origin + deadline);

            return met > Origin + deadline && met <= Origin + deadline + Tick
                && timers.TakeExpired(met - 1) == -1 && timers.TakeExpired(met) == 3 && timers.TakeExpired(met) == -1;
        });

    [Test]
    public void Set_AgainForASlot_MovesItsTimer()
    {
        using var timers = Make();
        timers.Set(1, Origin + (10 * Tick));
        timers.Set(1, Origin + (50 * Tick));

        Assert.Multiple(() =>
        {
            Assert.That(timers.TakeExpired(Origin + (40 * Tick)), Is.EqualTo(-1));
            Assert.That(timers.TakeExpired(Origin + (52 * Tick)), Is.EqualTo(1));
        });
    }

    [Test]
    public void SetAtLatest_WithATimerThatIsSet_LeavesIt()
    {
        using var timers = Make();
        timers.SetAtLatest(1, Origin + (10 * Tick));
        timers.SetAtLatest(1, Origin + (50 * Tick));

        Assert.That(timers.TakeExpired(Origin + (12 * Tick)), Is.EqualTo(1));
        timers.SetAtLatest(1, Origin + (50 * Tick));
        Assert.That(timers.TakeExpired(Origin + (49 * Tick)), Is.EqualTo(-1));
        Assert.That(timers.TakeExpired(Origin + (52 * Tick)), Is.EqualTo(1));
    }

    [Test]
    public void Clear_OfAnySlot_LeavesTheOthers()
    {
        using var timers = Make();
        timers.Set(1, Origin + Tick);
        timers.Set(2, Origin + Tick);
        timers.Clear(1);
        timers.Clear(5);

        Assert.That(timers.TakeExpired(Origin + (3 * Tick)), Is.EqualTo(2));
        Assert.That(timers.NextNanos(Origin + (3 * Tick)), Is.EqualTo(long.MaxValue));
    }

    [Test]
    public void NextNanos_WithATimer_IsItsTick()
    {
        using var timers = Make();
        timers.Set(4, Origin + (7 * Tick) + 5);

        Assert.That(timers.NextNanos(Origin), Is.EqualTo(timers.TickOf(Origin + (7 * Tick) + 5)));
    }

    [Test]
    public void Queue_IsFirstInFirstOut_WhateverTimersDo()
    {
        using var timers = Make();
        foreach (var slot in new[] { 5, 2, 7 })
        {
            timers.Enqueue(slot);
            timers.Set(slot, Origin + Tick);
        }

        timers.Dequeue(2);
        timers.Dequeue(2);
        while (timers.TakeExpired(Origin + (3 * Tick)) >= 0)
        {
        }

        Assert.That(timers.Oldest, Is.EqualTo(5));
        timers.Dequeue(5);
        Assert.That(timers.Oldest, Is.EqualTo(7));
        timers.Dequeue(7);
        Assert.That(timers.Oldest, Is.EqualTo(-1));
    }

    private static SlotTimers Make()
    {
        var timers = new SlotTimers(Slots, Tick, Origin);
        for (var slot = 0; slot < Slots; slot++)
            timers.Open(slot);
        return timers;
    }
}
