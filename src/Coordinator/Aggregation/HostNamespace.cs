using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>What the kernel of one network namespace says.</summary>
internal sealed class HostNamespace
{
    private const int KeptComparisons = 256;

    // A reading a second, and a drain that lasts for two hours.
    private const int KeptOrphans = 7200;

    // As many as a reader tells apart; more come only from one that makes them up.
    private const int MostEndpoints = 70_000;

    // In a checkpoint: as many as a drain takes, at the pace of a reader of many sockets.
    private const int WrittenComparisons = 16;
    private const int WrittenOrphans = 300;

    private readonly Queue<KernelComparison> _comparisons = [];
    private TimeSpan _socketsAt = TimeSpan.MinValue;
    private TcpCounterValues? _base;
    private TimeSpan _baseAt;
    private TcpCounterValues? _last;
    private TimeSpan _lastAt;

    public KernelReading? Newest { get; private set; }

    public string Error { get; private set; } = "";

    public long PeakTimeWait { get; private set; }

    public SortedList<TimeSpan, KernelReading> Waiting { get; } = [];

    public Dictionary<EndpointAddress, StateCounts> BySource { get; } = [];

    public Dictionary<EndpointAddress, StateCounts> ByDestination { get; } = [];

    /// <summary>Of the last minutes: what matters is the drain.</summary>
    public Queue<(TimeSpan At, long Count)> Orphans { get; } = [];

    public long FirstTimeWait { get; private set; }

    public TimeSpan? SocketsTakenAt { get; private set; }

    public TcpCounterValues? Counters => _base is null ? null : _last!.Since(_base);

    public IEnumerable<KernelComparison> Comparisons => _comparisons;

    public void Take(KernelReading reading)
    {
        if (reading.Sockstat is { } sockstat)
            Take(sockstat, reading.TakenAt);
        if (reading.Counters is { } counters)
            Take(counters, reading.TakenAt);
        if (reading.NamespaceOnly)
            return;
        if (reading.Error.Length > 0)
        {
            if (Newest is null || reading.TakenAt >= Newest.TakenAt)
                Error = reading.Error;
            return;
        }

        if (Newest is null)
            FirstTimeWait = reading.States.GetValueOrDefault(TcpState.TimeWait);
        PeakTimeWait = Math.Max(PeakTimeWait, reading.States.GetValueOrDefault(TcpState.TimeWait));
        Waiting[reading.TakenAt] = reading;
        if (Newest is not null && reading.TakenAt < Newest.TakenAt)
            return;
        (Newest, Error) = (reading, "");
    }

    /// <summary>Takes counts by source and destination.</summary>
    /// <param name="tally">Made of the newest reading.</param>
    /// <param name="at">The end of its sample, elapsed.</param>
    /// <param name="drainFrom">When clients were told to close, elapsed; null: not yet.</param>
    /// <returns>Whether it says something newer of the hold than what is known.</returns>
    public bool Take(SocketTally tally, TimeSpan at, TimeSpan? drainFrom)
    {
        if (at < _socketsAt)
            return false;
        // Others on this host may have begun to close when the reader, who had not heard of the drain yet, looked once more.
        if (Newest?.TakenAt > drainFrom && SocketsTakenAt is not null && (!tally.Whole || Established(tally.Sources) < Established(BySource)))
            return false;
        _socketsAt = at;
        SocketsTakenAt = Newest?.TakenAt ?? at;
        if (tally.Whole)
        {
            BySource.Clear();
            ByDestination.Clear();
        }

        Set(BySource, tally.Sources);
        Set(ByDestination, tally.Destinations);
        return true;
    }

    /// <summary>Everything about it.</summary>
    public NamespaceCheckpoint Checkpoint(string name) => new()
    {
        Name = name,
        Newest = Newest,
        Error = Error,
        PeakTimeWait = PeakTimeWait,
        FirstTimeWait = FirstTimeWait,
        Waiting = [.. Waiting.Values],
        Comparisons = [.. _comparisons.TakeLast(WrittenComparisons)],
        BySource = Written(BySource),
        ByDestination = Written(ByDestination),
        SocketsAt = SocketsTakenAt is null ? null : _socketsAt,
        SocketsTakenAt = SocketsTakenAt,
        Base = _base is { } first ? new(_baseAt, first) : null,
        Last = _last is { } last ? new(_lastAt, last) : null,
        Orphans = [.. Orphans.TakeLast(WrittenOrphans).Select(o => new OrphanReading(o.At, o.Count))],
    };

    /// <summary>Goes on where <see cref="Checkpoint"/> was made.</summary>
    public static HostNamespace Of(NamespaceCheckpoint from)
    {
        var view = new HostNamespace
        {
            Newest = from.Newest,
            Error = from.Error,
            PeakTimeWait = from.PeakTimeWait,
            FirstTimeWait = from.FirstTimeWait,
            SocketsTakenAt = from.SocketsTakenAt,
            _socketsAt = from.SocketsAt ?? TimeSpan.MinValue,
            _base = from.Base?.Values,
            _baseAt = from.Base?.At ?? default,
            _last = from.Last?.Values,
            _lastAt = from.Last?.At ?? default,
        };
        foreach (var reading in from.Waiting)
            view.Waiting[reading.TakenAt] = reading;
        foreach (var comparison in from.Comparisons)
            view.Keep(comparison);
        foreach (var (endpoint, counts) in from.BySource)
            view.BySource[endpoint] = StateCounts.Of(counts.AsSpan());
        foreach (var (endpoint, counts) in from.ByDestination)
            view.ByDestination[endpoint] = StateCounts.Of(counts.AsSpan());
        foreach (var (at, count) in from.Orphans)
            view.Orphans.Enqueue((at, count));
        return view;
    }

    private static ImmutableArray<EndpointStates> Written(Dictionary<EndpointAddress, StateCounts> sockets) =>
    [
        .. sockets.Select(s => new EndpointStates(
            s.Key, [.. Enumerable.Range(0, (int)TcpState.NewSynRecv + 1).Select(state => s.Value[(TcpState)state])])),
    ];

    private void Take(SockstatValues sockstat, TimeSpan at)
    {
        Orphans.Enqueue((at, sockstat.Orphan));
        if (Orphans.Count > KeptOrphans)
            Orphans.Dequeue();
    }

    // Readings may come in any order: the earliest is what the run began with.
    private void Take(TcpCounterValues counters, TimeSpan at)
    {
        if (_base is null || at < _baseAt)
            (_base, _baseAt) = (counters, at);
        if (_last is null || at >= _lastAt)
            (_last, _lastAt) = (counters, at);
    }

    private static long Established(IEnumerable<KeyValuePair<EndpointAddress, StateCounts>> sockets) =>
        sockets.Sum(s => s.Value[TcpState.Established]);

    private static void Set(Dictionary<EndpointAddress, StateCounts> known, ImmutableDictionary<EndpointAddress, StateCounts> news)
    {
        foreach (var (endpoint, states) in news)
        {
            if (states.Equals(StateCounts.None))
                known.Remove(endpoint);
            else if (known.Count < MostEndpoints || known.ContainsKey(endpoint))
                known[endpoint] = states;
        }
    }

    public void Keep(KernelComparison comparison)
    {
        _comparisons.Enqueue(comparison);
        if (_comparisons.Count > KeptComparisons)
            _comparisons.Dequeue();
    }
}
