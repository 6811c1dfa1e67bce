using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Transports;
using LoadHarness.V1;

namespace LoadHarness.Agent.Engine;

/// <content>
/// Closing: our FIN, then the peer's within a deadline, then close(). A tuple is given back only after the peer's FIN was seen:
/// an orphan in FIN-WAIT-2 could be connected over, and the peer would be reset.
/// </content>
public sealed partial class ConnectRole
{
    private const long CloseTimeoutNanos = 10_000_000_000;
    private const int AbortBatch = 512;
    private const double LeastDrainPerSecond = 1000;
    private const long MemoryLookNanos = 50_000_000;

    // The part of a drain's time that is left for the peers' FINs; the rest is for sending ours.
    private static readonly TimeSpan _drainTail = TimeSpan.FromSeconds(10);

    private bool _draining;
    private long _drainDeadlineNanos;
    private double _drainPerSecond;
    private PacerState _drainPace;
    private int _abortFrom;
    private long _pausedNanos = long.MaxValue;

    // Open ones that close as soon as what is under way is over.
    private long _leaving;

    private void BeginDrain(TimeSpan timeout)
    {
        var now = Clock.BoottimeNanos;
        var deadline = now + (timeout.Ticks * 100);
        // A second drain may only hasten the first.
        if (_draining && deadline >= _drainDeadlineNanos)
            return;
        _drainDeadlineNanos = deadline;
        PlanDrain(now, timeout);
        _draining = true;
        _owedReopens = 0;
        EndStorm();
        _exhausted = false;
        _reactor.Counters.Goal = 0;
        _workload.OnDrain();
    }

    private void PlanDrain(long nowNanos, TimeSpan timeLeft)
    {
        var paced = timeLeft > _drainTail ? timeLeft - _drainTail : timeLeft / 2;
        _drainPerSecond = Math.Max(LeastDrainPerSecond, _reactor.Counters.Established / Math.Max(0.001, paced.TotalSeconds));
        _drainPace = new PacerState(nowNanos, 0);
    }

    // While the kernel's TCP memory runs short no FIN is sent; what is left then has less time.
    private bool PausesDrain(long nowNanos)
    {
        if (_pausedNanos != long.MaxValue)
            _reactor.Counters.DrainPausedNanos += nowNanos - _pausedNanos;
        if (_memory.StopsFins && _reactor.Counters.Established > 0)
        {
            _pausedNanos = nowNanos;
            return true;
        }

        if (_pausedNanos != long.MaxValue)
            PlanDrain(nowNanos, TimeSpan.FromTicks((_drainDeadlineNanos - nowNanos) / 100));
        _pausedNanos = long.MaxValue;
        return false;
    }

    private long PaceDrain(long nowNanos)
    {
        if (Live + _reactor.Counters.Closing == 0)
            return long.MaxValue;
        if (nowNanos >= _drainDeadlineNanos)
            return AbortAll(nowNanos);
        AbandonConnecting();
        if (PausesDrain(nowNanos))
            return Math.Min(nowNanos + MemoryLookNanos, _drainDeadlineNanos);
        var step = Pacer.Step(_drainPace, _drainPerSecond, nowNanos, _reactor.Counters.Established - _leaving);
        var closed = CloseNewest(Math.Min(step.Due, Batch), _drainDeadlineNanos);
        _drainPace = step.StateAfter(closed);
        if (_reactor.Counters.Established == _leaving)
            return _drainDeadlineNanos;
        return closed == Batch ? nowNanos : nowNanos + PaceQuantumNanos;
    }

    private long CloseSurplus(long surplus, long nowNanos)
    {
        // Their places are not missing any more.
        _owedReopens = 0;
        EndStorm();
        _pace = new PacerState(nowNanos, Math.Min(_pace.Credit, 1));
        if (_memory.StopsFins)
            return nowNanos + MemoryLookNanos;
        var closed = CloseNewest(Math.Min(surplus, Batch), nowNanos + CloseTimeoutNanos);
        return closed == Batch ? nowNanos : nowNanos + PaceQuantumNanos;
    }

    private int CloseNewest(long count, long deadlineNanos)
    {
        var closed = 0;
        for (var slot = _reactor.NewestHeld; closed < count && slot >= 0; slot = _reactor.NewestHeld)
        {
            CloseWhenIdle(slot, deadlineNanos);
            closed++;
        }

        return closed;
    }

    // What is under way is not cut off: its workload ends the connection then.
    private void CloseWhenIdle(int slot, long deadlineNanos)
    {
        if (_workload.MayClose(slot))
        {
            BeginClose(slot, deadlineNanos);
            return;
        }

        _reactor.Unhold(slot);
        _reactor.Connections.Marks(slot) |= ConnectionMarks.Leaving;
        _leaving++;
    }

    private void BeginClose(int slot, long deadlineNanos)
    {
        Leave(slot);
        _reactor.Counters.Closing++;
        _reactor.Connections.State(slot) = ConnectionState.Closing;
        // Once more before our FIN: unread bytes would turn it into RST.
        var discarded = _transport.Discard(slot, out var bytes, out _);
        _reactor.Counters.BytesReceived += bytes;
        if (_transport.Shutdown(slot, out _) == TransportAnswer.Failed)
        {
            Closed(slot, reset: false);
            return;
        }

        _reactor.SetDeadline(slot, deadlineNanos);
        if (discarded == TransportAnswer.Done)
            _reactor.ContinueLater(slot, Epoll.In);
    }

    // The kernel keeps nothing of a connection that we reset: its tuple need not rest.
    private void Abort(int slot)
    {
        Leave(slot);
        _reactor.Counters.Closed++;
        _reactor.Counters.Aborted++;
        CountStormClose(slot);
        _cursor.ReturnUnused(TupleOf(slot));
        Close(slot, reset: true);
    }

    private void Closed(int slot, bool reset)
    {
        _reactor.ClearDeadline(slot);
        _reactor.Counters.Closing--;
        _reactor.Counters.Closed++;
        _reactor.Counters.Aborted += reset ? 1 : 0;
        CountStormClose(slot);
        _cursor.ReturnEnded(TupleOf(slot), _reactor.NowNanos);
        if (!reset)
            _transport.Discard(slot, out _, out _);
        Close(slot, reset);
    }

    private void CloseTimedOut(int slot)
    {
        CountFailure(FailureStage.Close, TransportFault.TimedOut);
        Closed(slot, reset: true);
    }

    private void AbandonConnecting()
    {
        ref var counters = ref _reactor.Counters;
        var connections = _reactor.Connections;
        for (var slot = 0; slot < connections.Capacity && counters.Connecting + counters.Handshaking > 0; slot++)
        {
            if (connections.State(slot) is not (ConnectionState.Connecting or ConnectionState.Handshaking))
                continue;
            _reactor.ClearDeadline(slot);
            if (connections.State(slot) == ConnectionState.Connecting)
                ConnectAbandoned(slot);
            else
                HandshakeAbandoned(slot);
        }

        _owedReopens = 0;
    }

    // At the deadline nothing is waited for any more: RST.
    private long AbortAll(long nowNanos)
    {
        var connections = _reactor.Connections;
        AbandonConnecting();
        var aborted = 0;
        for (; _abortFrom < connections.Capacity && aborted < AbortBatch; _abortFrom++)
        {
            var slot = _abortFrom;
            switch (connections.State(slot))
            {
                case ConnectionState.Established:
                    Leave(slot);
                    _reactor.Counters.Closing++;
                    Closed(slot, reset: true);
                    aborted++;
                    break;
                case ConnectionState.Closing:
                    CloseTimedOut(slot);
                    aborted++;
                    break;
            }
        }

        return Live + _reactor.Counters.Closing == 0 ? long.MaxValue : nowNanos;
    }
}
