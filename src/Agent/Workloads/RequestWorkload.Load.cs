using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;
using LoadHarness.V1;

namespace LoadHarness.Agent.Workloads;

/// <content>The load models: when a connection sends its next request.</content>
internal sealed partial class RequestWorkload
{
    // How much lateness of our own is made good; see Pacer.CatchUpNanos.
    private const long CatchUpNanos = Pacer.CatchUpNanos;
    private const long ShortestTickNanos = 1_000_000;
    private const long LongestTickNanos = 64_000_000;

    // A think time is kept so exactly: what it is longer makes the rate less. Heartbeats are due at instants that no tick moves, and nobody looks
    // at them more closely; what is sent in one tick, and answered meanwhile, costs one turn of the loop and wakes the target once.
    private const int TicksPerThinkTime = 500;
    private const int TicksPerPeriod = 50;

    // While every connection is busy the schedule is looked at so often: the backlog is the target's doing.
    private const long LookNanos = CatchUpNanos / 2;

    private OpenSchedule _schedule;
    private bool _hasBegun;
    private long _opened;
    private long _phasesFromNanos;

    private void StartLoad()
    {
        var wanted = _pace.Load switch
        {
            RequestLoad.Closed closed => closed.ThinkTime / TicksPerThinkTime,
            RequestLoad.Heartbeat heartbeat => heartbeat.Every / TicksPerPeriod,
            _ => TimeSpan.Zero,
        };
        var tick = Math.Clamp(wanted.Ticks * 100, ShortestTickNanos, LongestTickNanos);
        _timers = new SlotTimers(_reactor.Connections.Capacity, tick, _reactor.NowNanos);
        _phasesFromNanos = _reactor.NowNanos;
    }

    private void BeginLoad(int slot)
    {
        if (_pace.Load is RequestLoad.Heartbeat heartbeat)
        {
            Think(slot, FirstBeat(heartbeat.Every.Ticks * 100));
            return;
        }

        if (!_hasBegun)
        {
            _hasBegun = true;
            _schedule = new OpenSchedule(_reactor.NowNanos, _connections.RequestsPerSecond);
        }

        Continue(slot);
    }

    // Phases count from one instant for all connections, not from each one's opening: their order alone makes them even, not the pace of opening.
    private long FirstBeat(long everyNanos)
    {
        var phase = _phasesFromNanos + (long)(everyNanos * GoldenSteps.At(++_opened));
        var sinceNanos = _reactor.NowNanos - phase;
        return sinceNanos <= 0 ? phase : phase + ((sinceNanos + everyNanos - 1) / everyNanos * everyNanos);
    }

    // The connection is free for its next request.
    private void Continue(int slot)
    {
        if (_connections.IsDraining || (_reactor.Connections.Marks(slot) & ConnectionMarks.PeerEnded) != 0)
            return;

        switch (_pace.Load)
        {
            case RequestLoad.Open:
                TakeNext(slot);
                break;
            case RequestLoad.Closed { ThinkTime.Ticks: 0 }:
                Counters.RequestsScheduled++;
                SendAtOnce(slot);
                break;
            case RequestLoad.Closed closed:
                Think(slot, _reactor.NowNanos + (closed.ThinkTime.Ticks * 100));
                break;
            case RequestLoad.Heartbeat heartbeat:
                Think(slot, _requests[slot].IntendedNanos + (heartbeat.Every.Ticks * 100));
                break;
        }
    }

    private void Think(int slot, long untilNanos)
    {
        ref var request = ref _requests[slot];
        request.Phase = Phase.Thinking;
        request.IntendedNanos = untilNanos;
        _timers.Set(slot, untilNanos);
    }

    // What has become due since the last pace waits for it: whether we were late for it is judged there.
    private void TakeNext(int slot)
    {
        if (_schedule.Waiting > 0)
        {
            Send(slot, _schedule.Take());
            return;
        }

        _requests[slot].Phase = Phase.Free;
        _timers.Enqueue(slot);
    }

    /// <inheritdoc/>
    public long Pace(long nowNanos)
    {
        var handled = 0;
        for (var slot = _timers.TakeExpired(nowNanos); slot >= 0; slot = _timers.TakeExpired(nowNanos))
        {
            Expired(slot, nowNanos);
            if (++handled == Batch)
                return nowNanos;
        }

        var next = _timers.NextNanos(nowNanos);
        return _pace.Load is RequestLoad.Open && _hasBegun && !_connections.IsDraining ? Math.Min(next, PaceOpen(nowNanos)) : next;
    }

    private void Expired(int slot, long nowNanos)
    {
        ref var request = ref _requests[slot];
        if (request.IsUnderWay)
        {
            // The timer may have been set for an earlier request.
            if (nowNanos - request.SentNanos < _timeoutNanos)
                _timers.Set(slot, request.SentNanos + _timeoutNanos);
            else
                Fail(slot, FailureStage.Response, TransportFault.TimedOut);
            return;
        }

        if (request.Phase != Phase.Thinking || _connections.IsDraining)
            return;
        Counters.RequestsScheduled++;
        if (nowNanos - _timers.TickOf(request.IntendedNanos) > CatchUpNanos && IsOurLateness(request))
            Counters.Late++;
        if (_pace.Load is RequestLoad.Heartbeat)
            Send(slot, request.IntendedNanos);
        else
            SendAtOnce(slot);
    }

    // The clock of a closed model starts when the request is sent.
    private void SendAtOnce(int slot)
    {
        var now = Clock.BoottimeNanos;
        Send(slot, now, now);
    }

    // A heartbeat whose period was over before its last response had come is the target's doing.
    private static bool IsOurLateness(in Request request) => request.IntendedNanos > request.SentNanos;

    private long PaceOpen(long nowNanos)
    {
        Counters.RequestsScheduled += _schedule.Change(_connections.RequestsPerSecond, nowNanos);
        // Connections were free and nothing was sent: that was not the target's doing.
        if (_timers.Oldest >= 0 && _schedule.GiveUpBefore(nowNanos - CatchUpNanos) is > 0 and var late)
        {
            Counters.RequestsNotOffered += late;
            Counters.Late += late;
        }

        var sent = 0;
        for (var slot = _timers.Oldest; slot >= 0 && _schedule.Waiting > 0; slot = _timers.Oldest)
        {
            if (sent++ == Batch)
                return nowNanos;
            _timers.Dequeue(slot);
            Send(slot, _schedule.Take());
        }

        if (_timers.Oldest < 0)
            return nowNanos + LookNanos;
        return _schedule.NextNanos is < long.MaxValue and var due ? _timers.TickOf(due) : long.MaxValue;
    }

    /// <inheritdoc/>
    public void OnDrain()
    {
        // What has become due since the last pace is no more of this run.
        if (_hasBegun)
            Counters.RequestsNotOffered += _schedule.GiveUpBefore(long.MaxValue);
    }

    /// <inheritdoc/>
    public void OnSnapshot(ReactorSnapshot snapshot)
    {
        if (_pace.Load is RequestLoad.Open)
            snapshot.Counters.RequestsWaiting += _schedule.Waiting;
    }
}
