using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>A set of indices kept as intervals, so that its size is that of its holes and not that of its content.</summary>
internal sealed class IndexSet
{
    private readonly List<(long From, long To)> _intervals = [];

    /// <summary>An empty set.</summary>
    public IndexSet()
    {
    }

    /// <summary>A set of what other ones had.</summary>
    public IndexSet(IEnumerable<IndexSpan> spans) => Add(spans);

    /// <summary>To be kept.</summary>
    public ImmutableArray<IndexSpan> Spans => [.. _intervals.Select(i => new IndexSpan(i.From, i.To))];

    /// <summary>Indices in the set.</summary>
    public long Count { get; private set; }

    /// <summary>Half-open intervals, ascending, neither empty nor touching.</summary>
    public IReadOnlyList<(long From, long To)> Intervals => _intervals;

    /// <summary>Whether an index is in the set.</summary>
    public bool Contains(long index)
    {
        var at = FirstEndingAtOrAfter(index + 1);
        return at < _intervals.Count && _intervals[at].From <= index;
    }

    /// <summary>Adds [from, to).</summary>
    public void Add(long from, long to)
    {
        if (from >= to)
            return;
        var first = FirstEndingAtOrAfter(from);
        var last = first;
        while (last < _intervals.Count && _intervals[last].From <= to)
        {
            from = Math.Min(from, _intervals[last].From);
            to = Math.Max(to, _intervals[last].To);
            Count -= _intervals[last].To - _intervals[last].From;
            last++;
        }

        _intervals.RemoveRange(first, last - first);
        _intervals.Insert(first, (from, to));
        Count += to - from;
    }

    /// <summary>Adds all of these.</summary>
    public void Add(IEnumerable<IndexSpan> spans)
    {
        foreach (var (from, to) in spans)
            Add(from, to);
    }

    /// <summary>Removes [from, to), as far as it is there.</summary>
    public void Remove(long from, long to)
    {
        if (from >= to)
            return;
        var first = FirstEndingAtOrAfter(from + 1);
        var left = new List<(long From, long To)>();
        var last = first;
        while (last < _intervals.Count && _intervals[last].From < to)
        {
            var interval = _intervals[last];
            Count -= Math.Min(interval.To, to) - Math.Max(interval.From, from);
            if (interval.From < from)
                left.Add((interval.From, from));
            if (interval.To > to)
                left.Add((to, interval.To));
            last++;
        }

        _intervals.RemoveRange(first, last - first);
        _intervals.InsertRange(first, left);
    }

    private int FirstEndingAtOrAfter(long index)
    {
        var (low, high) = (0, _intervals.Count);
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (_intervals[middle].To < index)
                low = middle + 1;
            else
                high = middle;
        }

        return low;
    }
}
