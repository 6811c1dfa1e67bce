using LoadHarness.Agent.Interop;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Engine;

/// <content>Opening: tuple, socket, bind, connect, watch.</content>
public sealed partial class ConnectRole
{
    // So many taken tuples or foreign ports are passed over in one turn before events are looked at.
    private const int SkipsPerTurn = 256;

    private readonly List<IpAddress> _newlyGone = [];
    private (IpAddress Source, int Port)? _droppedPort;

    private enum OpenAnswer
    {
        Started,
        Skipped,
        Failed,
        Stuck,
    }

    private long OpenUpTo(long due, long nowNanos)
    {
        var started = 0L;
        var skips = 0;
        while (started < due && skips < SkipsPerTurn)
        {
            if (!_cursor.TryTake(nowNanos, out var tuple))
            {
                _exhausted = true;
                return started;
            }

            _exhausted = false;
            switch (Open(tuple, nowNanos))
            {
                case OpenAnswer.Started or OpenAnswer.Failed:
                    started++;
                    break;
                case OpenAnswer.Skipped:
                    skips++;
                    break;
                default:
                    return started + 1;
            }
        }

        return started;
    }

    private OpenAnswer Open(EndpointTuple tuple, long nowNanos)
    {
        ref readonly var destination = ref _cursor.Destination(tuple);
        var socket = Sockets.Create(destination.Family);
        if (!socket.Ok)
        {
            _cursor.ReturnUnused(tuple);
            NotOpened(FailureStage.Connect, FailureClassifier.OfErrno(socket.Errno), socket.Errno);
            return OpenAnswer.Stuck;
        }

        var fd = (int)socket.Value;
        Sockets.SetReuseAddress(fd);
        _socketOptions?.Apply(fd);
        var source = _cursor.Source(tuple);
        var bound = Sockets.Bind(fd, source);
        if (!bound.Ok)
            return NotBound(fd, tuple, bound.Errno, nowNanos);
        // Whoever put it into the cursor: these are the bytes that the kernel would send a SYN to.
        if (!_allowed.Allows(destination))
            return NotAllowed(fd, tuple);
        // On one host all of the handshake happens inside connect().
        var startedNanos = Clock.BoottimeNanos;
        var connected = Sockets.Connect(fd, destination);
        if (!connected.Ok && connected.Errno != Errno.EINPROGRESS)
            return NotConnected(fd, tuple, connected.Errno, nowNanos);
        return Watch(fd, tuple, startedNanos, nowNanos);
    }

    private OpenAnswer Watch(int fd, EndpointTuple tuple, long startedNanos, long nowNanos)
    {
        _reactor.Counters.Offered++;
        var watched = _reactor.Watch(fd, ConnectionState.Connecting);
        if (!watched.Ok)
        {
            Sockets.Abort(fd);
            _cursor.ReturnUnused(tuple);
            NotOpened(FailureStage.Connect, FailureClassifier.OfErrno(watched.Errno), watched.Errno, offered: true);
            return OpenAnswer.Stuck;
        }

        var connections = _reactor.Connections;
        connections.Unit(fd) = tuple.Unit;
        connections.Destination(fd) = tuple.Destination;
        connections.StartedMicros(fd) = (uint)(startedNanos / 1000);
        connections.Marks(fd) = NextPlace();
        _reactor.Counters.Connecting++;
        _reactor.SetDeadline(fd, nowNanos + _goal!.ConnectTimeoutNanos);
        return OpenAnswer.Started;
    }

    private OpenAnswer NotBound(int fd, EndpointTuple tuple, int errno, long nowNanos)
    {
        Sockets.Close(fd);
        var cause = FailureClassifier.OfBind(errno);
        if (cause == FailureCause.PortInUse)
        {
            var source = _cursor.Source(tuple);
            _droppedPort = (source.Address, source.Port);
            _cursor.Drop(tuple);
            _reactor.Counters.DroppedPorts++;
            return OpenAnswer.Skipped;
        }

        if (cause == FailureCause.AddressGone)
        {
            // Told once, whatever its ports: who asks for the snapshot counts it and tells the other reactors.
            var source = _cursor.Source(tuple).Address;
            if (_cursor.SetGone(source, true))
                _newlyGone.Add(source);
            _cursor.ReturnUnused(tuple);
            return OpenAnswer.Skipped;
        }

        _cursor.ReturnToRest(tuple, nowNanos);
        NotOpened(FailureStage.SourceBind, cause, errno);
        return OpenAnswer.Failed;
    }

    private OpenAnswer NotConnected(int fd, EndpointTuple tuple, int errno, long nowNanos)
    {
        Sockets.Close(fd);
        var cause = FailureClassifier.OfConnect(errno);
        if (cause == FailureCause.TupleInUse)
        {
            _cursor.ReturnToRest(tuple, nowNanos);
            _reactor.Counters.SkippedTuples++;
            return OpenAnswer.Skipped;
        }

        _cursor.ReturnUnused(tuple);
        NotOpened(FailureStage.Connect, cause, errno);
        return OpenAnswer.Failed;
    }

    private OpenAnswer NotAllowed(int fd, EndpointTuple tuple)
    {
        Sockets.Close(fd);
        _cursor.ReturnUnused(tuple);
        NotOpened(FailureStage.Connect, FailureCause.NotAllowed, 0);
        return OpenAnswer.Failed;
    }

    private void NotOpened(FailureStage stage, FailureCause cause, int errno, bool offered = false)
    {
        if (!offered)
            _reactor.Counters.Offered++;
        _reactor.Counters.Failed++;
        CountFailure(stage, new(cause, errno));
    }

    // TCP is ESTABLISHED. True: the connection is open for its workload.
    private bool Connected(int slot)
    {
        var connections = _reactor.Connections;
        Latencies[HistogramKind.Connect].RecordSince(connections.StartedMicros(slot), _reactor.NowNanos);
        connections.StartedMicros(slot) = (uint)(_reactor.NowNanos / 1000);
        connections.State(slot) = ConnectionState.Handshaking;
        _reactor.Counters.Connecting--;
        _reactor.Counters.Handshaking++;
        var tuple = TupleOf(slot);
        var answer = _transport.Open(slot, _cursor.Source(tuple), _cursor.Destination(tuple), tuple.Destination, out var fault);
        return AfterHandshake(slot, answer, fault);
    }

    private bool AfterHandshake(int slot, TransportAnswer answer, TransportFault fault)
    {
        if (answer == TransportAnswer.Done)
            Opened(slot);
        else if (answer == TransportAnswer.Failed)
            HandshakeFailed(slot, fault);
        return answer == TransportAnswer.Done;
    }

    private void Opened(int slot)
    {
        var connections = _reactor.Connections;
        _reactor.ClearDeadline(slot);
        if (_transport.HasHandshake)
            Latencies[HistogramKind.TlsHandshake].RecordSince(connections.StartedMicros(slot), _reactor.NowNanos);
        connections.State(slot) = ConnectionState.Established;
        connections.EstablishedMillis(slot) = Millis(_reactor.NowNanos);
        _reactor.Hold(slot);
        ref var counters = ref _reactor.Counters;
        counters.Handshaking--;
        counters.Established++;
        counters.Opened++;
        counters.Resumed += _transport.HasResumed(slot) ? 1 : 0;
        if (counters.Established > counters.EstablishedMax)
            counters.EstablishedMax = counters.Established;
        if ((connections.Marks(slot) & ConnectionMarks.Reopened) != 0)
            counters.Reopened++;
        if ((connections.Marks(slot) & ConnectionMarks.StormOpened) != 0)
            counters.StormOpened++;
        _workload.OnOpened(slot);
    }

    // The kernel keeps the end of what was ESTABLISHED: the tuple rests.
    private void HandshakeFailed(int slot, TransportFault fault)
    {
        _reactor.ClearDeadline(slot);
        HandshakeAbandoned(slot);
        _reactor.Counters.Failed++;
        CountFailure(_transport.HasHandshake ? FailureStage.TlsHandshake : FailureStage.Connect, fault);
    }

    private void HandshakeAbandoned(int slot)
    {
        OweAgain(slot);
        _reactor.Counters.Handshaking--;
        _cursor.ReturnEnded(TupleOf(slot), _reactor.NowNanos);
        Close(slot, reset: false);
    }

    private void ConnectFailed(int slot, FailureCause cause, int errno)
    {
        _reactor.ClearDeadline(slot);
        ConnectAbandoned(slot);
        _reactor.Counters.Failed++;
        CountFailure(FailureStage.Connect, new(cause, errno));
    }

    // Whose place the next connect takes.
    private ConnectionMarks NextPlace()
    {
        if (TakesStormPlace())
            return ConnectionMarks.StormOpened;
        if (_owedReopens == 0)
            return ConnectionMarks.None;
        _owedReopens--;
        return ConnectionMarks.Reopened;
    }

    private void ConnectAbandoned(int slot)
    {
        OweAgain(slot);
        _reactor.Counters.Connecting--;
        _cursor.ReturnUnused(TupleOf(slot));
        Close(slot, reset: false);
    }

    // The owed place stays owed when its connect failed.
    private void OweAgain(int slot)
    {
        var marks = _reactor.Connections.Marks(slot);
        if ((marks & ConnectionMarks.Reopened) != 0)
            _owedReopens++;
        if ((marks & ConnectionMarks.StormOpened) != 0)
            _stormRetries++;
    }
}
