namespace LoadHarness.Protos;

/// <summary>
/// Lets a burst through and a steady rate from then on. It has no clock: the time is an argument, from any clock that counts evenly.
/// Not safe for several threads at once.
/// </summary>
/// <param name="burst">What may be taken at once after a pause, at least 1.</param>
/// <param name="perSecond">What comes back, above 0.</param>
public sealed class TokenBucket(double burst, double perSecond)
{
    private const double NanosPerSecond = 1e9;

    // Above the burst: taken in advance.
    private double _taken;
    private long? _lastNanos;

    /// <summary>Takes one if there is one.</summary>
    /// <param name="nowNanos">Now; a time before the last one counts as that one.</param>
    public bool TryTake(long nowNanos)
    {
        Refill(nowNanos);
        if (_taken + 1 > burst)
            return false;
        _taken++;
        return true;
    }

    /// <summary>Takes some in any case, in advance if it must be.</summary>
    /// <param name="nowNanos">As for <see cref="TryTake"/>.</param>
    /// <param name="amount">How many, at least 0.</param>
    /// <returns>How long to wait until they would have been there; zero: not at all.</returns>
    public TimeSpan Take(long nowNanos, double amount = 1)
    {
        Refill(nowNanos);
        _taken += amount;
        return _taken <= burst ? TimeSpan.Zero : TimeSpan.FromSeconds((_taken - burst) / perSecond);
    }

    private void Refill(long nowNanos)
    {
        if (_lastNanos is { } last && nowNanos > last)
            _taken = Math.Max(0, _taken - ((nowNanos - last) / NanosPerSecond * perSecond));
        _lastNanos = Math.Max(nowNanos, _lastNanos ?? nowNanos);
    }
}
