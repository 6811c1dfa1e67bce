using LoadHarness.Agent.Interop.Libc;
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
        if (_reactor.Connections.State(slot) == ConnectionState.Connecting)
            ConnectFailed(slot, FailureCause.Timeout, 0);
        else
            CloseTimedOut(slot);
    }

    private void OnConnecting(int slot, uint events)
    {
        if ((events & Epoll.Error) != 0)
        {
            OnConnectingError(slot, Sockets.TakeError(slot));
            return;
        }

        if ((events & Epoll.Out) == 0)
            return;
        Opened(slot);
        if ((events & Readable) != 0)
            OnEstablished(slot, events);
    }

    // A reset in answer to the SYN is ECONNREFUSED (tcp_reset in net/ipv4/tcp_input.c): the others end what was ESTABLISHED already.
    private void OnConnectingError(int slot, int errno)
    {
        if (errno is Errno.ECONNRESET or Errno.EPIPE)
        {
            Opened(slot);
            PeerClosed(slot, errno);
        }
        else
        {
            ConnectFailed(slot, FailureClassifier.OfConnect(errno), errno);
        }
    }

    private void OnEstablished(int slot, uint events)
    {
        if ((events & Epoll.Error) != 0)
        {
            var errno = Sockets.TakeError(slot);
            PeerClosed(slot, errno == 0 ? Errno.ECONNRESET : errno);
            return;
        }

        if ((events & Readable) == 0)
            return;
        var answer = _workload.OnReadable(_reactor, slot, out var failed);
        if (answer == TransportAnswer.Done)
            _reactor.ContinueLater(slot, events);
        else if (answer == TransportAnswer.Failed || (events & Epoll.ReadHangUp) != 0)
            PeerClosed(slot, failed);
    }

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

    private void PeerClosed(int slot, int errno)
    {
        _reactor.Unhold(slot);
        LeaveEstablished(slot);
        _reactor.Counters.ClosedByPeer++;
        RecordPeerClose(slot);
        CountFailure(FailureStage.Hold, errno == 0 ? FailureCause.Closed : FailureClassifier.OfErrno(errno), errno);
        _cursor.ReturnEnded(TupleOf(slot), _reactor.NowNanos);
        _reactor.Close(slot, reset: false);
        if (!_draining)
            _owedReopens++;
    }

    private void RecordPeerClose(int slot)
    {
        var millis = Millis(_reactor.NowNanos) - _reactor.Connections.EstablishedMillis(slot);
        _peerCloseAges.RecordValue(HistogramLayout.Clamp(millis * 1000L));
    }

    private void LeaveEstablished(int slot)
    {
        _reactor.Counters.Established--;
        if ((_reactor.Connections.Marks(slot) & ConnectionMarks.Greeted) != 0)
            _reactor.Counters.Confirmed--;
    }
}
