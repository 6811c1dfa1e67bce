namespace LoadHarness.Agent.Safety;

/// <summary>
/// How long the agent may go on without hearing from its coordinator. Runs on CLOCK_BOOTTIME, which goes on
/// while the host sleeps and which nobody can set.
/// </summary>
public sealed class Lease
{
    private long _deadlineNanos = long.MaxValue;

    /// <summary>
    /// CLOCK_BOOTTIME at which the lease ends, in nanoseconds; <see cref="long.MaxValue"/> before the first renewal. Safe to read
    /// from any thread.
    /// </summary>
    public long DeadlineNanos => Volatile.Read(ref _deadlineNanos);

    /// <summary>Renews on an answered heartbeat.</summary>
    /// <param name="sentNanos">CLOCK_BOOTTIME when the heartbeat was sent, not when it was answered.</param>
    /// <param name="duration">As the coordinator granted it.</param>
    public void Renew(long sentNanos, TimeSpan duration)
    {
        var deadline = sentNanos + (duration.Ticks * 100);
        var current = DeadlineNanos;
        if (current == long.MaxValue || deadline > current)
            Volatile.Write(ref _deadlineNanos, deadline);
    }

    /// <summary>Whether the lease has ended.</summary>
    /// <param name="nowNanos">CLOCK_BOOTTIME, in nanoseconds.</param>
    public bool HasEnded(long nowNanos) => nowNanos >= DeadlineNanos;
}
