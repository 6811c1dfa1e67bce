using LoadHarness.Protos;

namespace LoadHarness.Agent.Safety;

/// <summary>
/// How many lines somebody else may cause in this agent's log: some at once, then one every ten seconds. Whoever sends nonsense at full speed
/// fills no disk with it. Members may be called from any thread.
/// </summary>
public sealed class LogBudget
{
    private const double Burst = 10;
    private const double PerSecond = 0.1;

    private readonly Lock _gate = new();
    private readonly TokenBucket _lines = new(Burst, PerSecond);
    private long _leftOut;

    /// <summary>Whether a line may be written now.</summary>
    /// <param name="nowNanos">From any clock that counts evenly.</param>
    /// <param name="leftOut">Lines that were not written since the last one that was.</param>
    public bool TryTake(long nowNanos, out long leftOut)
    {
        lock (_gate)
        {
            leftOut = _leftOut;
            var allowed = _lines.TryTake(nowNanos);
            _leftOut = allowed ? 0 : _leftOut + 1;
            return allowed;
        }
    }
}
