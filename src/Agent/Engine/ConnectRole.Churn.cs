using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Engine;

/// <content>
/// Ends of connections whose workload limits their life. All lives are equally long, so the one that was held first ends
/// first: the list of held connections is the queue, and no timer is needed.
/// </content>
public sealed partial class ConnectRole
{
    private const long NanosPerMilli = 1_000_000;

    private static uint Millis(long nanos) => (uint)(nanos / NanosPerMilli);

    private void BeginLife(int slot)
    {
        // Rounded up: never shorter than was asked for.
        if (_life is not null)
            _reactor.Connections.LifeEndMillis(slot) = Millis(_reactor.NowNanos + (_life.Length.Ticks * 100) + NanosPerMilli - 1);
    }

    /// <summary>Closes a batch of those whose life has ended.</summary>
    /// <returns>When to come again for the next; <see cref="long.MaxValue"/> when there is none.</returns>
    private long EndLives(long nowNanos)
    {
        if (_life is null)
            return long.MaxValue;
        if (_memory.StopsFins && !_life.ByReset)
            return nowNanos + MemoryLookNanos;
        for (var closed = 0; _reactor.OldestHeld is >= 0 and var slot; closed++)
        {
            var millisLeft = (int)(_reactor.Connections.LifeEndMillis(slot) - Millis(nowNanos));
            if (millisLeft > 0)
                return nowNanos + Math.Max(millisLeft * NanosPerMilli, _churnQuantumNanos);
            if (closed == Batch)
                return nowNanos;
            if (_life.ByReset)
                Abort(slot);
            else
                BeginClose(slot, nowNanos + CloseTimeoutNanos);
        }

        return long.MaxValue;
    }

    // The kernel keeps nothing of a connection that we reset: its tuple need not rest.
    private void Abort(int slot)
    {
        _reactor.Unhold(slot);
        LeaveEstablished(slot);
        _reactor.Counters.Closed++;
        _reactor.Counters.Aborted++;
        CountStormClose(slot);
        _cursor.ReturnUnused(TupleOf(slot));
        _reactor.Close(slot, reset: true);
    }
}
