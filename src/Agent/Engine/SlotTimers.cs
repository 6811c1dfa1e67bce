namespace LoadHarness.Agent.Engine;

/// <summary>
/// Timers of a workload's own, one for each slot beside the reactor's, and a queue that a slot can be in as well. Used by one thread.
/// </summary>
internal sealed class SlotTimers : IDisposable
{
    private const long HorizonNanos = 1_000_000_000;

    private readonly SlotLinks _links;
    private readonly SlotLinks _queueLinks;
    private readonly SlotLists _queue;
    private readonly TimerWheel _wheel;
    private readonly long _tickNanos;
    private readonly long _originNanos;

    /// <summary>Makes timers for all slots of a reactor; none is set.</summary>
    /// <param name="capacity">One more than the highest slot.</param>
    /// <param name="tickNanos">They are met late by at most so much.</param>
    /// <param name="nowNanos">Now.</param>
    public SlotTimers(int capacity, long tickNanos, long nowNanos)
    {
        _links = new SlotLinks(capacity);
        // Links of its own, so that a slot goes in and out of the queue without a touch of its timer.
        _queueLinks = new SlotLinks(capacity);
        _queue = new SlotLists(_queueLinks, 1);
        (_tickNanos, _originNanos) = (tickNanos, nowNanos);
        _wheel = new TimerWheel(_links, new SlotLists(_links, TimerWheel.Buckets), tickNanos, nowNanos);
    }

    /// <summary>The slot that has been queued longest; -1 when the queue is empty.</summary>
    public int Oldest => _queue.Last(0);

    /// <summary>A slot is used anew: it has no timer and is not queued.</summary>
    public void Open(int slot)
    {
        _links.Unlink(slot);
        _queueLinks.Unlink(slot);
    }

    /// <summary>Sets the timer of a slot; one that was set is no more.</summary>
    public void Set(int slot, long deadlineNanos)
    {
        _wheel.Clear(slot);
        _wheel.Set(slot, deadlineNanos);
    }

    /// <summary>
    /// Sees to it that a timer expires no later than this deadline; one that is set stays, and is known to be no later. Who is told of its
    /// expiry and finds the deadline still ahead sets it again. So a deadline that is put off again and again costs one look, not two changes of lists.
    /// </summary>
    public void SetAtLatest(int slot, long deadlineNanos)
    {
        if (!_wheel.IsSet(slot))
            _wheel.Set(slot, deadlineNanos);
    }

    /// <summary>Queues a slot that is not queued.</summary>
    public void Enqueue(int slot) => _queue.Push(0, slot);

    /// <summary>Takes a slot out of the queue; one that is not queued is no matter.</summary>
    public void Dequeue(int slot) => _queue.Remove(slot);

    /// <summary>Clears the timer of a slot; without one nothing happens.</summary>
    public void Clear(int slot) => _wheel.Clear(slot);

    /// <summary>Takes the next slot whose timer has expired; -1 when there is none.</summary>
    public int TakeExpired(long nowNanos) => _wheel.TakeExpired(nowNanos);

    /// <summary>When to ask again: the next tick that may have one; <see cref="long.MaxValue"/> when no timer is set.</summary>
    public long NextNanos(long nowNanos) => _wheel.Count == 0 ? long.MaxValue : _wheel.NextNanos(nowNanos + HorizonNanos);

    /// <summary>When a timer with this deadline is met, by a loop that is never late.</summary>
    public long TickOf(long nanos) => _originNanos + ((((nanos - _originNanos) / _tickNanos) + 1) * _tickNanos);

    /// <inheritdoc/>
    public void Dispose()
    {
        _links.Dispose();
        _queueLinks.Dispose();
    }
}
