using System.Collections.Immutable;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Backend;

/// <summary>The accepting side: accepts, greets when asked to, answers HTTP when asked to, holds until the peer closes.</summary>
internal sealed class AcceptRole(BackendOptions options, ITransport transport) : IReactorRole
{
    private const int Backlog = 65_535;
    private const int AcceptsPerTurn = 64;
    private const int ClosesPerTurn = 64;
    private const long FullRetryNanos = 100_000_000;

    private readonly HttpResponder? _http = options.Http ? new HttpResponder() : null;
    private ImmutableArray<int> _listeners = [];
    private Reactor _reactor = null!;
    private long _retryNanos = long.MaxValue;
    private bool _draining;

    /// <inheritdoc/>
    public void OnStart(Reactor reactor)
    {
        _reactor = reactor;
        _http?.Reserve(reactor.Connections.Capacity);
        _listeners = [.. options.Listen.Select(Listen)];
    }

    /// <inheritdoc/>
    public void OnCommand(ReactorCommand command)
    {
        if (command is BackendCommand.Drain)
        {
            CloseListeners();
            return;
        }

        if (command is not BackendCommand.SetWindow window)
            return;
        foreach (var listener in _listeners)
            Sockets.SetReusePortWindow(listener, window.First, window.Count);
    }

    /// <inheritdoc/>
    public void OnEvents(int slot, uint events)
    {
        if (_reactor.Connections.State(slot) == ConnectionState.Listener)
            Accept(slot);
        else
            OnConnection(slot, events);
    }

    /// <inheritdoc/>
    public void OnExpired(int slot)
    {
    }

    /// <inheritdoc/>
    public long Pace(long nowNanos)
    {
        if (_draining)
            return CloseSome(nowNanos);
        if (nowNanos < _retryNanos)
            return _retryNanos;
        _retryNanos = long.MaxValue;
        foreach (var listener in _listeners)
            _reactor.WatchListener(listener);
        return long.MaxValue;
    }

    /// <inheritdoc/>
    public void OnSnapshot(ReactorSnapshot snapshot) => snapshot.Drained = _draining && _reactor.Counters.Established == 0;

    /// <inheritdoc/>
    public void Dispose() => _http?.Dispose();

    private void CloseListeners()
    {
        foreach (var listener in _listeners)
            _reactor.Close(listener, reset: false);
        _listeners = [];
        _retryNanos = long.MaxValue;
        _draining = true;
    }

    // Some in each turn, so that what their peers do meanwhile is seen.
    private long CloseSome(long nowNanos)
    {
        var closed = 0;
        for (var slot = _reactor.NewestHeld; slot >= 0 && closed < ClosesPerTurn; slot = _reactor.NewestHeld, closed++)
        {
            // What is left unread would turn our FIN into RST.
            Discard(slot);
            End(slot);
        }

        return closed == ClosesPerTurn ? nowNanos : long.MaxValue;
    }

    private bool IsPaused => _retryNanos != long.MaxValue;

    private int Listen((IpAddress Address, int Port) endpoint)
    {
        var address = new SocketAddress(endpoint.Address, endpoint.Port);
        var socket = Sockets.Create(address.Family);
        var fd = (int)socket.Value;
        var result = socket;
        if (result.Ok && endpoint.Address.IsV6)
            result = Sockets.SetIpv6Only(fd);
        if (result.Ok)
            result = Sockets.SetReuseAddress(fd);
        if (result.Ok)
            result = Sockets.SetReusePort(fd);
        if (result.Ok)
            result = Sockets.Bind(fd, address);
        if (result.Ok)
            result = Sockets.Listen(fd, Backlog);
        if (result.Ok)
            result = _reactor.WatchListener(fd);
        if (result.Ok)
            return fd;
        if (socket.Ok)
            Sockets.Close(fd);
        throw new InvalidOperationException(ListenProbe.Describe(endpoint.Address, endpoint.Port, result.Errno));
    }

    private void Accept(int listener)
    {
        for (var i = 0; i < AcceptsPerTurn && !IsPaused; i++)
        {
            var accepted = Sockets.Accept(listener);
            if (accepted.Ok)
            {
                Accepted((int)accepted.Value);
                continue;
            }

            if (accepted.Errno != Errno.EAGAIN)
                Pause(accepted.Errno);
            return;
        }
    }

    // Without descriptors a level-triggered listener would be reported for ever: it is looked at again a little later.
    private void Pause(int errno)
    {
        _reactor.Failures.Add(FailureStage.Connect, FailureClassifier.OfErrno(errno), errno);
        _reactor.Counters.Failed++;
        _retryNanos = _reactor.NowNanos + FullRetryNanos;
        foreach (var listener in _listeners)
            _reactor.UnwatchListener(listener);
    }

    private void Accepted(int fd)
    {
        ref var counters = ref _reactor.Counters;
        counters.Opened++;
        var watched = _reactor.Watch(fd, ConnectionState.Established, writable: _http is not null);
        if (!watched.Ok)
        {
            Sockets.Abort(fd);
            counters.Failed++;
            counters.Closed++;
            _reactor.Failures.Add(FailureStage.Connect, FailureClassifier.OfErrno(watched.Errno), watched.Errno);
            return;
        }

        counters.Established++;
        counters.EstablishedMax = Math.Max(counters.EstablishedMax, counters.Established);
        _reactor.Hold(fd);
        _http?.Open(fd);
        if (options.Greet)
            counters.BytesSent += Greeting.Send(fd);
    }

    private void OnConnection(int slot, uint events)
    {
        if ((events & Epoll.Error) != 0)
        {
            End(slot);
            return;
        }

        var answer = _http is null ? Discard(slot) : _http.Serve(slot, events, ref _reactor.Counters);
        if (answer == TransportAnswer.Done)
            _reactor.ContinueLater(slot, events);
        else if (answer == TransportAnswer.Failed || (_http is null && (events & Epoll.ReadHangUp) != 0))
            End(slot);
    }

    private TransportAnswer Discard(int slot)
    {
        var answer = transport.Discard(slot, out var bytes, out _);
        _reactor.Counters.BytesReceived += bytes;
        return answer;
    }

    private void End(int slot)
    {
        _reactor.Unhold(slot);
        if (_http is not null)
        {
            // What is left unread would turn our FIN into RST, and that could take the last answer with it.
            _http.Close(slot);
            Discard(slot);
        }

        _reactor.Counters.Established--;
        _reactor.Counters.Closed++;
        _reactor.Close(slot, reset: false);
    }
}
