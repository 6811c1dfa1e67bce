using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Engine;

/// <content>
/// Events. ERR with HUP is a reset, IN with RDHUP and without HUP the peer's FIN, HUP without ERR the FIN after our own
/// shutdown: no system call is needed to tell them apart. OUT means connected only while connecting; every later IN carries it.
/// </content>
public sealed partial class ConnectRole
{
    private const uint Readable = Epoll.In | Epoll.ReadHangUp;

    /// <inheritdoc/>
    public void OnEvents(int slot, uint events)
    {
        switch (_reactor.Connections.State(slot))
        {
            case ConnectionState.Connecting:
                OnConnecting(slot, events);
                break;
            case ConnectionState.Handshaking:
                OnHandshaking(slot, events);
                break;
            case ConnectionState.Established:
                OnEstablished(slot, events);
                break;
            case ConnectionState.Closing:
                OnClosing(slot, events);
                break;
        }
    }

    /// <inheritdoc/>
    public void OnExpired(int slot)
    {
        switch (_reactor.Connections.State(slot))
        {
            case ConnectionState.Connecting:
                ConnectFailed(slot, FailureCause.Timeout, 0);
                break;
            case ConnectionState.Handshaking:
                HandshakeFailed(slot, TransportFault.TimedOut);
                break;
            default:
                CloseTimedOut(slot);
                break;
        }
    }

    private void OnConnecting(int slot, uint events)
    {
        if ((events & Epoll.Error) != 0)
            OnConnectingError(slot, Sockets.TakeError(slot));
        else if ((events & Epoll.Out) != 0 && Connected(slot))
            Opened(slot, events);
    }

    // A reset in answer to the SYN is ECONNREFUSED (tcp_reset in net/ipv4/tcp_input.c): the others end what was ESTABLISHED already.
    private void OnConnectingError(int slot, int errno)
    {
        if (errno is not (Errno.ECONNRESET or Errno.EPIPE))
            ConnectFailed(slot, FailureClassifier.OfConnect(errno), errno);
        else if (Connected(slot) && _reactor.Connections.State(slot) == ConnectionState.Established)
            PeerClosed(slot, TransportFault.OfErrno(errno));
        else if (_reactor.Connections.State(slot) == ConnectionState.Handshaking)
            HandshakeFailed(slot, TransportFault.OfErrno(errno));
    }

    private void OnHandshaking(int slot, uint events)
    {
        if ((events & Epoll.Error) != 0)
            HandshakeFailed(slot, _transport.FaultBehind(slot, ErrorOf(slot)));
        else if (AfterHandshake(slot, _transport.Handshake(slot, out var fault), fault))
            // What came behind the handshake may have been read with it: no event tells of it.
            Opened(slot, events | Epoll.In);
    }

    // It is open, and may have begun to be more than that: events say what has happened up to now.
    private void Opened(int slot, uint events)
    {
        if ((events & Readable) != 0 && _reactor.Connections.State(slot) == ConnectionState.Established)
            OnEstablished(slot, events & ~Epoll.Out);
    }

    private void OnEstablished(int slot, uint events)
    {
        if ((events & Epoll.Error) != 0)
        {
            PeerClosed(slot, _transport.FaultBehind(slot, ErrorOf(slot)));
            return;
        }

        // Known to the workload before it sends again: nobody would answer.
        if ((events & Epoll.ReadHangUp) != 0)
            _reactor.Connections.Marks(slot) |= ConnectionMarks.PeerEnded;
        if ((events & Epoll.Out) != 0)
            _workload.OnWritable(slot);
        if ((events & Readable) == 0 || _reactor.Connections.State(slot) != ConnectionState.Established)
            return;
        var answer = _workload.OnReadable(slot, out var fault);
        if (_reactor.Connections.State(slot) != ConnectionState.Established)
            return;
        if (answer == TransportAnswer.Done)
            _reactor.ContinueLater(slot, events);
        else if (answer == TransportAnswer.Failed)
            PeerClosed(slot, fault);
        else if ((events & Epoll.ReadHangUp) != 0)
            PeerClosed(slot, TransportFault.Fin);
    }

    private static int ErrorOf(int slot) => Sockets.TakeError(slot) is > 0 and var errno ? errno : Errno.ECONNRESET;

    private void OnClosing(int slot, uint events)
    {
        if ((events & (Epoll.Error | Epoll.HangUp | Epoll.ReadHangUp)) != 0)
        {
            Closed(slot, reset: false);
            return;
        }

        if ((events & Epoll.In) != 0 && _transport.Discard(slot, out var bytes, out _) is var answer)
        {
            _reactor.Counters.BytesReceived += bytes;
            if (answer == TransportAnswer.Done)
                _reactor.ContinueLater(slot, events);
        }
    }

    private void PeerClosed(int slot, TransportFault fault)
    {
        var stage = _workload.OnPeerEnded(slot, ref fault);
        Leave(slot);
        if (stage is null)
        {
            _reactor.Counters.Closed++;
        }
        else
        {
            _reactor.Counters.ClosedByPeer++;
            RecordPeerClose(slot);
            CountFailure(stage.Value, fault);
            _owedReopens += _draining ? 0 : 1;
        }

        _cursor.ReturnEnded(TupleOf(slot), _reactor.NowNanos);
        Close(slot, reset: false);
    }

    private void RecordPeerClose(int slot)
    {
        var millis = Millis(_reactor.NowNanos) - _reactor.Connections.EstablishedMillis(slot);
        Latencies.PeerCloseAges.RecordValue(HistogramLayout.Clamp(millis * 1000L));
    }

    // It is not open any more.
    private void Leave(int slot)
    {
        _workload.OnLeft(slot);
        _reactor.Unhold(slot);
        ref var counters = ref _reactor.Counters;
        var marks = _reactor.Connections.Marks(slot);
        counters.Established--;
        counters.Confirmed -= (marks & ConnectionMarks.Greeted) != 0 ? 1 : 0;
        _leaving -= (marks & ConnectionMarks.Leaving) != 0 ? 1 : 0;
    }

    private void Close(int slot, bool reset)
    {
        _transport.Release(slot);
        _reactor.Close(slot, reset);
    }
}
