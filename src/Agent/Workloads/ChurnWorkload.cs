using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Transports;
using LoadHarness.V1;

namespace LoadHarness.Agent.Workloads;

/// <summary>Holds each connection for its lifetime, then closes it: another takes its place under the schedule's pace.</summary>
internal sealed class ChurnWorkload(WorkloadPlan.Churn plan) : IWorkload
{
    private const int Batch = 64;
    private const long LongestTickNanos = 4_000_000;
    private const long ShortestTickNanos = 1_000_000;
    private const long MemoryLookNanos = 50_000_000;

    private readonly HoldWorkload _meanwhile = new();
    private IConnections _connections = null!;
    private SlotTimers? _lives;
    private Chance _chance;

    private bool ByReset => plan.Close == CloseMethod.Rst;

    /// <inheritdoc/>
    public void OnStart(IConnections connections)
    {
        _connections = connections;
        _meanwhile.OnStart(connections);
        _chance = new Chance((ulong)(Clock.BoottimeNanos + connections.Reactor.Number) | 1);
        // An eighth of a short life; a longer one is met late by as much as opening is.
        if (plan.Life is { } life)
        {
            var tick = Math.Clamp(life.Mean.Ticks * 100 / 8, ShortestTickNanos, LongestTickNanos);
            _lives = new SlotTimers(connections.Reactor.Connections.Capacity, tick, connections.Reactor.NowNanos);
        }
    }

    /// <inheritdoc/>
    public void OnOpened(int slot)
    {
        _meanwhile.OnOpened(slot);
        _lives?.Open(slot);
        if (plan.Life is { } life)
            _lives!.Set(slot, _connections.Reactor.NowNanos + (life.Draw(life.Spread == LifetimeSpread.Fixed ? 0 : _chance.Next()).Ticks * 100));
    }

    /// <inheritdoc/>
    public TransportAnswer OnReadable(int slot, out TransportFault fault) => _meanwhile.OnReadable(slot, out fault);

    /// <inheritdoc/>
    public FailureStage? OnPeerEnded(int slot, ref TransportFault fault) => plan.Close == CloseMethod.Peer ? null : FailureStage.Hold;

    /// <inheritdoc/>
    public void OnLeft(int slot) => _lives?.Clear(slot);

    /// <inheritdoc/>
    public long Pace(long nowNanos)
    {
        if (_lives is null || _connections.IsDraining)
            return long.MaxValue;
        if (_connections.StopsFins && !ByReset)
            return nowNanos + MemoryLookNanos;
        for (var closed = 0; closed < Batch; closed++)
        {
            var slot = _lives.TakeExpired(nowNanos);
            if (slot < 0)
                return _lives.NextNanos(nowNanos);
            _connections.End(slot, ByReset);
        }

        return nowNanos;
    }

    /// <inheritdoc/>
    public void Dispose() => _lives?.Dispose();
}
