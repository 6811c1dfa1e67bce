namespace LoadHarness.Agent.Safety;

/// <summary>
/// How long the agent may go on without hearing from its coordinator. Runs on CLOCK_BOOTTIME, which goes on
/// while the host sleeps and which nobody can set.
/// </summary>
public sealed class Lease
{
    private long _deadlineNanos = long.MaxValue;
    private long _lapsedNanos;

    /// <summary>
    /// CLOCK_BOOTTIME at which the lease ends, in nanoseconds; <see cref="long.MaxValue"/> before the first renewal. Safe to read
    /// from any thread.
    /// </summary>
    public long DeadlineNanos => Volatile.Read(ref _deadlineNanos);

    /// <summary>
    /// When a lease ended that was renewed too late, the newest of them; 0: none did. Whoever wakes from a stop may find the lease
    /// renewed already: what was to drain drains nevertheless.
    /// </summary>
    public long LapsedNanos => Volatile.Read(ref _lapsedNanos);

    /// <summary>Renews on an answered heartbeat.</summary>
    /// <param name="sentNanos">CLOCK_BOOTTIME when the heartbeat was sent, not when it was answered.</param>
    /// <param name="duration">As the coordinator granted it.</param>
    /// <param name="nowNanos">CLOCK_BOOTTIME now.</param>
    public void Renew(long sentNanos, TimeSpan duration, long nowNanos)
    {
        var deadline = sentNanos + (duration.Ticks * 100);
        var current = DeadlineNanos;
        if (nowNanos >= current)
            Volatile.Write(ref _lapsedNanos, current);
        if (current == long.MaxValue || deadline > current)
            Volatile.Write(ref _deadlineNanos, deadline);
    }

    /// <summary>Whether the lease has ended.</summary>
    /// <param name="nowNanos">CLOCK_BOOTTIME, in nanoseconds.</param>
    public bool HasEnded(long nowNanos) => nowNanos >= DeadlineNanos;
}
