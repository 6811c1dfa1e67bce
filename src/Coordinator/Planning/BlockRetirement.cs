using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>
/// Blocks on their way back to the pool. They go in two steps: a revision marks them as retiring, and once their agent has found them
/// empty another one is without them. Until then they are still its own, and may be recalled.
/// </summary>
internal static class BlockRetirement
{
    /// <summary>Marks the blocks that came last as retiring, as long as the others hold enough.</summary>
    /// <param name="pool">Counts tuples.</param>
    /// <param name="held">All blocks of an agent.</param>
    /// <param name="tuples">Those that it keeps at least.</param>
    /// <param name="blocks">Blocks that it keeps at least.</param>
    public static ImmutableArray<BlockRange> Retire(BlockPool pool, ImmutableArray<BlockRange> held, long tuples, long blocks)
    {
        var spareTuples = pool.TuplesOf(held.Where(b => !b.Retiring)) - tuples;
        var spareBlocks = held.Where(b => !b.Retiring).Sum(b => b.Count) - blocks;
        var result = new List<BlockRange>();
        foreach (var range in held.Reverse())
        {
            var (kept, layer) = (range, TopLayer(range));
            while (!range.Retiring && kept.PortBlocks > 0 && pool.TuplesOf([layer]) <= spareTuples && layer.Count <= spareBlocks)
            {
                spareTuples -= pool.TuplesOf([layer]);
                spareBlocks -= layer.Count;
                kept = kept with { PortBlocks = kept.PortBlocks - 1 };
                layer = TopLayer(kept);
            }

            if (kept.PortBlocks < range.PortBlocks)
            {
                var first = range.FirstPort + (kept.PortBlocks * BlockRange.PortsPerBlock);
                result.Add(new BlockRange(range.Sources, first, range.PortBlocks - kept.PortBlocks, Retiring: true));
            }

            if (kept.PortBlocks > 0)
                result.Add(kept);
            // Only the end of the list goes: what is before a range that stays stays too.
            if (kept.PortBlocks > 0 && !range.Retiring)
                (spareTuples, spareBlocks) = (-1, -1);
        }

        result.Reverse();
        return Join(result);
    }

    /// <summary>Takes retiring blocks back into use until there are enough tuples, or no such blocks.</summary>
    public static ImmutableArray<BlockRange> Recall(BlockPool pool, ImmutableArray<BlockRange> held, long tuples)
    {
        if (!held.Any(b => b.Retiring))
            return held;
        var usable = pool.TuplesOf(held.Where(b => !b.Retiring));
        var result = new List<BlockRange>(held.Length);
        foreach (var range in held)
        {
            var recalled = range.Retiring && usable < tuples && pool.TuplesOf([range]) > 0;
            usable += recalled ? pool.TuplesOf([range]) : 0;
            result.Add(recalled ? range with { Retiring = false } : range);
        }

        return Join(result);
    }

    /// <summary>What is left when blocks that an agent found empty are taken out; only those that are retiring are.</summary>
    public static ImmutableArray<BlockRange> Without(ImmutableArray<BlockRange> held, IEnumerable<BlockRange> empty)
    {
        var left = held.ToList();
        foreach (var gone in empty)
            left = [.. left.SelectMany(b => b.Retiring ? Outside(b, gone) : [b])];
        return [.. left];
    }

    private static BlockRange TopLayer(BlockRange range) =>
        range with { FirstPort = range.FirstPort + ((range.PortBlocks - 1) * BlockRange.PortsPerBlock), PortBlocks = 1 };

    private static IEnumerable<BlockRange> Outside(BlockRange range, BlockRange hole)
    {
        var firstPort = Math.Max(range.FirstPort, hole.FirstPort);
        var endPort = Math.Min(End(range), End(hole));
        if (AddressRanges.Overlap(range.Sources, hole.Sources) is not { } sources || firstPort >= endPort)
            return [range];
        var before = (long)(sources.First.Value - range.Sources.First.Value);
        IEnumerable<BlockRange> parts =
        [
            range with { PortBlocks = (firstPort - range.FirstPort) / BlockRange.PortsPerBlock },
            Part(new(range.Sources.First, before)),
            Part(new(sources.First.Plus(sources.Count), range.Sources.Count - before - sources.Count)),
            range with { FirstPort = endPort, PortBlocks = (End(range) - endPort) / BlockRange.PortsPerBlock },
        ];
        return parts.Where(p => p is { PortBlocks: > 0, Sources.Count: > 0 });

        BlockRange Part(IpRange addresses) =>
            new(addresses, firstPort, (endPort - firstPort) / BlockRange.PortsPerBlock, range.Retiring);
    }

    private static int End(BlockRange range) => range.FirstPort + (range.PortBlocks * BlockRange.PortsPerBlock);

    // Retiring and recalling in turn would cut ranges into ever smaller ones.
    private static ImmutableArray<BlockRange> Join(List<BlockRange> ranges)
    {
        var joined = ImmutableArray.CreateBuilder<BlockRange>(ranges.Count);
        foreach (var range in ranges)
        {
            if (joined.Count > 0 && joined[^1] is var last && last.Sources == range.Sources && last.Retiring == range.Retiring
                && End(last) == range.FirstPort)
            {
                joined[^1] = last with { PortBlocks = last.PortBlocks + range.PortBlocks };
            }
            else
            {
                joined.Add(range);
            }
        }

        return joined.ToImmutable();
    }
}
