using System.Collections.Immutable;
using HdrHistogram;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>
/// A run second by second: the samples of all agents summed. Samples may come in any order and more than once. It has no clock:
/// <see cref="Advance"/> says what time it is. Not safe for use by several threads at once.
/// </summary>
public sealed partial class Timeline
{
    /// <summary>How long a second waits for agents that have not reported it.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    // What a kernel that was read a while ago is compared with.
    private const int RecentSeconds = 8;

    private const int MostFailureKinds = 1000;

    private readonly SortedDictionary<string, AgentTrack> _agents = new(StringComparer.Ordinal);
    private readonly Dictionary<(FailureStage, FailureParty, FailureCause, int), long> _failures = [];
    private readonly Dictionary<HistogramKind, LongHistogram> _histograms = [];
    private readonly List<Bucket> _buckets = [];
    private readonly IndexSet _changed = new();
    private readonly int _longest;

    /// <summary>An empty timeline.</summary>
    /// <param name="longest">Samples beyond this are refused; at most 366 days.</param>
    public Timeline(TimeSpan longest)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(longest, TimeSpan.FromDays(366));
        ArgumentOutOfRangeException.ThrowIfLessThan(longest, TimeSpan.FromSeconds(1));
        _longest = (int)Math.Ceiling(longest.TotalSeconds);
        Kernel = new HostView(this);
    }

    /// <summary>Seconds 0 to this, exclusive, are complete: every agent that was there has reported, or patience has ended.</summary>
    public int CompleteSeconds { get; private set; }

    /// <summary>Seconds with at least one sample, up to the newest.</summary>
    public int Seconds => _buckets.Count;

    /// <summary>The newest complete second; null when there is none.</summary>
    public SecondTotals? Newest => CompleteSeconds > 0 ? At(CompleteSeconds - 1) : null;

    /// <summary>Counters over the whole run.</summary>
    public CounterValues Totals { get; private set; } = CounterValues.Zero;

    /// <summary>The kernel views.</summary>
    public HostView Kernel { get; }

    /// <summary>Every agent that joined or reported, by identity.</summary>
    public IEnumerable<AgentTotals> Agents => _agents.Values.Select(a => a.Totals);

    /// <summary>Failures over the whole run, most frequent first.</summary>
    public ImmutableArray<FailureTally> Failures =>
    [
        .. _failures.Select(f => new FailureTally(f.Key.Item1, f.Key.Item2, f.Key.Item3, f.Key.Item4, f.Value))
            .OrderByDescending(f => f.Count).ThenBy(FailureNames.Of, StringComparer.Ordinal).ThenBy(f => f.Errno),
    ];

    /// <summary>The merged histogram of a kind; null when nothing of it was measured.</summary>
    public HistogramBase? Histogram(HistogramKind kind) => _histograms.GetValueOrDefault(kind);

    /// <summary>One agent; null when it never joined nor reported.</summary>
    public AgentTotals? Agent(string agentId) => _agents.GetValueOrDefault(agentId)?.Totals;

    /// <summary>An agent takes part from now on: it is expected in every second from the next whole one on.</summary>
    public void Join(string agentId, TimeSpan elapsed) => Track(agentId).Join(elapsed);

    /// <summary>An agent certainly holds nothing any more: it was lost, or has finished.</summary>
    public void Leave(string agentId, TimeSpan elapsed) => Track(agentId).Leave(elapsed);

    /// <summary>Takes a sample. An agent that never joined joins at its start.</summary>
    public SampleOutcome Add(AgentSample sample)
    {
        if (sample.From < TimeSpan.Zero || sample.To <= sample.From || sample.To.TotalSeconds > _longest)
            return SampleOutcome.OutOfRange;
        var agent = Track(sample.AgentId);
        if (!agent.TrySee(sample))
            return SampleOutcome.Duplicate;
        agent.JoinUntold(sample.From);
        AddSeconds(sample, agent);
        agent.Count(sample);
        Totals += sample.Counters;
        foreach (var f in sample.Failures)
        {
            var kind = (f.Stage, f.Party, f.Cause, f.Errno);
            // Whoever makes kinds up makes no more of them than these.
            if (_failures.Count >= MostFailureKinds && !_failures.ContainsKey(kind))
                kind = default;
            _failures[kind] = _failures.GetValueOrDefault(kind) + f.Count;
        }

        foreach (var (kind, histogram) in sample.Histograms)
        {
            if (!_histograms.TryGetValue(kind, out var merged))
                _histograms.Add(kind, merged = HistogramLayout.Create());
            merged.Add(histogram);
        }

        if (sample.Kernel is null || (sample.Kernel.TakenAt >= TimeSpan.Zero && sample.Kernel.TakenAt.TotalSeconds <= _longest))
            Kernel.Add(sample);
        return SampleOutcome.Added;
    }

    /// <summary>Says what time it is: seconds become complete.</summary>
    public void Advance(TimeSpan elapsed)
    {
        while (CompleteSeconds < _longest && elapsed >= TimeSpan.FromSeconds(CompleteSeconds + 1L))
        {
            var second = CompleteSeconds;
            if (elapsed < TimeSpan.FromSeconds(second + 1L) + Patience && _agents.Values.Any(a => a.Owes(second)))
                break;
            _changed.Add(second, second + 1);
            CompleteSeconds++;
        }

        Kernel.Compare();
    }

    /// <summary>The run is over: every second up to its end is complete, and none beyond.</summary>
    /// <param name="elapsed">When it ended; a second that had begun counts.</param>
    public void Close(TimeSpan elapsed)
    {
        var before = CompleteSeconds;
        CompleteSeconds = (int)Math.Clamp(Math.Ceiling(elapsed.TotalSeconds), CompleteSeconds, _longest);
        _changed.Add(before, CompleteSeconds);
        Kernel.Compare();
    }

    /// <summary>One second, complete or not.</summary>
    /// <param name="second">0 or more; a second that nobody reported is all zero with everybody missing.</param>
    public SecondTotals At(int second) => Totalled(second, _agents.Values.Count(a => a.IsMissingIn(second)));

    /// <summary>All complete seconds, in order.</summary>
    public IEnumerable<SecondTotals> Complete()
    {
        var missing = MissingPerSecond();
        for (var second = 0; second < CompleteSeconds; second++)
            yield return Totalled(second, missing[second]);
    }

    /// <summary>Complete seconds that are new, or that late samples have changed, since this was asked the last time.</summary>
    public ImmutableArray<SecondTotals> TakeChanged()
    {
        var changed = ImmutableArray.CreateBuilder<SecondTotals>();
        foreach (var (from, to) in _changed.Intervals)
        {
            for (var second = (int)from; second < Math.Min(to, CompleteSeconds); second++)
                changed.Add(At(second));
        }

        _changed.Remove(0, CompleteSeconds);
        return changed.ToImmutable();
    }

    /// <summary>Where gauges of an agent are missing among the complete seconds: [from, to) in seconds.</summary>
    public IEnumerable<(string AgentId, int From, int To)> Gaps()
    {
        foreach (var (id, agent) in _agents)
        {
            var absent = new IndexSet();
            foreach (var (from, to) in agent.Expected.Intervals)
                absent.Add(from, Math.Min(to, CompleteSeconds));
            foreach (var (from, to) in agent.Reported.Intervals)
                absent.Remove(from, to);
            foreach (var (from, to) in absent.Intervals)
                yield return (id, (int)from, (int)to);
        }
    }

    /// <summary>The agents of one namespace.</summary>
    internal IEnumerable<AgentTrack> AgentsIn(string networkNamespace) =>
        _agents.Values.Where(a => a.Totals.NetworkNamespace == networkNamespace);

    private void AddSeconds(AgentSample sample, AgentTrack agent)
    {
        var first = (int)Math.Floor(sample.From.TotalSeconds);
        var last = (int)Math.Ceiling(sample.To.TotalSeconds) - 1;
        while (_buckets.Count <= last)
            _buckets.Add(new Bucket());
        for (var second = first; second <= last; second++)
        {
            // A merged sample says how many, not when: its counters are spread evenly.
            var part = sample.Counters.Part(second - first, last - first + 1);
            _buckets[second].Counters += part;
            _buckets[second].Saturated |= sample.Health.Saturated;
            agent.PlaceChurn(second, part.Churn);
        }

        agent.Covered.Add(first, last + 1);
        _changed.Add(first, last + 1);
        var (add, remove) = agent.PlaceGauges(sample, last);
        if (add is not null)
            _buckets[last].Gauges += add;
        if (remove is not null)
            _buckets[last].Gauges -= remove;
    }

    private SecondTotals Totalled(int second, int missing) => second < _buckets.Count
        ? new(second, _buckets[second].Gauges, _buckets[second].Counters, missing, _buckets[second].Saturated)
        : new(second, GaugeValues.Zero, CounterValues.Zero, missing, false);

    private int[] MissingPerSecond()
    {
        var change = new int[CompleteSeconds + 1];
        foreach (var (_, from, to) in Gaps())
        {
            change[from]++;
            change[to]--;
        }

        for (var second = 1; second < change.Length; second++)
            change[second] += change[second - 1];
        return change;
    }

    private AgentTrack Track(string agentId)
    {
        if (!_agents.TryGetValue(agentId, out var track))
            _agents.Add(agentId, track = new AgentTrack(agentId, _longest));
        return track;
    }

    private sealed class Bucket
    {
        public GaugeValues Gauges { get; set; } = GaugeValues.Zero;

        public CounterValues Counters { get; set; } = CounterValues.Zero;

        public bool Saturated { get; set; }
    }
}
