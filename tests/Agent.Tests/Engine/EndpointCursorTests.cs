using CsCheck;
using LoadHarness.Agent.Engine;
using LoadHarness.Protos;
using PortSpan = LoadHarness.Protos.PortSpan;

namespace LoadHarness.Agent.Tests.Engine;

public sealed class EndpointCursorTests
{
    private const long Second = 1_000_000_000;
    private static readonly TimeSpan _rest = TimeSpan.FromSeconds(60);

    // Sources and destinations share addresses and ports, so that some tuples would connect to themselves.
    private static readonly Gen<IpAddress> _address = Gen.Select(Gen.Bool, Gen.Int[0, 3], (v6, last) => Address(v6, last));
    private static readonly Gen<(IpAddress, int)> _destination = Gen.Select(_address, Gen.Int[1020, 1300]);
    private static readonly Gen<(IpAddress, int)> _block = Gen.Select(_address, Gen.Int[0, 6], (address, group) => (address, group * 256));
    private static readonly Gen<PortSpan> _span = Gen.Select(Gen.Int[1, 1700], Gen.Int[0, 300], (first, more) => new PortSpan(first, first + more));

    [Test]
    public void TryTake_AnySpace_GivesEveryUsableTupleExactlyOnce() =>
        Gen.Select(_destination.Array[1, 20], _block.HashSet[1, 5], _span.Array[0, 3], Gen.Int[0, 3]).Sample(
            (destinations, blocks, excluded, later) =>
            {
                using var cursor = new EndpointCursor(destinations, excluded, _rest);
                var first = blocks.Take(blocks.Count - later).ToList();
                cursor.Add(first);
                var taken = TakeAll(cursor).ToList();
                cursor.Add([.. blocks.Skip(first.Count)]);
                taken.AddRange(TakeAll(cursor));

                var expected = Usable(destinations, blocks, excluded).ToHashSet();
                return taken.Count == expected.Count && taken.ToHashSet().SetEquals(expected)
                    && cursor is { Free: 0, Resting: 0 } && cursor.Total == expected.Count;
            },
            iter: 60);

    [Test]
    public void TryTake_HundredsOfDestinations_GivesEveryTupleExactlyOnce()
    {
        foreach (var count in new[] { 127, 128, 129, 256, 300 })
        {
            var destinations = Enumerable.Range(0, count).Select(i => (Address(false, 1), 2000 + i)).ToArray();
            (IpAddress, int)[] blocks = [(Address(false, 2), 1024), (Address(false, 3), 1024), (Address(false, 2), 1280)];
            using var cursor = new EndpointCursor(destinations, [], _rest);
            cursor.Add(blocks);

            Assert.That(TakeAll(cursor).Distinct().Count(), Is.EqualTo(count * 3 * 256), () => $"{count} destinations");
        }
    }

    [Test]
    public void TryTake_AnyNumberOfTuples_FillsDestinationsEvenly() =>
        Gen.Select(Gen.Int[1, 400], Gen.Int[1, 4], Gen.Int[1, 3], Gen.Int[1, 5000]).Sample(
            (destinations, sources, groups, tuples) =>
            {
                using var cursor = WholeSpace(destinations, sources, groups);
                var counts = Take(cursor, Math.Min(tuples, (int)cursor.Total)).GroupBy(t => t.Destination).Select(g => g.Count()).ToList();
                return Spread(counts, destinations) <= 1;
            },
            iter: 40);

    [Test]
    public void TryTake_AnyNumberOfTuples_FillsSourcesEvenlyUpToOneGroupOfDestinations() =>
        Gen.Select(Gen.Int[1, 400], Gen.Int[1, 4], Gen.Int[1, 3], Gen.Int[1, 20_000]).Sample(
            (destinations, sources, groups, tuples) =>
            {
                using var cursor = WholeSpace(destinations, sources, groups);
                var counts = Take(cursor, Math.Min(tuples, (int)cursor.Total)).GroupBy(t => t.Source).Select(g => g.Count()).ToList();
                // One source may be ahead by a group, and groups differ by one destination.
                return Spread(counts, sources) <= 128 + (tuples / 64);
            },
            iter: 40);

    [Test]
    public void TryTake_ATupleGivenBackUnused_ComesBeforeThoseThatRested()
    {
        using var cursor = WholeSpace(1, 1, 1);
        var taken = TakeRaw(cursor, 256, 0);
        cursor.ReturnEnded(taken[0], 0);
        cursor.ReturnUnused(taken[1]);

        var next = TakeRaw(cursor, 2, 61 * Second);

        Assert.That(next, Is.EqualTo(new[] { taken[1], taken[0] }));
    }

    [Test]
    public void TryTake_RestedTuples_ComeInTheOrderOfTheirReturnAndNotBeforeTheirRestIsOver() =>
        Gen.Select(Gen.Long[0, 20 * Second].Array[1, 40], Gen.Long[0, 100_000 * Second], Gen.Int[1, 120_000]).Sample((gaps, start, restMillis) =>
        {
            var rest = restMillis * 1_000_000L;
            using var cursor = WholeSpace(1, 1, 1, TimeSpan.FromMilliseconds(restMillis));
            var taken = TakeRaw(cursor, 256, start);
            var now = start;
            var resting = new Queue<(EndpointTuple Tuple, long Since)>();
            for (var i = 0; i < gaps.Length; i++)
            {
                now += gaps[i];
                cursor.ReturnEnded(taken[i], now);
                resting.Enqueue((taken[i], now));
                while (cursor.TryTake(now, out var again))
                {
                    var (tuple, since) = resting.Dequeue();
                    if (again != tuple || now - since < rest)
                        return false;
                }

                // Resting is kept in coarse stamps: a little longer is allowed.
                if (resting.Any(r => now - r.Since > rest + (Second / 4)) || cursor.Resting != resting.Count)
                    return false;
            }

            return true;
        });

    [Test]
    public void TryTake_NoRest_GivesTheTupleAgainAtOnce()
    {
        using var cursor = WholeSpace(1, 1, 1, TimeSpan.Zero);
        var taken = TakeRaw(cursor, 256, 0);

        cursor.ReturnEnded(taken[9], 0);

        Assert.Multiple(() =>
        {
            Assert.That(cursor.Resting, Is.Zero);
            Assert.That(TakeRaw(cursor, 1, 0), Is.EqualTo(new[] { taken[9] }));
            Assert.That(cursor.TryTake(0, out _), Is.False);
        });
    }

    [Test]
    public void FreeTotalAndResting_AnyMoves_AddUp() =>
        Gen.Select(Gen.Int[0, 4], Gen.Int[0, 400], Gen.Long[0, 30 * Second]).Array[1, 60].Sample(moves =>
        {
            using var cursor = WholeSpace(3, 2, 1);
            var live = new Queue<EndpointTuple>();
            var resting = new Queue<long>();
            var now = 0L;
            foreach (var (kind, count, pass) in moves)
            {
                now += pass;
                for (var i = 0; i < count; i++)
                {
                    if (kind <= 2 && cursor.TryTake(now, out var tuple))
                        live.Enqueue(tuple);
                    else if (kind == 3 && live.TryDequeue(out var unused))
                        cursor.ReturnUnused(unused);
                    else if (kind == 4 && live.TryDequeue(out var ended))
                        cursor.ReturnEnded(ended, now);
                }

                cursor.EndRests(now);
                if (cursor.Free != cursor.Total - live.Count - cursor.Resting || cursor.Total != 3 * 2 * 256)
                    return false;
            }

            cursor.EndRests(now + (61 * Second));
            return cursor.Resting == 0 && cursor.Free == cursor.Total - live.Count;
        });

    [Test]
    public void Drop_ATuple_NeverGivesItsSourceAndPortAgainForAnyDestination()
    {
        using var cursor = WholeSpace(3, 1, 1);
        var taken = TakeRaw(cursor, 3 * 256, 0);
        var dropped = taken[300];
        var rested = taken.First(t => t.Unit == dropped.Unit && t != dropped);
        var unused = taken.Last(t => t.Unit == dropped.Unit && t != dropped && t != rested);
        cursor.ReturnEnded(rested, 0);
        cursor.Drop(dropped);
        cursor.ReturnUnused(unused);
        foreach (var other in taken.Where(t => t.Unit != dropped.Unit))
            cursor.ReturnUnused(other);

        var again = TakeRaw(cursor, int.MaxValue, 1000 * Second);

        Assert.Multiple(() =>
        {
            Assert.That(again.Select(t => t.Unit), Has.None.EqualTo(dropped.Unit));
            Assert.That(again, Has.Count.EqualTo(3 * 255));
            Assert.That(cursor.Total, Is.EqualTo(3 * 255));
            Assert.That(cursor.Free, Is.Zero);
        });
    }

    [Test]
    public void Drop_FromAFreshSpace_LeavesTheRestOfIt()
    {
        using var cursor = WholeSpace(5, 1, 1);
        var dropped = TakeRaw(cursor, 1, 0)[0];

        cursor.Drop(dropped);

        Assert.Multiple(() =>
        {
            Assert.That(cursor.Free, Is.EqualTo(5 * 255));
            Assert.That(TakeRaw(cursor, int.MaxValue, 0), Has.Count.EqualTo(5 * 255).And.None.Matches<EndpointTuple>(t => t.Unit == dropped.Unit));
        });
    }

    [Test]
    public void Exclude_Later_TakesPortsOutOfWhatIsLeftAndOfWhatComesBack()
    {
        using var cursor = WholeSpace(2, 1, 1);
        var live = TakeRaw(cursor, 2 * 100, 0);

        cursor.Exclude([new PortSpan(1024 + 50, 1024 + 149), new PortSpan(2000, 2000)]);
        foreach (var tuple in live)
            cursor.ReturnEnded(tuple, 0);
        var again = TakeAll(cursor, 100 * Second).ToList();

        Assert.Multiple(() =>
        {
            Assert.That(again.Select(t => t.Port), Has.None.InRange(1024 + 50, 1024 + 149));
            Assert.That(again, Has.Count.EqualTo(2 * 156));
            Assert.That(cursor.Total, Is.EqualTo(2 * 156));
            Assert.That(cursor.Free, Is.Zero);
        });
    }

    [Test]
    public void TryTake_BlocksAddedWhileOthersRest_GivesTheNewOnesFirst()
    {
        using var cursor = WholeSpace(1, 1, 1);
        var first = TakeRaw(cursor, 256, 0);
        cursor.ReturnEnded(first[0], 0);
        cursor.Add([(Address(false, 9), 2048)]);

        var sources = Take(cursor, 256, 100 * Second).Select(t => t.Source).Distinct();

        Assert.That(sources, Is.EqualTo(new[] { Address(false, 9) }));
    }

    [Test]
    public void Create_NoDestination_Throws() =>
        Assert.That(() => new EndpointCursor([], [], _rest), Throws.ArgumentException);

    private static IpAddress Address(bool v6, int last) => new(v6, v6 ? (UInt128.One << 64) + (UInt128)last : 0x7F_00_00_01u + (UInt128)last);

    /// <summary>A space in which every tuple is usable.</summary>
    private static EndpointCursor WholeSpace(int destinations, int sources, int groups, TimeSpan? rest = null)
    {
        var cursor = new EndpointCursor([.. Enumerable.Range(0, destinations).Select(i => (Address(false, 100), 9000 + i))], [], rest ?? _rest);
        cursor.Add([.. Enumerable.Range(0, sources * groups).Select(i => (Address(false, i % sources), 1024 + (i / sources * 256)))]);
        return cursor;
    }

    private static IEnumerable<(IpAddress Source, int Port, int Destination)> Usable(
        (IpAddress Address, int Port)[] destinations, IEnumerable<(IpAddress Source, int FirstPort)> blocks, PortSpan[] excluded) =>
        from block in blocks
        from port in Enumerable.Range(block.FirstPort, 256)
        where port > 0 && !excluded.Any(span => span.Contains(port))
        from d in Enumerable.Range(0, destinations.Length)
        where block.Source.IsV6 == destinations[d].Address.IsV6 && (block.Source, port) != destinations[d]
        select (block.Source, port, d);

    private static List<EndpointTuple> TakeRaw(EndpointCursor cursor, int count, long nowNanos)
    {
        var tuples = new List<EndpointTuple>();
        while (tuples.Count < count && cursor.TryTake(nowNanos, out var tuple))
            tuples.Add(tuple);
        return tuples;
    }

    private static IEnumerable<(IpAddress Source, int Port, int Destination)> Take(EndpointCursor cursor, int count, long nowNanos = 0) =>
        TakeRaw(cursor, count, nowNanos).Select(tuple => (cursor.Source(tuple).Address, cursor.Source(tuple).Port, (int)tuple.Destination));

    private static IEnumerable<(IpAddress Source, int Port, int Destination)> TakeAll(EndpointCursor cursor, long nowNanos = 0) =>
        Take(cursor, int.MaxValue, nowNanos);

    private static int Spread(List<int> counts, int of) => counts.Max() - (counts.Count < of ? 0 : counts.Min());
}
