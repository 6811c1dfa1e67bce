using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;
using LoadHarness.V1;

namespace LoadHarness.Agent.Workloads;

/// <summary>
/// Requests one after the other on each connection, and what their responses tell. Of each request two latencies are kept: from when it
/// was to be sent, and from when it was.
/// </summary>
internal sealed partial class RequestWorkload : IWorkload
{
    private const int BufferBytes = 64 * 1024;
    private const int ReadsPerTurn = 4;
    private const int Batch = 64;

    private readonly IExchange _exchange;
    private readonly RequestPace _pace;
    private readonly long _timeoutNanos;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BufferBytes, pinned: true);
    private IConnections _connections = null!;
    private Reactor _reactor = null!;
    private ITransport _transport = null!;
    private SlotArray<Request> _requests = null!;
    private SlotTimers _timers = null!;

    public RequestWorkload(IExchange exchange, RequestPace pace)
    {
        _exchange = exchange;
        _pace = pace;
        _timeoutNanos = pace.Timeout.Ticks * 100;
    }

    private enum Phase : byte
    {
        // Nothing is to be sent; a timer that expires says nothing.
        Idle,

        // Queued: free for the next request that is due.
        Free,

        // Its timer says when the next request is sent.
        Thinking,
        Sending,
        Awaiting,
    }

    private struct Request
    {
        public long IntendedNanos;
        public long SentNanos;
        public uint Number;
        public Phase Phase;
        public bool HasFirstByte;

        public readonly bool IsUnderWay => Phase is Phase.Sending or Phase.Awaiting;
    }

    private ref ReactorCounters Counters => ref _reactor.Counters;

    /// <inheritdoc/>
    public void OnStart(IConnections connections)
    {
        var capacity = connections.Reactor.Connections.Capacity;
        (_connections, _reactor, _transport) = (connections, connections.Reactor, connections.Transport);
        _requests = new SlotArray<Request>(capacity);
        _exchange.Reserve(capacity);
        StartLoad();
    }

    /// <inheritdoc/>
    public void OnOpened(int slot)
    {
        _timers.Open(slot);
        _requests[slot] = default;
        BeginLoad(slot);
    }

    /// <inheritdoc/>
    public TransportAnswer OnReadable(int slot, out TransportFault fault)
    {
        for (var i = 0; i < ReadsPerTurn; i++)
        {
            var answer = _transport.Receive(slot, _buffer, out var received, out fault);
            Greeted.Note(_reactor, slot, received);
            if (received > 0 && !Take(slot, _buffer.AsSpan(0, received)))
                return TransportAnswer.Again;
            if (answer != TransportAnswer.Done)
                return answer;
        }

        fault = default;
        return TransportAnswer.Done;
    }

    /// <inheritdoc/>
    public void OnWritable(int slot)
    {
        if (_requests[slot].Phase == Phase.Sending)
            Flush(slot);
    }

    /// <inheritdoc/>
    public FailureStage? OnPeerEnded(int slot, ref TransportFault fault)
    {
        ref var request = ref _requests[slot];
        if (!request.IsUnderWay)
            return FailureStage.Hold;
        if (fault == TransportFault.Fin && _exchange.HasBegun(slot))
        {
            var answer = _exchange.End(slot);
            if (answer.Kind is ExchangeAnswerKind.Completed or ExchangeAnswerKind.Unwanted)
            {
                Settle(slot, answer);
                return null;
            }

            fault = new(answer.Cause, answer.Code);
        }

        var stage = request.Phase == Phase.Sending ? FailureStage.Request : FailureStage.Response;
        Lose(slot);
        return stage;
    }

    /// <inheritdoc/>
    public bool MayClose(int slot) => !_requests[slot].IsUnderWay;

    /// <inheritdoc/>
    public void OnLeft(int slot)
    {
        if (_requests[slot].IsUnderWay)
        {
            _reactor.Failures.Add(FailureStage.Response, FailureCause.CutOff, 0);
            Lose(slot);
        }

        _timers.Dequeue(slot);
        _timers.Clear(slot);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timers?.Dispose();
        _requests?.Dispose();
        _exchange.Dispose();
    }

    private void Send(int slot, long intendedNanos) => Send(slot, intendedNanos, Clock.BoottimeNanos);

    private void Send(int slot, long intendedNanos, long sentNanos)
    {
        ref var request = ref _requests[slot];
        request.IntendedNanos = intendedNanos;
        request.SentNanos = sentNanos;
        request.Phase = Phase.Sending;
        request.HasFirstByte = false;
        _exchange.Begin(slot, _reactor.Connections.Destination(slot), request.Number++);
        Counters.RequestsOffered++;
        Counters.RequestsInFlight++;
        // One that was set for an earlier request looks at this one when it expires.
        _timers.SetAtLatest(slot, sentNanos + _timeoutNanos);
        Flush(slot);
    }

    // A socket that failed says so by an event too: its end is told there.
    private void Flush(int slot)
    {
        var answer = _transport.Send(slot, _exchange.Unsent(slot), out var sent, out var fault);
        Counters.BytesSent += sent;
        if (answer == TransportAnswer.Done)
        {
            _requests[slot].Phase = Phase.Awaiting;
            return;
        }

        _exchange.Sent(slot, sent);
        if (answer == TransportAnswer.Failed && !fault.IsOfSocket)
            Fail(slot, FailureStage.Request, fault);
    }

    // False: the connection has ended.
    private bool Take(int slot, ReadOnlySpan<byte> bytes)
    {
        ref var request = ref _requests[slot];
        if (!request.IsUnderWay)
            return Fail(slot, FailureStage.Hold, TransportFault.Unasked);
        if (!request.HasFirstByte)
        {
            request.HasFirstByte = true;
            _connections.Latencies[HistogramKind.TimeToFirstByte].Record((_reactor.NowNanos - request.SentNanos) / 1000);
        }

        var answer = _exchange.Receive(slot, bytes, out var used);
        switch (answer.Kind)
        {
            case ExchangeAnswerKind.More:
                return true;
            case ExchangeAnswerKind.Bad:
                return Fail(slot, FailureStage.Response, new(answer.Cause, answer.Code));
            default:
                return Answered(slot, answer, used == bytes.Length);
        }
    }

    private bool Answered(int slot, ExchangeAnswer answer, bool isAll)
    {
        var isSent = _requests[slot].Phase == Phase.Awaiting;
        Settle(slot, answer);
        if (!isAll)
            return Fail(slot, FailureStage.Hold, TransportFault.Unasked);
        var isLeaving = (_reactor.Connections.Marks(slot) & ConnectionMarks.Leaving) != 0;
        // What is left of a request that was answered before it was sent would be taken for the next one.
        if (!isSent || isLeaving || _exchange.Closes(slot) || _requests[slot].Number == _pace.PerConnection)
        {
            _connections.End(slot, byReset: false);
            return false;
        }

        Continue(slot);
        return true;
    }

    // The response has come in full.
    private void Settle(int slot, ExchangeAnswer answer)
    {
        ref var request = ref _requests[slot];
        if (answer.Kind == ExchangeAnswerKind.Completed)
        {
            var (now, latencies) = (_reactor.NowNanos, _connections.Latencies);
            // To a tick is our own rounding, not the target's latency.
            var dueNanos = Math.Min(_timers.TickOf(request.IntendedNanos), request.SentNanos);
            Counters.RequestsCompleted++;
            latencies[HistogramKind.Request].Record((now - dueNanos) / 1000);
            latencies[HistogramKind.RequestService].Record((now - request.SentNanos) / 1000);
        }
        else
        {
            Counters.RequestsFailed++;
            _reactor.Failures.Add(FailureStage.Response, answer.Cause, answer.Code);
        }

        Counters.RequestsInFlight--;
        request.Phase = Phase.Idle;
    }

    // The request has none, and will have none.
    private void Lose(int slot)
    {
        Counters.RequestsFailed++;
        Counters.RequestsInFlight--;
        _requests[slot].Phase = Phase.Idle;
    }

    private bool Fail(int slot, FailureStage stage, TransportFault fault)
    {
        if (_requests[slot].IsUnderWay)
            Lose(slot);
        _connections.Fail(slot, stage, fault);
        return false;
    }
}
