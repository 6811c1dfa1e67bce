using CsCheck;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Tests.Planning;

public class BlockPoolTests
{
    private static readonly Gen<IpRange> _range =
        Gen.Select(Gen.Bool, Gen.UInt[1, 60], Gen.Long[1, 9], (isV6, first, count) => new IpRange(new IpAddress(isV6, first), count));

    private static readonly Gen<BlockPool> _pool = Gen.Select(
        _range.Array[1, 5], Gen.Int[1, 65535].Array[0, 5], Gen.Int[0, 60_000], Gen.Int[1, 5000],
        (sources, holes, first, count) => new BlockPool(
            sources, PortMap.Of([new PortSpan(first, first + count)], holes.Select(h => new PortSpan(h, Math.Min(65535, h + 300)))),
            new DestinationCounts(3, 2)));

    private static IpRange Sources(uint first, long count) => new(new IpAddress(false, first), count);

    private static BlockPool Pool(long sources, params PortSpan[] ports) =>
        new([Sources(0x0A000001, sources)], PortMap.Of(ports, []), new DestinationCounts(1, 0));

    private static IEnumerable<(IpAddress Source, int Port)> Expand(IEnumerable<BlockRange> blocks) =>
        from block in blocks
        from source in Enumerable.Range(0, (int)block.Sources.Count)
        from row in Enumerable.Range(0, block.PortBlocks)
        select (block.Sources.First.Plus(source), block.FirstPort + (row * BlockRange.PortsPerBlock));

    [Test]
    public void Take_FewerThanSources_SpreadsOverSources()
    {
        var taken = Pool(16, new PortSpan(1024, 65535)).Take(8);
        Assert.That(taken, Is.EqualTo(new[] { new BlockRange(Sources(0x0A000001, 8), 1024, 1) }));
    }

    [Test]
    public void Take_SeveralLayers_FillsEverySourceEvenly()
    {
        var pool = Pool(10, new PortSpan(1024, 65535));
        _ = pool.Take(7);
        var taken = Expand(pool.Take(36)).GroupBy(b => b.Source).Select(g => g.Count()).ToList();
        Assert.That(taken.Max() - taken.Min(), Is.LessThanOrEqualTo(1));
    }

    [Test]
    public void Take_FromASlashSixteen_StaysAFewRanges()
    {
        var pool = Pool(65_536, new PortSpan(1024, 65535));
        var slices = Enumerable.Range(0, 20).Select(i => pool.Take(100_000 + i)).ToList();
        Assert.That(slices.Select(s => s.Length), Is.All.LessThanOrEqualTo(3));
    }

    [Test]
    public void Take_MoreThanFree_Throws() =>
        Assert.That(() => Pool(1, new PortSpan(1024, 1279)).Take(2), Throws.InstanceOf<ArgumentOutOfRangeException>());

    [Test]
    public void FreeTuples_PartOfAGroup_CountsUsablePortsOnly()
    {
        var pool = new BlockPool([Sources(1, 2)], PortMap.Of([new PortSpan(1000, 1300)], [new PortSpan(1100, 1109)]),
            new DestinationCounts(5, 7));
        Assert.That(pool.FreeTuples, Is.EqualTo(2 * 291 * 5));
    }

    [Test]
    public void Take_EverythingInParts_CoversTheSpaceOnce() =>
        _pool.Select(Gen.Long[1, 40].Array[1, 40]).Sample((pool, sizes) =>
        {
            var (blocks, tuples) = (pool.FreeBlocks, pool.FreeTuples);
            var taken = new List<BlockRange>();
            for (var i = 0; pool.FreeBlocks > 0; i++)
                taken.AddRange(pool.Take(Math.Min(sizes[i % sizes.Length], pool.FreeBlocks)));
            var expanded = Expand(taken).ToList();
            return expanded.Count == blocks && expanded.Distinct().Count() == blocks && pool.TuplesOf(taken) == tuples
                && pool.FreeTuples == 0;
        });

    [Test]
    public void GiveBack_SomeSlices_MakesExactlyThoseFreeAgain() =>
        _pool.Select(Gen.Long[1, 15].Select(Gen.Bool).Array[1, 20]).Sample((pool, steps) =>
        {
            var all = pool.FreeBlocks;
            var kept = new HashSet<(IpAddress, int)>();
            var returned = new List<BlockRange>();
            foreach (var (size, keep) in steps)
            {
                var slice = pool.Take(Math.Min(size, pool.FreeBlocks));
                if (keep)
                    kept.UnionWith(Expand(slice));
                else
                    returned.AddRange(slice);
            }

            pool.GiveBack(returned);
            var rest = Expand(pool.Take(pool.FreeBlocks)).ToList();
            return rest.Count + kept.Count == all && !rest.Exists(kept.Contains);
        });

    [Test]
    public void Issue_SlicesOfAnEqualPool_LeavesTheSameFree() =>
        _pool.Select(Gen.Long[0, 200]).Sample((pool, size) =>
        {
            var slice = pool.Take(Math.Min(size, pool.FreeBlocks));
            var free = pool.FreeBlocks;
            pool.Issue(slice);
            var afterTwice = pool.FreeBlocks;
            pool.GiveBack(slice);
            pool.Issue(slice);
            return afterTwice == free && pool.FreeBlocks == free;
        });

    [Test]
    public void BlocksFor_AnyTuples_IsTheSmallestThatHolds() =>
        _pool.Select(Gen.Long[1, 20_000]).Sample((pool, tuples) =>
        {
            var blocks = pool.BlocksFor(tuples);
            var enough = pool.FreeTuples >= tuples;
            var slice = pool.Take(blocks);
            if (!enough)
                return pool.FreeBlocks == 0;
            if (pool.TuplesOf(slice) < tuples)
                return false;
            pool.GiveBack(slice);
            return pool.TuplesOf(pool.Take(blocks - 1)) < tuples;
        });

    [Test]
    public void UnusableIn_AnyPool_IsTheRestOfItsGroups() =>
        Gen.Int[1, 60_000].Select(Gen.Int[0, 2000], Gen.Int[1, 62_000]).Sample((first, count, hole) =>
        {
            var map = PortMap.Of([new PortSpan(first, first + count)], [new PortSpan(hole, hole + 40)]);
            var blocks = map.Groups.Select(g => new BlockRange(Sources(1, 1), g * 256, 1)).ToList();
            var excluded = map.UnusableIn(blocks);
            var left = map.Groups.SelectMany(g => Enumerable.Range(g * 256, 256)).Where(p => p != 0 && !excluded.Any(e => e.Contains(p)));
            var usable = map.Usable().SelectMany(s => Enumerable.Range(s.First, s.Count));
            return left.SequenceEqual(usable) && map.Count == map.Usable().Sum(s => s.Count);
        });
}
