using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>
/// The endpoint space of one network namespace in blocks: sources x groups of 256 ports. Blocks are numbered source first
/// (block = layer * sources + source, where a layer is one group of ports on every source), so that any run of numbers
/// spreads over all sources, and is three rectangles at most however many blocks it holds.
/// </summary>
public sealed class BlockPool
{
    private readonly ImmutableArray<IpRange> _sources;
    private readonly long[] _firstIndex;
    private readonly PortMap _ports;
    private readonly DestinationCounts _destinations;
    private readonly IndexSet _free = new();

    /// <summary>A pool with every block free.</summary>
    /// <param name="sources">In any order; overlaps are counted once.</param>
    /// <param name="ports">Ports that may be bound on each of them.</param>
    /// <param name="destinations">For counting tuples.</param>
    public BlockPool(IEnumerable<IpRange> sources, PortMap ports, DestinationCounts destinations)
    {
        _sources = AddressRanges.Merge(sources.Where(s => destinations.Of(s.First.IsV6) > 0));
        _ports = ports;
        _destinations = destinations;
        _firstIndex = new long[_sources.Length];
        for (var i = 0; i < _sources.Length; i++)
        {
            _firstIndex[i] = Sources;
            Sources += _sources[i].Count;
        }

        _free.Add(0, Sources * ports.Groups.Length);
    }

    /// <summary>Source addresses that reach at least one destination.</summary>
    public long Sources { get; }

    /// <summary>The same as ranges, ascending, without overlaps.</summary>
    public ImmutableArray<IpRange> Ranges => _sources;

    /// <summary>Blocks that are not issued.</summary>
    public long FreeBlocks => _free.Count;

    /// <summary>Tuples in blocks that are not issued.</summary>
    public long FreeTuples => _free.Intervals.Sum(i => TuplesBetween(i.From, i.To));

    /// <summary>Tuples of some blocks, as far as they are of this pool.</summary>
    public long TuplesOf(IEnumerable<BlockRange> blocks)
    {
        var tuples = 0L;
        foreach (var block in blocks)
        {
            var first = block.FirstPort / BlockRange.PortsPerBlock;
            var sources = _sources.Sum(s => AddressRanges.Overlap(s, block.Sources)?.Count ?? 0);
            for (var group = first; group < first + block.PortBlocks; group++)
                tuples += _ports.CountIn(group) * sources * _destinations.Of(block.Sources.First.IsV6);
        }

        return tuples;
    }

    /// <summary>How many of the next free blocks hold a number of tuples.</summary>
    /// <returns>At most <see cref="FreeBlocks"/>, even when those hold less.</returns>
    public long BlocksFor(long tuples)
    {
        var blocks = 0L;
        foreach (var (from, to) in _free.Intervals)
        {
            foreach (var (start, end, perBlock) in Uniform(from, to))
            {
                if (tuples <= 0)
                    return blocks;
                var taken = Math.Min(end - start, (tuples + perBlock - 1) / perBlock);
                blocks += taken;
                tuples -= taken * perBlock;
            }
        }

        return blocks;
    }

    /// <summary>Issues the next free blocks.</summary>
    /// <param name="blocks">0 to <see cref="FreeBlocks"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer free ones.</exception>
    public ImmutableArray<BlockRange> Take(long blocks)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(blocks);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(blocks, FreeBlocks);
        var taken = ImmutableArray.CreateBuilder<BlockRange>();
        while (blocks > 0)
        {
            var (from, to) = _free.Intervals[0];
            to = Math.Min(to, from + blocks);
            _free.Remove(from, to);
            AddRectangles(from, to, taken);
            blocks -= to - from;
        }

        return taken.ToImmutable();
    }

    /// <summary>Marks blocks as issued, as those of an earlier plan are. What is not in this pool is passed over.</summary>
    public void Issue(IEnumerable<BlockRange> blocks) => ForEachRun(blocks, _free.Remove);

    /// <summary>Takes issued blocks back. What is not in this pool is passed over.</summary>
    public void GiveBack(IEnumerable<BlockRange> blocks) => ForEachRun(blocks, _free.Add);

    private long TuplesBetween(long from, long to) => Uniform(from, to).Sum(u => (u.End - u.Start) * u.TuplesPerBlock);

    /// <summary>Cuts a run of blocks where the tuples per block change: at the end of a layer and of a family.</summary>
    private IEnumerable<(long Start, long End, long TuplesPerBlock)> Uniform(long from, long to)
    {
        while (from < to)
        {
            var (layer, source) = Math.DivRem(from, Sources);
            var range = RangeAt(source);
            var end = Math.Min(to, (layer * Sources) + _firstIndex[range] + _sources[range].Count);
            yield return (from, end, _ports.CountIn(_ports.Groups[(int)layer]) * _destinations.Of(_sources[range].First.IsV6));
            from = end;
        }
    }

    private void AddRectangles(long from, long to, ImmutableArray<BlockRange>.Builder into)
    {
        while (from < to)
        {
            var (layer, source) = Math.DivRem(from, Sources);
            var layers = source == 0 ? (to - from) / Sources : 0;
            var groups = 1;
            if (layers == 0)
            {
                var end = Math.Min(to - (layer * Sources), Sources);
                AddSources((int)layer, 1, source, end, into);
                from = (layer * Sources) + end;
                continue;
            }

            while (groups < layers && _ports.Groups[(int)layer + groups] == _ports.Groups[(int)layer] + groups)
                groups++;
            AddSources((int)layer, groups, 0, Sources, into);
            from += groups * Sources;
        }
    }

    private void AddSources(int layer, int groups, long source, long end, ImmutableArray<BlockRange>.Builder into)
    {
        for (var range = RangeAt(source); source < end; range++)
        {
            var offset = source - _firstIndex[range];
            var count = Math.Min(end - source, _sources[range].Count - offset);
            var addresses = new IpRange(_sources[range].First.Plus(offset), count);
            into.Add(new BlockRange(addresses, _ports.Groups[layer] * BlockRange.PortsPerBlock, groups));
            source += count;
        }
    }

    private void ForEachRun(IEnumerable<BlockRange> blocks, Action<long, long> act)
    {
        foreach (var block in blocks)
        {
            var first = block.FirstPort / BlockRange.PortsPerBlock;
            for (var range = 0; range < _sources.Length; range++)
            {
                if (AddressRanges.Overlap(_sources[range], block.Sources) is not { } overlap)
                    continue;
                var source = _firstIndex[range] + (long)(overlap.First.Value - _sources[range].First.Value);
                for (var layer = LayerFrom(first); layer < _ports.Groups.Length && _ports.Groups[layer] < first + block.PortBlocks; layer++)
                    act((layer * Sources) + source, (layer * Sources) + source + overlap.Count);
            }
        }
    }

    private int LayerFrom(int group)
    {
        var layer = _ports.Groups.BinarySearch(group);
        return layer >= 0 ? layer : ~layer;
    }

    private int RangeAt(long source)
    {
        var range = Array.BinarySearch(_firstIndex, source);
        return range >= 0 ? range : ~range - 1;
    }
}
