using System.Collections.Immutable;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>
/// What the timeline keeps of one agent: totals, which seconds it was expected to report and did, and its newest gauges one by one.
/// Older ones are only in the sums, so that a long run with many agents stays small.
/// </summary>
internal sealed class AgentTrack(string agentId, int longest)
{
    /// <summary>Seconds whose gauges can still be replaced and compared with the kernel.</summary>
    public const int Window = 128;

    private readonly Dictionary<string, IndexSet> _sequences = new(StringComparer.Ordinal);
    private readonly Dictionary<int, Entry> _window = [];
    private int _newestSecond = -1;
    private bool _told;
    private SampleOrder _newestOrder;

    /// <summary>Seconds whose gauges are in the sums.</summary>
    public IndexSet Reported { get; } = new();

    /// <summary>Seconds whose counters are in the sums: those of a merged sample have no gauges of their own.</summary>
    public IndexSet Covered { get; } = new();

    /// <summary>Seconds in which it was there.</summary>
    public IndexSet Expected { get; } = new();

    /// <summary>Over the whole run.</summary>
    public AgentTotals Totals { get; private set; } = new() { AgentId = agentId };

    /// <summary>Expected from the next whole second on.</summary>
    public void Join(TimeSpan elapsed)
    {
        _told = true;
        Expected.Add(Bound(Math.Ceiling(elapsed.TotalSeconds)), longest);
    }

    /// <summary>No longer expected from the present second on.</summary>
    public void Leave(TimeSpan elapsed)
    {
        _told = true;
        Expected.Remove(Bound(Math.Floor(elapsed.TotalSeconds)), longest);
    }

    /// <summary>An agent of which nobody said that it joined did so with its earliest sample, whichever arrives first.</summary>
    public void JoinUntold(TimeSpan elapsed)
    {
        if (!_told)
            Expected.Add(Bound(Math.Ceiling(elapsed.TotalSeconds)), longest);
    }

    /// <summary>Whether the seconds that it owes include one that has not arrived.</summary>
    public bool Owes(int second) => Expected.Contains(second) && !Covered.Contains(second);

    /// <summary>Whether it should be in the gauges of a second and is not.</summary>
    public bool IsMissingIn(int second) => Expected.Contains(second) && !Reported.Contains(second);

    /// <summary>Marks a sample as seen.</summary>
    /// <returns>False when it was seen before.</returns>
    public bool TrySee(AgentSample sample)
    {
        if (!_sequences.TryGetValue(sample.Incarnation, out var seen))
            _sequences.Add(sample.Incarnation, seen = new IndexSet());
        var sequence = (long)Math.Min(sample.Sequence, long.MaxValue - 1);
        if (seen.Contains(sequence))
            return false;
        seen.Add(sequence, sequence + 1);
        return true;
    }

    /// <summary>Whether it was there, and is no more in a second.</summary>
    public bool HasLeft(int second) => Expected.Intervals is [.., var last] && last.To <= second && !Reported.Contains(second);

    /// <summary>Puts the gauges of a sample into its second. Of two samples of one second the later one counts.</summary>
    /// <returns>What to add to the sum and what to take out of it; null where nothing changes.</returns>
    public (GaugeValues? Add, GaugeValues? Remove) PlaceGauges(AgentSample sample, int second)
    {
        var order = SampleOrder.Of(sample);
        var known = _window.TryGetValue(second, out var entry);
        if (entry?.Gauges is null && Reported.Contains(second))
            return (null, null);
        if (!known && second <= _newestSecond - Window)
        {
            Reported.Add(second, second + 1);
            return (sample.Gauges, null);
        }

        entry ??= _window[second] = new Entry();
        if (entry.Gauges is not null && entry.Order.CompareTo(order) >= 0)
            return (null, null);
        var removed = entry.Gauges;
        (entry.Gauges, entry.Order) = (sample.Gauges, order);
        Reported.Add(second, second + 1);
        return (sample.Gauges, removed);
    }

    /// <summary>Remembers how many connections came and went in a second.</summary>
    public void PlaceChurn(int second, long churn)
    {
        if (second <= _newestSecond - Window)
            return;
        if (!_window.TryGetValue(second, out var entry))
            _window[second] = entry = new Entry();
        entry.Churn += churn;
        for (; _newestSecond < second; _newestSecond++)
            _window.Remove(_newestSecond + 1 - Window);
    }

    /// <summary>Gauges of a recent second; null when they are not there (any more).</summary>
    public GaugeValues? GaugesAt(int second) => _window.TryGetValue(second, out var entry) ? entry.Gauges : null;

    /// <summary>Connections that came and went in a recent second.</summary>
    public long ChurnIn(int second) => _window.TryGetValue(second, out var entry) ? entry.Churn : 0;

    /// <summary>Takes a sample into the totals.</summary>
    public void Count(AgentSample sample)
    {
        var health = sample.Health;
        Totals = Totals with
        {
            Counters = Totals.Counters + sample.Counters,
            PeakEstablished = Math.Max(Totals.PeakEstablished, sample.Gauges.Established),
            RssBytesAtPeak = sample.Gauges.Established > Totals.PeakEstablished ? health.RssBytes : Totals.RssBytesAtPeak,
            BaseRssBytes = health.BaseRssBytes > 0 ? health.BaseRssBytes : Totals.BaseRssBytes,
            Stopped = FirstStop(Totals.Stopped, sample),
            Cpu = Totals.Cpu + health.Cpu,
            MaxRssBytes = Math.Max(Totals.MaxRssBytes, health.RssBytes),
            ReactorLagMax = health.ReactorLagMax > Totals.ReactorLagMax ? health.ReactorLagMax : Totals.ReactorLagMax,
            SaturatedIntervals = Totals.SaturatedIntervals + (health.Saturated ? 1 : 0),
        };
        var order = SampleOrder.Of(sample);
        if (Totals.NewestAt is not null && order.CompareTo(_newestOrder) < 0)
            return;
        _newestOrder = order;
        Totals = Totals with
        {
            NetworkNamespace = sample.NetworkNamespace,
            NewestAt = sample.To,
            Newest = sample.Gauges,
            NewestCounters = sample.Counters,
            NewestInterval = sample.To - sample.From,
            NewestHealth = health,
        };
    }

    /// <summary>The newest sample of each process life.</summary>
    public IEnumerable<(string Incarnation, ulong Sequence)> NewestSequences =>
        _sequences.Where(s => s.Value.Intervals.Count > 0).Select(s => (s.Key, (ulong)s.Value.Intervals[^1].To - 1));

    /// <summary>Everything about it.</summary>
    /// <param name="recent">Seconds before this are only in the sums.</param>
    public AgentCheckpoint Checkpoint(int recent) => new()
    {
        Totals = Totals,
        Told = _told,
        NewestSecond = _newestSecond,
        NewestOrder = _newestOrder,
        Sequences = _sequences.ToImmutableDictionary(s => s.Key, s => s.Value.Spans),
        Reported = Reported.Spans,
        Covered = Covered.Spans,
        Expected = Expected.Spans,
        Window = [.. _window.Where(e => e.Key >= recent).Select(e => new SecondCheckpoint(e.Key, e.Value.Gauges, e.Value.Order, e.Value.Churn))],
    };

    /// <summary>Goes on where <see cref="Checkpoint"/> was made.</summary>
    public void Restore(AgentCheckpoint from)
    {
        (Totals, _told, _newestSecond, _newestOrder) = (from.Totals, from.Told, from.NewestSecond, from.NewestOrder);
        foreach (var (incarnation, spans) in from.Sequences)
            _sequences[incarnation] = new IndexSet(spans);
        Reported.Add(from.Reported);
        Covered.Add(from.Covered);
        Expected.Add(from.Expected);
        foreach (var second in from.Window)
            _window[second.Second] = new Entry { Gauges = second.Gauges, Order = second.Order, Churn = second.Churn };
    }

    private int Bound(double second) => (int)Math.Clamp(second, 0, longest);

    private sealed class Entry
    {
        public GaugeValues? Gauges { get; set; }

        public SampleOrder Order { get; set; }

        public long Churn { get; set; }
    }

    private static (GrowthStop Why, TimeSpan At, long Established)? FirstStop(
        (GrowthStop Why, TimeSpan At, long Established)? known, AgentSample sample) =>
        sample.Health.GrowthStop == GrowthStop.None || known?.At <= sample.To
            ? known
            : (sample.Health.GrowthStop, sample.To, sample.Gauges.Established);
}
