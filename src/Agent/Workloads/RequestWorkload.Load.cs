using LoadHarness.Agent.Engine;
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
    private const long LongestTickNanos = 16_000_000;

    // Of a period or a think time: as exact as anybody needs it.
    private const int TicksPerWait = 1000;

    // While every connection is busy the schedule is looked at so often: the backlog is the target's doing.
    private const long LookNanos = CatchUpNanos / 2;

    // Steps of it leave the least gaps, however many there are (Weyl; Knuth, The Art of Computer Programming 3, 6.4).
    private const double GoldenRatio = 0.6180339887498949;

    private OpenSchedule _schedule;
    private bool _hasBegun;
    private long _opened;

    private void StartLoad()
    {
        var wait = _pace.Load switch
        {
            RequestLoad.Closed closed => closed.ThinkTime,
            RequestLoad.Heartbeat heartbeat => heartbeat.Every,
            _ => TimeSpan.Zero,
        };
        _timers = new SlotTimers(_connections.Reactor, Math.Clamp(wait.Ticks * 100 / TicksPerWait, ShortestTickNanos, LongestTickNanos));
    }

    private void BeginLoad(int slot)
    {
        var now = _connections.Reactor.NowNanos;
        if (_pace.Load is RequestLoad.Heartbeat heartbeat)
        {
            _requests[slot].Phase = Phase.Thinking;
            var first = now + (long)(heartbeat.Every.Ticks * 100 * (++_opened * GoldenRatio % 1));
            _requests[slot].IntendedNanos = first;
            _timers.Set(slot, first);
            return;
        }

        if (!_hasBegun)
        {
            _hasBegun = true;
            _schedule = new OpenSchedule(now, _connections.RequestsPerSecond);
        }

        Continue(slot);
    }

    // The connection is free for its next request.
    private void Continue(int slot)
    {
        if (_connections.IsDraining || (_connections.Reactor.Connections.Marks(slot) & ConnectionMarks.PeerEnded) != 0)
        {
            _requests[slot].Phase = Phase.Thinking;
            return;
        }

        switch (_pace.Load)
        {
            case RequestLoad.Open:
                TakeNext(slot);
                break;
            case RequestLoad.Closed { ThinkTime.Ticks: 0 }:
                Counters.RequestsScheduled++;
                Send(slot, Interop.Libc.Clock.BoottimeNanos);
                break;
            case RequestLoad.Closed closed:
                Think(slot, _connections.Reactor.NowNanos + (closed.ThinkTime.Ticks * 100));
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
            Send(slot, _timers.TickOf(_schedule.Take()));
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
            Fail(slot, FailureStage.Response, TransportFault.TimedOut);
            return;
        }

        if (_connections.IsDraining)
            return;
        Counters.RequestsScheduled++;
        if (nowNanos - request.IntendedNanos > CatchUpNanos && IsOurLateness(request))
            Counters.Late++;
        // The clock of a closed model starts when the request is sent.
        var intended = _pace.Load is RequestLoad.Heartbeat ? _timers.TickOf(request.IntendedNanos) : nowNanos;
        Send(slot, Math.Min(intended, nowNanos));
    }

    // A heartbeat whose period was over before its last response had come is the target's doing.
    private static bool IsOurLateness(in Request request) => request.IntendedNanos > request.SentNanos;

    private long PaceOpen(long nowNanos)
    {
        _schedule.Change(_connections.RequestsPerSecond, nowNanos);
        Counters.RequestsScheduled += _schedule.Advance(nowNanos);
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
            Send(slot, _timers.TickOf(_schedule.Take()));
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
