namespace LoadHarness.Agent.Engine;

/// <summary>
/// Deadlines of slots in 4,096 buckets of one tick each. A deadline further away than one turn stays in its bucket until its turn
/// comes. Setting and clearing cost O(1); a deadline is met late by at most one tick, and never early.
/// </summary>
internal sealed class TimerWheel
{
    /// <summary>Lists that the wheel needs, numbered from 0.</summary>
    public const int Buckets = 4096;

    private readonly SlotLinks _links;
    private readonly SlotLists _lists;
    private readonly long _tickNanos;
    private readonly long _originNanos;
    private long _tick;

    // The buckets of the ticks after _tick up to this one are empty.
    private long _emptyUpTo;

    /// <summary>Makes a wheel without deadlines.</summary>
    /// <param name="links">Of the lists.</param>
    /// <param name="lists">At least <see cref="Buckets"/>.</param>
    /// <param name="tickNanos">Length of a tick. No deadline is 2^31 ticks or more away.</param>
    /// <param name="nowNanos">Now.</param>
    public TimerWheel(SlotLinks links, SlotLists lists, long tickNanos, long nowNanos)
    {
        _links = links;
        _lists = lists;
        _tickNanos = tickNanos;
        _originNanos = nowNanos;
    }

    /// <summary>Slots that wait for a deadline.</summary>
    public int Count { get; private set; }

    /// <summary>Sets the deadline of a slot that is in no list.</summary>
    public void Set(int slot, long deadlineNanos)
    {
        var tick = Math.Max(TickOf(deadlineNanos) + 1, _tick + 1);
        _links.Tick(slot) = (uint)tick;
        _lists.Push((int)(tick % Buckets), slot);
        Count++;
        // Its bucket's turn comes within one round.
        var turn = _tick + 1 + ((tick - _tick - 1) % Buckets);
        _emptyUpTo = Math.Min(_emptyUpTo, turn - 1);
    }

    /// <summary>Whether a slot has a deadline; it is in no other list.</summary>
    public bool IsSet(int slot) => _lists.Contains(slot);

    /// <summary>Clears the deadline of a slot that has one.</summary>
    public void Clear(int slot)
    {
        if (_lists.Remove(slot))
            Count--;
    }

    /// <summary>
    /// Takes the next slot whose deadline has passed out of the wheel; -1 when there is none. Callers ask until then.
    /// </summary>
    public int TakeExpired(long nowNanos)
    {
        var target = TickOf(nowNanos);
        // After a long stop one turn visits every bucket.
        if (target - _tick > Buckets)
            _tick = target - Buckets;
        while (_tick < target)
        {
            for (var slot = _lists.First((int)((_tick + 1) % Buckets)); slot >= 0; slot = _lists.After(slot))
            {
                // Ticks are kept modulo 2^32 and compared by their difference.
                if ((int)(_links.Tick(slot) - (uint)target) > 0)
                    continue;
                Clear(slot);
                return slot;
            }

            _tick++;
        }

        return -1;
    }

    /// <summary>
    /// When to ask again, in nanoseconds: the next tick that may have an expired deadline, or the horizon when none before it has.
    /// </summary>
    public long NextNanos(long horizonNanos)
    {
        if (Count == 0)
            return horizonNanos;
        var last = Math.Min(TickOf(horizonNanos), _tick + Buckets);
        // Each bucket is looked at once, not in every turn of the loop.
        for (var tick = Math.Max(_tick, _emptyUpTo) + 1; tick <= last; tick++)
        {
            if (_lists.First((int)(tick % Buckets)) >= 0)
                return _originNanos + (tick * _tickNanos);
            _emptyUpTo = tick;
        }

        return horizonNanos;
    }

    private long TickOf(long nanos) => Math.Max(0, (nanos - _originNanos) / _tickNanos);
}
