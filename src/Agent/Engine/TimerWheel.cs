namespace LoadHarness.Agent.Engine;

/// <summary>
/// Deadlines of connections: 4,096 buckets of 16 ms. A deadline further away than one turn (65 s) stays in its bucket
/// until its turn comes. Setting and clearing cost O(1); a deadline is met late by at most one tick.
/// </summary>
internal sealed class TimerWheel
{
    /// <summary>Lists that the wheel needs, numbered from 0.</summary>
    public const int Buckets = 4096;

    /// <summary>Length of a tick, in nanoseconds.</summary>
    public const long TickNanos = 16_000_000;

    private readonly ConnectionTable _table;
    private readonly SlotLists _lists;
    private readonly long _originNanos;
    private uint _tick;

    public TimerWheel(ConnectionTable table, SlotLists lists, long nowNanos)
    {
        _table = table;
        _lists = lists;
        _originNanos = nowNanos;
    }

    /// <summary>Slots that wait for a deadline.</summary>
    public int Count { get; private set; }

    /// <summary>Sets the deadline of a slot that is in no list.</summary>
    public void Set(int slot, long deadlineNanos)
    {
        var tick = Math.Max(TickOf(deadlineNanos) + 1, _tick + 1);
        _table.DeadlineTick(slot) = tick;
        _lists.Push((int)(tick % Buckets), slot);
        Count++;
    }

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
                if (_table.DeadlineTick(slot) > target)
                    continue;
                Clear(slot);
                return slot;
            }

            _tick++;
        }

        return -1;
    }

    private uint TickOf(long nanos) => (uint)Math.Max(0, (nanos - _originNanos) / TickNanos);
}
