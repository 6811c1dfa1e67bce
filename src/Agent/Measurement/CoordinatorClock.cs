namespace LoadHarness.Agent.Measurement;

/// <summary>
/// Maps the coordinator's clock onto this host's CLOCK_BOOTTIME. Of all heartbeats the one with the shortest
/// round trip says most: the offset is off by at most half of it.
/// </summary>
public sealed class CoordinatorClock
{
    private readonly Lock _gate = new();
    private long _offsetNanos;
    private long _roundTripNanos = long.MaxValue;

    /// <summary>False until the first heartbeat was answered.</summary>
    public bool IsKnown
    {
        get { lock (_gate) return _roundTripNanos != long.MaxValue; }
    }

    /// <summary>How far the mapping may be off, in nanoseconds: half the shortest round trip.</summary>
    public long UncertaintyNanos
    {
        get { lock (_gate) return _roundTripNanos == long.MaxValue ? 0 : _roundTripNanos / 2; }
    }

    /// <summary>Takes one answered heartbeat.</summary>
    /// <param name="sentNanos">CLOCK_BOOTTIME when it was sent.</param>
    /// <param name="receivedNanos">CLOCK_BOOTTIME when the answer arrived.</param>
    /// <param name="coordinatorNanos">The coordinator's clock in between.</param>
    public void Observe(long sentNanos, long receivedNanos, long coordinatorNanos)
    {
        var roundTrip = receivedNanos - sentNanos;
        if (roundTrip < 0)
            return;
        lock (_gate)
        {
            if (roundTrip >= _roundTripNanos)
                return;
            _roundTripNanos = roundTrip;
            _offsetNanos = coordinatorNanos - (sentNanos + (roundTrip / 2));
        }
    }

    /// <summary>Forgets everything: the next coordinator has another clock.</summary>
    public void Reset()
    {
        lock (_gate)
            _roundTripNanos = long.MaxValue;
    }

    /// <summary>An instant of the coordinator's clock on this host's CLOCK_BOOTTIME, in nanoseconds.</summary>
    public long ToBoottimeNanos(long coordinatorNanos)
    {
        lock (_gate)
            return coordinatorNanos - _offsetNanos;
    }
}
