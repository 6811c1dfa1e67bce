using System.Collections.Immutable;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Backend;

/// <summary>
/// The accepting side: accepts, greets or answers when asked to, holds until the peer closes. The listeners are
/// shared with other reactors; as many accept at a time as have a turn, and one that is full hands its turn on.
/// </summary>
/// <param name="options">What to do.</param>
/// <param name="transport">Reads what nobody needs.</param>
/// <param name="listeners">Listening sockets of the thread that starts the reactor.</param>
/// <param name="turns">Turns to accept that nobody has.</param>
/// <param name="capacity">At most this many connections.</param>
internal sealed class AcceptRole(BackendOptions options, ITransport transport, ImmutableArray<int> listeners, EventFd turns, int capacity) : IReactorRole
{
    // Short turns, since a snapshot waits for the end of one: about so many in all, however many listeners there are.
    private const int AcceptsPerTurn = 128;
    private const int AcceptsPerListener = 32;
    private const int ClosesPerTurn = 64;
    private const long SeekEveryNanos = 100_000_000;

    private readonly IResponder? _responder = options switch
    {
        { Http: true, Echo: true } => new HttpOrEchoResponder(),
        { Http: true } => new HttpResponder(),
        { Echo: true } => new EchoResponder(),
        _ => null,
    };
    private readonly int _acceptsAtOnce = Math.Clamp(AcceptsPerTurn / listeners.Length, 1, AcceptsPerListener);
    private ImmutableArray<int> _listeners = [];
    private Reactor _reactor = null!;
    private int _capacity = capacity;
    private long _seekNanos = long.MaxValue;
    private bool _hasTurn;
    private bool _seeks;
    private bool _draining;

    /// <inheritdoc/>
    public ImmutableArray<int> Shared => listeners;

    private bool IsFull => _reactor.Counters.Established >= _capacity;

    /// <inheritdoc/>
    public void OnStart(Reactor reactor)
    {
        _reactor = reactor;
        _responder?.Reserve(reactor.Connections.Capacity);
        // In a shared table both sides would close the same number.
        _listeners = reactor.HasPrivateTable ? listeners : [.. listeners.Select(Duplicate)];
        foreach (var listener in _listeners)
            reactor.OpenListener(listener);
        Seek();
    }

    /// <inheritdoc/>
    public void OnCommand(ReactorCommand command)
    {
        if (command is BackendCommand.Drain)
            CloseListeners();
        else if (command is BackendCommand.NoRelief)
            _capacity = int.MaxValue;
    }

    /// <inheritdoc/>
    public void OnEvents(int slot, uint events)
    {
        if (_reactor.Connections.State(slot) != ConnectionState.Listener)
            OnConnection(slot, events);
        else if (slot == turns.Descriptor)
            Seek();
        else
            Accept(slot);
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
        if (nowNanos >= _seekNanos)
            Seek();
        return _seekNanos;
    }

    /// <inheritdoc/>
    public void OnSnapshot(ReactorSnapshot snapshot) => snapshot.Drained = _draining && _reactor.Counters.Established == 0;

    /// <inheritdoc/>
    public void Dispose() => _responder?.Dispose();

    private static int Duplicate(int listener)
    {
        var copy = Sockets.Duplicate(listener);
        return copy.Ok ? (int)copy.Value : throw new InvalidOperationException($"no descriptor is left for a listener: errno {copy.Errno}; raise ulimit -n");
    }

    private void CloseListeners()
    {
        StopSeeking();
        (_hasTurn, _seekNanos) = (false, long.MaxValue);
        foreach (var listener in _listeners)
        {
            _reactor.UnwatchListener(listener);
            _reactor.Close(listener, reset: false);
        }

        _listeners = [];
        _draining = true;
    }

    // Accepts if there is a turn to take, and waits for one otherwise. Watching a listener tells of those who wait already: they may be
    // what a full reactor has left, and nobody else has been told of them.
    private void Seek()
    {
        StopSeeking();
        _seekNanos = IsFull && !_draining ? _reactor.NowNanos + SeekEveryNanos : long.MaxValue;
        if (IsFull || _hasTurn || _draining)
            return;
        _hasTurn = turns.TryTake();
        _seeks = !_hasTurn;
        if (_seeks)
        {
            _reactor.OpenListener(turns.Descriptor);
            _reactor.WatchListener(turns.Descriptor);
            return;
        }

        foreach (var listener in _listeners)
            _reactor.WatchListener(listener);
    }

    private void StopSeeking()
    {
        if (_seeks)
            _reactor.UnwatchListener(turns.Descriptor);
        _seeks = false;
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

    private void Accept(int listener)
    {
        for (var i = 0; i < _acceptsAtOnce && _hasTurn; i++)
        {
            var accepted = Sockets.Accept(listener);
            if (accepted.Ok)
                Accepted((int)accepted.Value);
            // Of a listener that has ended: the command to close it is on its way.
            else if (accepted.Errno is Errno.EAGAIN or Errno.EINVAL)
                break;
            else
                PauseFor(accepted.Errno);
            if (IsFull)
                Pause();
        }

        // To the end of the queue, so that the next one wakes another reactor and all cores have their share.
        if (_hasTurn)
            _reactor.WatchListener(listener);
    }

    private void PauseFor(int errno)
    {
        _reactor.Failures.Add(FailureStage.Connect, FailureClassifier.OfErrno(errno), errno);
        _reactor.Counters.Failed++;
        Pause();
    }

    // A level-triggered listener would be reported for ever, and keep others from being told.
    private void Pause()
    {
        if (!_hasTurn)
            return;
        foreach (var listener in _listeners)
            _reactor.UnwatchListener(listener);
        _hasTurn = false;
        _seekNanos = _reactor.NowNanos + SeekEveryNanos;
        turns.Signal();
    }

    private void Accepted(int fd)
    {
        ref var counters = ref _reactor.Counters;
        counters.Opened++;
        var watched = _reactor.Watch(fd, ConnectionState.Established, writable: _responder is not null);
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
        _responder?.Open(fd);
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

        var answer = _responder is null ? Discard(slot) : _responder.Serve(slot, events, ref _reactor.Counters);
        if (answer == TransportAnswer.Done)
            _reactor.ContinueLater(slot, events);
        else if (answer == TransportAnswer.Failed || (_responder is null && (events & Epoll.ReadHangUp) != 0))
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
        if (_responder is not null)
        {
            // What is left unread would turn our FIN into RST, and that could take the last answer with it.
            _responder.Close(slot);
            Discard(slot);
        }

        _reactor.Counters.Established--;
        _reactor.Counters.Closed++;
        _reactor.Close(slot, reset: false);
    }
}
