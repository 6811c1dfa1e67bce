using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;

namespace LoadHarness.Agent.Backend;

/// <summary>
/// The reactors of the accepting side. Each has listeners of its own on every endpoint (SO_REUSEPORT) and holds as many
/// connections as its descriptor table: when the reactors that take new connections fill up, more are started and new connections
/// are steered to them, so that nobody has to say beforehand how many will come. Used by one plain thread.
/// </summary>
public sealed class BackendReactors : IDisposable
{
    /// <summary>How often <see cref="Look"/> wants to be called, so that full reactors are relieved in time.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(100);

    private const double FullAt = 0.8;
    private const double EmptyBelow = 0.5;

    private readonly BackendOptions _options;
    private readonly int _descriptorLimit = ResourceUsage.RaiseDescriptorLimit();
    private readonly bool _privateTables = DescriptorTable.UnshareErrno == 0;
    private readonly EventFd _bell = new();
    private readonly PlainTransport _transport = new();
    private readonly List<Member> _members = [];
    private int _windowFirst;
    private bool _cannotGrow;
    private bool _draining;

    /// <summary>Reactors that do nothing before <see cref="Start"/>.</summary>
    public BackendReactors(BackendOptions options) => _options = options;

    /// <summary>What the last <see cref="Look"/> saw.</summary>
    public BackendCounts Counts { get; private set; }

    /// <summary>The first fault of a reactor, if there was one: its connections are closed.</summary>
    public Exception? Fault => _members.Select(m => m.Reactor.Fault).FirstOrDefault(f => f is not null);

    private double Capacity => _descriptorLimit - 200;

    /// <summary>Listens on every endpoint.</summary>
    /// <exception cref="InvalidOperationException">An endpoint cannot be listened on; the message names it and the remedy.</exception>
    public void Start()
    {
        for (var i = 0; i < (_privateTables ? _options.Reactors : 1); i++)
        {
            // One after the other: the order of the listen calls numbers the listeners.
            var reactor = new Reactor(_members.Count, _descriptorLimit, _privateTables, new AcceptRole(_options, _transport), _bell);
            reactor.Start();
            _members.Add(new Member(reactor));
        }
    }

    /// <summary>Counts, and relieves reactors that fill up.</summary>
    /// <param name="each">Gets each reactor's snapshot and number.</param>
    public void Look(Action<ReactorSnapshot, int>? each = null)
    {
        foreach (var member in _members)
            member.Ask();
        foreach (var member in _members)
        {
            while (!member.Snapshot.IsFilled && member.Reactor.Fault is null)
                _bell.Wait(LookEvery);
            if (!member.Snapshot.IsFilled)
                continue;
            member.Take();
            each?.Invoke(member.Snapshot, member.Reactor.Number);
        }

        Counts = new BackendCounts(
            _members.Sum(m => m.Established),
            _members.Sum(m => m.Accepted),
            _members.Sum(m => m.Closed),
            _members.Sum(m => m.Requests),
            _members.Sum(m => m.Refused),
            _members.Count);
        if (_privateTables && !_cannotGrow && !_draining)
            Steer();
    }

    /// <summary>Closes the listeners, then every connection; a later <see cref="Look"/> says when that is done.</summary>
    public void Drain()
    {
        _draining = true;
        foreach (var member in _members)
            member.Reactor.Post(new BackendCommand.Drain());
    }

    /// <summary>Closes every connection and listener.</summary>
    public void Dispose()
    {
        foreach (var member in _members)
            member.Reactor.Dispose();
        _members.Clear();
        _bell.Dispose();
    }

    // The window is the group of reactors that new connections go to.
    private void Steer()
    {
        var size = _options.Reactors;
        if (Fill(_windowFirst) < FullAt * Capacity)
            return;
        var emptiest = Enumerable.Range(0, _members.Count / size).Select(g => g * size).MinBy(Fill);
        if (Fill(emptiest) >= EmptyBelow * Capacity)
        {
            emptiest = _members.Count;
            try
            {
                Start();
            }
            catch (InvalidOperationException)
            {
                // What the present ones cannot accept either shows among the refused.
                _cannotGrow = true;
                return;
            }
        }

        _windowFirst = emptiest;
        _members[0].Reactor.Post(new BackendCommand.SetWindow(_windowFirst, size));
    }

    private long Fill(int first) => _members.Skip(first).Take(_options.Reactors).Max(m => m.Established);

    private sealed class Member(Reactor reactor)
    {
        public Reactor Reactor => reactor;

        public ReactorSnapshot Snapshot { get; } = new();

        public long Established { get; private set; }

        public long Accepted { get; private set; }

        public long Closed { get; private set; }

        public long Requests { get; private set; }

        public long Refused { get; private set; }

        public void Ask()
        {
            Snapshot.Clear();
            reactor.Post(new ReactorCommand.TakeSnapshot(Snapshot));
        }

        public void Take()
        {
            Established = Snapshot.Counters.Established;
            Accepted += Snapshot.Counters.Opened;
            Closed += Snapshot.Counters.Closed;
            Requests += Snapshot.Counters.Requests;
            Refused += Snapshot.Counters.Failed;
        }
    }
}
