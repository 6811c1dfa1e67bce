namespace LoadHarness.Agent.Engine;

/// <summary>
/// Timers of a workload's own, one for each slot beside the reactor's, and a queue that a slot can be in instead. Used by one thread.
/// </summary>
internal sealed class SlotTimers : IDisposable
{
    private const int QueueList = TimerWheel.Buckets;
    private const long HorizonNanos = 1_000_000_000;

    private readonly SlotLinks _links;
    private readonly SlotLists _lists;
    private readonly TimerWheel _wheel;
    private readonly long _tickNanos;
    private readonly long _originNanos;

    /// <summary>Makes timers for all slots of a reactor; none is set.</summary>
    /// <param name="reactor">Whose slots.</param>
    /// <param name="tickNanos">They are met late by at most so much.</param>
    public SlotTimers(Reactor reactor, long tickNanos)
    {
        _links = new SlotLinks(reactor.Connections.Capacity);
        _lists = new SlotLists(_links, TimerWheel.Buckets + 1);
        (_tickNanos, _originNanos) = (tickNanos, reactor.NowNanos);
        _wheel = new TimerWheel(_links, _lists, tickNanos, _originNanos);
    }

    /// <summary>The slot that has been queued longest; -1 when the queue is empty.</summary>
    public int Oldest => _lists.Last(QueueList);

    /// <summary>A slot is used anew.</summary>
    public void Open(int slot) => _links.Unlink(slot);

    /// <summary>Sets the timer of a slot that has none and is not queued.</summary>
    public void Set(int slot, long deadlineNanos) => _wheel.Set(slot, deadlineNanos);

    /// <summary>Queues a slot that has no timer.</summary>
    public void Enqueue(int slot) => _lists.Push(QueueList, slot);

    /// <summary>Takes a slot out of the queue.</summary>
    public void Dequeue(int slot) => _lists.Remove(slot);

    /// <summary>Clears the timer of a slot that is not queued; without one nothing happens.</summary>
    public void Clear(int slot) => _wheel.Clear(slot);

    /// <summary>Takes the next slot whose timer has expired; -1 when there is none.</summary>
    public int TakeExpired(long nowNanos) => _wheel.TakeExpired(nowNanos);

    /// <summary>When to ask again: the next tick that may have one; <see cref="long.MaxValue"/> when no timer is set.</summary>
    public long NextNanos(long nowNanos) => _wheel.Count == 0 ? long.MaxValue : _wheel.NextNanos(nowNanos + HorizonNanos);

    /// <summary>When a timer with this deadline is met, by a loop that is never late.</summary>
    public long TickOf(long nanos) => _originNanos + ((((nanos - _originNanos) / _tickNanos) + 1) * _tickNanos);

    /// <inheritdoc/>
    public void Dispose() => _links.Dispose();
}
