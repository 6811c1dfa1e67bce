using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>The newest kernel views summed over network namespaces; each namespace counts once.</summary>
/// <param name="States">Client ends of the run's connections per state.</param>
/// <param name="Foreign">Sockets to the target from outside the run's blocks.</param>
/// <param name="OldestAt">When the oldest of them was taken, elapsed; null when there is none.</param>
/// <param name="Namespaces">Namespaces with a reading.</param>
/// <param name="Errors">Why a kernel could not be read, one for each namespace that has nothing newer.</param>
public sealed record KernelTotals(
    ImmutableSortedDictionary<TcpState, long> States, long Foreign, TimeSpan? OldestAt, int Namespaces, ImmutableArray<string> Errors)
{
    /// <summary>Connections in one state.</summary>
    public long this[TcpState state] => States.GetValueOrDefault(state);
}

/// <summary>One reading of the kernel held against our own count at the same moment.</summary>
/// <param name="NetworkNamespace">Whose kernel.</param>
/// <param name="Reading">What it said.</param>
/// <param name="Own">Our own count of ESTABLISHED in that namespace, between the two seconds around the reading; null when an agent's
/// report is missing.</param>
/// <param name="InFlight">Connections that came or went while the kernel was read or were on the way: as far as both may differ.</param>
public sealed record KernelComparison(string NetworkNamespace, KernelReading Reading, long? Own, long InFlight)
{
    /// <summary>What the kernel counted as ESTABLISHED.</summary>
    public long Established => Reading.States.GetValueOrDefault(TcpState.Established);

    /// <summary>Whether both counts say the same.</summary>
    public bool Agrees => Own is { } own && Math.Abs(Established - own) <= InFlight;
}

/// <summary>What the kernels say, one reader for each network namespace.</summary>
public sealed class HostView
{
    // How much older than the newest reading one may be that can be compared, where the newest cannot.
    private static readonly TimeSpan _oldestInstead = TimeSpan.FromSeconds(5);

    private readonly Timeline _timeline;
    private readonly SortedDictionary<string, HostNamespace> _namespaces = new(StringComparer.Ordinal);

    private TimeSpan? _drainFrom;
    private ImmutableSortedDictionary<EndpointAddress, StateCounts>? _bySource;
    private ImmutableSortedDictionary<EndpointAddress, StateCounts>? _byDestination;

    internal HostView(Timeline timeline) => _timeline = timeline;

    /// <summary>The newest reading of each namespace, summed.</summary>
    public KernelTotals Newest
    {
        get
        {
            // In a drain each leaves when it has nothing any more, and what rests of it is still there.
            var going = _namespaces.Where(n => _drainFrom is not null || !IsOver(n.Key, TimeSpan.MaxValue)).Select(n => n.Value.Newest).OfType<KernelReading>().ToList();
            var readings = going.Count > 0 ? going : [.. _namespaces.Values.Select(n => n.Newest).OfType<KernelReading>()];
            return Sum(readings, [.. _namespaces.Values.Where(n => n.Error.Length > 0).Select(n => n.Error)]);
        }
    }

    /// <summary>The most TIME-WAIT seen, summed over namespaces.</summary>
    public long PeakTimeWait => _namespaces.Values.Sum(n => n.PeakTimeWait);

    /// <summary>The most TIME-WAIT seen in each namespace.</summary>
    public IEnumerable<(string NetworkNamespace, long TimeWait)> PeakTimeWaits => _namespaces.Select(n => (n.Key, n.Value.PeakTimeWait));

    /// <summary>The run's sockets per source, as the kernels said last.</summary>
    public ImmutableSortedDictionary<EndpointAddress, StateCounts> BySource => _bySource ??= Merged(n => n.BySource);

    /// <summary>Likewise per destination.</summary>
    public ImmutableSortedDictionary<EndpointAddress, StateCounts> ByDestination => _byDestination ??= Merged(n => n.ByDestination);

    /// <summary>What the kernels have counted since their first reading of the run, summed; null when none of them said.</summary>
    public TcpCounterValues? Counters => _namespaces.Values.Select(n => n.Counters).OfType<TcpCounterValues>()
        .Aggregate((TcpCounterValues?)null, (sum, counters) => (sum ?? TcpCounterValues.Zero) + counters);

    /// <summary>
    /// The most orphans (sockets without a process) from an instant on, summed over namespaces, whosesoever they are; null when none was read.
    /// </summary>
    public long? PeakOrphans(TimeSpan from) => _namespaces.Values.Aggregate((long?)null, (sum, n) =>
        n.Orphans.Where(o => o.At >= from).Max(o => (long?)o.Count) is { } most ? (sum ?? 0) + most : sum);

    /// <summary>TIME-WAIT that the first reading found, summed over namespaces: left over from an earlier run when that reading was early.</summary>
    public long FirstTimeWait => _namespaces.Values.Sum(n => n.FirstTimeWait);

    /// <summary>When the oldest of the counts by source and destination was taken, elapsed; null when there are none.</summary>
    public TimeSpan? SocketsAt => _namespaces.Values.Min(n => n.SocketsTakenAt);

    /// <summary>The newest comparison of each namespace that was taken between two instants; one that is a little older when a report is
    /// missing for the newest, for an agent that does not run for some seconds skips some. A namespace that is over counts only when all are.</summary>
    public ImmutableArray<KernelComparison> Between(TimeSpan from, TimeSpan to)
    {
        ImmutableArray<KernelComparison> all =
        [
            .. _namespaces.Values.Select(n => NewestOf([.. n.Comparisons.Where(c => c.Reading.TakenAt >= from && c.Reading.TakenAt <= to)]))
                .OfType<KernelComparison>(),
        ];
        ImmutableArray<KernelComparison> going = [.. all.Where(c => !IsOver(c.NetworkNamespace, to))];
        return going.IsEmpty ? all : going;
    }

    /// <summary>Whether all agents of a namespace have left the run: what they held is closed, and nobody is there who could read that it is.</summary>
    /// <param name="networkNamespace">Any.</param>
    /// <param name="at">As of the second that ends here, or the newest that is complete.</param>
    public bool IsOver(string networkNamespace, TimeSpan at)
    {
        var second = (int)Math.Min(_timeline.CompleteSeconds, Math.Floor(at.TotalSeconds)) - 1;
        var agents = _timeline.AgentsIn(networkNamespace).ToList();
        return agents.Count > 0 && agents.TrueForAll(a => a.HasLeft(second));
    }

    /// <summary>Sums readings.</summary>
    /// <param name="readings">One for each namespace.</param>
    /// <param name="errors">To carry along.</param>
    internal static KernelTotals Sum(IReadOnlyCollection<KernelReading> readings, ImmutableArray<string> errors) => new(
        readings.SelectMany(r => r.States).GroupBy(s => s.Key).ToImmutableSortedDictionary(g => g.Key, g => g.Sum(s => s.Value)),
        readings.Sum(r => r.Foreign),
        readings.Count == 0 ? null : readings.Min(r => r.TakenAt),
        readings.Count,
        errors);

    /// <summary>Clients begin to close: counts by source and destination stay as of the hold.</summary>
    internal void BeginDrain(TimeSpan elapsed) => _drainFrom ??= elapsed;

    internal ImmutableArray<NamespaceCheckpoint> Checkpoint() => [.. _namespaces.Select(n => n.Value.Checkpoint(n.Key))];

    internal void Restore(IEnumerable<NamespaceCheckpoint> namespaces)
    {
        foreach (var from in namespaces)
            _namespaces[from.Name] = HostNamespace.Of(from);
        (_bySource, _byDestination) = (null, null);
    }

    internal void Add(AgentSample sample)
    {
        if (sample.Kernel is null && sample.Sockets is null)
            return;
        if (!_namespaces.TryGetValue(sample.NetworkNamespace, out var view))
            _namespaces.Add(sample.NetworkNamespace, view = new HostNamespace());
        if (sample.Kernel is { } reading)
            view.Take(reading);
        if (sample.Sockets is { } sockets && view.Take(sockets, sample.To, _drainFrom))
            (_bySource, _byDestination) = (null, null);
    }

    private ImmutableSortedDictionary<EndpointAddress, StateCounts> Merged(Func<HostNamespace, Dictionary<EndpointAddress, StateCounts>> which) =>
        _namespaces.Values.SelectMany(which).GroupBy(s => s.Key)
            .ToImmutableSortedDictionary(g => g.Key, g => g.Select(s => s.Value).Aggregate((a, b) => a + b));

    /// <summary>Compares the readings whose surrounding seconds are complete.</summary>
    internal void Compare()
    {
        foreach (var (name, view) in _namespaces)
        {
            while (view.Waiting.Count > 0 && (int)view.Waiting.Keys[0].TotalSeconds < _timeline.CompleteSeconds)
            {
                view.Keep(CompareOne(name, view.Waiting.Values[0]));
                view.Waiting.RemoveAt(0);
            }
        }
    }

    private KernelComparison CompareOne(string name, KernelReading reading)
    {
        var second = (int)reading.TakenAt.TotalSeconds;
        var begun = (int)Math.Max(0, (reading.TakenAt - reading.Wall).TotalSeconds);
        long? before = 0, after = 0;
        long inFlight = 0;
        foreach (var agent in _timeline.AgentsIn(name))
        {
            before += Established(agent, second - 1);
            after += Established(agent, second);
            for (var k = begun; k <= second; k++)
                inFlight += agent.ChurnIn(k);
            inFlight += Math.Max(OnTheWay(agent, begun - 1), OnTheWay(agent, second));
        }

        var own = before + (long?)Math.Round((after - before) * (reading.TakenAt.TotalSeconds - second) ?? 0);
        return new KernelComparison(name, reading, after is null ? null : own, inFlight);
    }

    private static KernelComparison? NewestOf(ImmutableArray<KernelComparison> comparisons) =>
        comparisons.LastOrDefault(c => c.Own is not null && c.Reading.TakenAt >= comparisons[^1].Reading.TakenAt - _oldestInstead)
        ?? comparisons.LastOrDefault();

    private static long? Established(AgentTrack agent, int second)
    {
        if (second < 0)
            return 0;
        var gauges = agent.GaugesAt(second);
        // To the kernel both are ESTABLISHED.
        return gauges is null && !agent.IsMissingIn(second) ? 0 : gauges?.Established + gauges?.Handshaking;
    }

    private static long OnTheWay(AgentTrack agent, int second) =>
        agent.GaugesAt(second) is { } g ? g.Connecting + g.Handshaking + g.Closing : 0;
}
