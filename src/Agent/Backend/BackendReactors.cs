using System.Diagnostics;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;

namespace LoadHarness.Agent.Backend;

/// <summary>
/// The reactors of the accepting side. All accept from the same listeners, each as many as its descriptor table holds; when room
/// runs out more are started, so that nobody has to say beforehand how many connections will come. Used by one plain thread.
/// </summary>
public sealed class BackendReactors : IDisposable
{
    /// <summary>How often <see cref="Look"/> wants to be called, so that full reactors are relieved in time.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a look waits for reactors that are busy, when it is not to hold up others.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    // Of a descriptor table: what it inherited, its epoll set, room for the runtime.
    private const int ReservedDescriptors = 200;
    private const double SecondsOfRoom = 2;
    private const double NearlyFull = 0.1;
    private const int TurnsPerCore = 8;
    private const long StarvedNanos = 20_000_000;

    private readonly BackendOptions _options;
    private readonly int _descriptorLimit = ResourceUsage.RaiseDescriptorLimit();
    private readonly bool _privateTables = DescriptorTable.UnshareErrno == 0;
    private readonly EventFd _bell = new();
    private readonly EventFd _turns;
    private readonly PlainTransport _transport = new();
    private readonly List<BackendMember> _members = [];
    private ListenerSet? _listeners;
    private long _lookedAt;
    private int _turnCount;
    private bool _cannotGrow;
    private bool _draining;

    /// <summary>Reactors that do nothing before <see cref="Start"/>.</summary>
    public BackendReactors(BackendOptions options) => (_options, _turns, _turnCount) = (options, EventFd.Counting(options.Reactors), options.Reactors);

    /// <summary>What the last <see cref="Look"/> saw.</summary>
    public BackendCounts Counts { get; private set; }

    /// <summary>The first fault of a reactor, if there was one: its connections are closed.</summary>
    public Exception? Fault => _members.Select(m => m.Reactor.Fault).FirstOrDefault(f => f is not null);

    /// <summary>Listens on every endpoint.</summary>
    /// <exception cref="InvalidOperationException">An endpoint cannot be listened on; the message names it and the remedy.</exception>
    public void Start()
    {
        _listeners = ListenerSet.Open(_options.Listen);
        for (var i = 0; i < (_privateTables ? _options.Reactors : 1); i++)
            StartMember();
        _lookedAt = Stopwatch.GetTimestamp();
    }

    /// <summary>Counts, and starts more reactors before the present ones are full.</summary>
    /// <param name="patience">How long to wait for reactors that are busy; what they held when they answered last counts until they do.</param>
    /// <param name="each">Gets each reactor's snapshot and number.</param>
    public void Look(TimeSpan patience, Action<ReactorSnapshot, int>? each = null)
    {
        foreach (var member in _members)
            member.Ask();
        var asked = Stopwatch.GetTimestamp();
        foreach (var member in _members)
        {
            while (!member.HasAnswered && member.Reactor.Fault is null && patience - Stopwatch.GetElapsedTime(asked) is { Ticks: > 0 } left)
                _bell.Wait(left < Patience ? left : Patience);
            if (!member.HasAnswered && member.Reactor.Fault is not null)
                continue;
            var snapshot = member.Take();
            each?.Invoke(snapshot, member.Reactor.Number);
        }

        var before = Counts;
        Counts = new BackendCounts(
            _members.Sum(m => m.Established),
            _members.Sum(m => m.Accepted),
            _members.Sum(m => m.Closed),
            _members.Sum(m => m.Requests),
            _members.Sum(m => m.Refused),
            _members.Count);
        var growth = (Counts.Established - before.Established) / Stopwatch.GetElapsedTime(_lookedAt).TotalSeconds;
        _lookedAt = Stopwatch.GetTimestamp();
        if (!_privateTables || _cannotGrow || _draining)
            return;
        AddTurn();
        Relieve(growth);
    }

    /// <summary>Ends the listening, then closes every connection; a later <see cref="Look"/> says when that is done.</summary>
    public void Drain()
    {
        _draining = true;
        Tell(new BackendCommand.Drain());
        _listeners?.Dispose();
    }

    /// <summary>Closes every connection and listener.</summary>
    public void Dispose()
    {
        foreach (var member in _members)
            member.Reactor.Dispose();
        _members.Clear();
        _listeners?.Dispose();
        _bell.Dispose();
        _turns.Dispose();
    }

    private void StartMember()
    {
        var listeners = _listeners!.Descriptors;
        // Each reactor has inherited the bells of those before it.
        var room = Math.Max(1, _descriptorLimit - ReservedDescriptors - listeners.Length - _members.Count);
        var capacity = _privateTables ? Math.Min(_options.ConnectionsPerReactor, room) : int.MaxValue;
        var role = new AcceptRole(_options, _transport, listeners, _turns, capacity);
        var reactor = new Reactor(_members.Count, _descriptorLimit, _privateTables, role, _bell);
        reactor.Start();
        _members.Add(new BackendMember(reactor, capacity));
    }

    // Reactors that wait for their cores share these with others who want them: the more accept, the larger their share.
    private void AddTurn()
    {
        if (_turnCount >= _options.Reactors * TurnsPerCore || _members.All(m => m.LagNanos < StarvedNanos))
            return;
        _turnCount++;
        _turns.Signal();
    }

    // Whom nobody has room for waits in the listeners' queues: late for its peer, but not lost. A few at a time, since growth is measured
    // over a moment.
    private void Relieve(double growthPerSecond)
    {
        for (var started = 0; started < _options.Reactors && NeedsRelief(growthPerSecond); started++)
        {
            try
            {
                StartMember();
            }
            catch (Exception e) when (e is InvalidOperationException or OutOfMemoryException)
            {
                // What the present ones cannot accept shows among the refused.
                _cannotGrow = true;
                Tell(new BackendCommand.NoRelief());
                return;
            }
        }
    }

    private bool NeedsRelief(double growthPerSecond) =>
        _members.Sum(m => m.Room) < growthPerSecond * SecondsOfRoom || _members.Count(m => m.Room > m.Capacity * NearlyFull) < _turnCount;

    private void Tell(ReactorCommand command)
    {
        foreach (var member in _members)
            member.Reactor.Post(command);
    }
}
