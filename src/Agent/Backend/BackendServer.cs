using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Transports;

namespace LoadHarness.Agent.Backend;

/// <summary>
/// The accepting side on the same engine. Each reactor has listeners of its own on every endpoint (SO_REUSEPORT). A
/// reactor holds as many connections as its descriptor table: when the reactors that take new connections fill up, more are
/// started and new connections are steered to them, so that any number can be held.
/// </summary>
public sealed class BackendServer : IDisposable
{
    private const double FullAt = 0.8;
    private const double EmptyBelow = 0.5;
    private static readonly TimeSpan _watchEvery = TimeSpan.FromMilliseconds(100);

    private readonly BackendOptions _options;
    private readonly int _descriptorLimit = ResourceUsage.RaiseDescriptorLimit();
    private readonly bool _privateTables = DescriptorTable.UnshareErrno == 0;
    private readonly EventFd _bell = new();
    private readonly PlainTransport _transport = new();
    private readonly List<Member> _members = [];
    private readonly ManualResetEventSlim _stop = new();
    private readonly Lock _gate = new();
    private Thread? _watcher;
    private BackendCounts _counts;
    private int _windowFirst;
    private bool _cannotGrow;
    private bool _disposed;

    /// <summary>A backend that does nothing before <see cref="Start"/>.</summary>
    public BackendServer(BackendOptions options) => _options = options;

    /// <summary>What has been seen so far; not older than 0.1 s.</summary>
    public BackendCounts Counts
    {
        get { lock (_gate) return _counts; }
    }

    private double Capacity => _descriptorLimit - 200;

    /// <summary>Listens on every endpoint.</summary>
    /// <exception cref="InvalidOperationException">An endpoint cannot be listened on; the message names it and the remedy.</exception>
    public void Start()
    {
        AddReactors();
        _watcher = new Thread(Watch) { Name = "backend-watch", IsBackground = true };
        _watcher.Start();
    }

    /// <summary>Ends the counting; from then on <see cref="Counts"/> is what had been seen at that moment. Connections stay open.</summary>
    public void StopCounting()
    {
        _stop.Set();
        _watcher?.Join();
    }

    /// <summary>Closes every connection and listener.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        StopCounting();
        foreach (var member in _members)
            member.Reactor.Dispose();
        _bell.Dispose();
        _stop.Dispose();
    }

    private void AddReactors()
    {
        for (var i = 0; i < (_privateTables ? _options.Reactors : 1); i++)
        {
            // One after the other: the order of the listen calls numbers the listeners.
            var reactor = new Reactor(_members.Count, _descriptorLimit, _privateTables, new AcceptRole(_options, _transport), _bell);
            reactor.Start();
            _members.Add(new Member(reactor));
        }
    }

    private void Watch()
    {
        while (!_stop.Wait(_watchEvery))
        {
            Count();
            if (_privateTables && !_cannotGrow)
                Steer();
        }

        Count();
    }

    private void Count()
    {
        foreach (var member in _members)
            member.Ask();
        foreach (var member in _members)
        {
            while (!member.Snapshot.IsFilled && member.Reactor.Fault is null)
                _bell.Wait(_watchEvery);
            member.Take();
        }

        lock (_gate)
        {
            _counts = new BackendCounts(
                _members.Sum(m => m.Established),
                _members.Sum(m => m.Accepted),
                _members.Sum(m => m.Closed),
                _members.Sum(m => m.Requests),
                _members.Sum(m => m.Refused),
                _members.Count);
        }
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
                AddReactors();
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
            if (!Snapshot.IsFilled)
                return;
            Established = Snapshot.Counters.Established;
            Accepted += Snapshot.Counters.Opened;
            Closed += Snapshot.Counters.Closed;
            Requests += Snapshot.Counters.Requests;
            Refused += Snapshot.Counters.Failed;
        }
    }
}
