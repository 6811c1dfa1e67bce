using CsCheck;
using LoadHarness.Agent.Engine;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Engine;

public sealed class EndpointWeightsTests
{
    private static readonly TimeSpan _rest = TimeSpan.FromSeconds(60);
    private static readonly Gen<int[]> _weights = Gen.Int[1, 1000].Array[2, 8];

    [Test]
    public void TryTake_AnyWeights_GivesEveryTupleExactlyOnce() =>
        Gen.Select(_weights, Gen.Int[1, 3], Gen.Int[0, 2]).Sample(
            (weights, blocks, later) =>
            {
                using var cursor = Cursor(weights);
                cursor.Add(Blocks(0, blocks));
                var taken = TakeAll(cursor);
                cursor.Add(Blocks(blocks, later));
                taken.AddRange(TakeAll(cursor));
                return taken.Distinct().Count() == taken.Count && taken.Count == weights.Length * 256 * (blocks + later) && cursor.Free == 0;
            },
            iter: 40);

    [Test]
    public void TryTake_AnyWeightsAtAnyLevel_FillsInProportion() =>
        Gen.Select(_weights, Gen.Int[1, 600]).Sample(
            (weights, tuples) =>
            {
                using var cursor = Cursor(weights);
                cursor.Add(Blocks(0, 4));
                var counts = new int[weights.Length];
                for (var i = 0; i < tuples && cursor.TryTake(0, out var tuple); i++)
                    counts[tuple.Destination]++;
                return weights.Index().All(w => Math.Abs(counts[w.Index] - ((double)tuples * w.Item / weights.Sum())) <= 1 + (weights.Length / 2));
            },
            iter: 100);

    [Test]
    public void TryTake_OneDestinationRunsOut_TheOthersGoOn()
    {
        using var cursor = Cursor([1000, 1]);
        cursor.Add(Blocks(0, 1));

        var counts = TakeAll(cursor).CountBy(t => t.Destination).ToDictionary();

        Assert.That(counts, Is.EqualTo(new Dictionary<ushort, int> { [0] = 256, [1] = 256 }));
    }

    [Test]
    public void TryTake_HundredsOfWeightedDestinations_SpreadsThemOverTheUnits()
    {
        using var cursor = Cursor([.. Enumerable.Range(0, 1280).Select(i => 1 + (i % 2))]);
        cursor.Add(Blocks(0, 4));
        var perUnit = Enumerable.Range(0, 20_000).Select(_ => cursor.TryTake(0, out var tuple) ? tuple.Unit : -1).CountBy(u => u).Max(u => u.Value);

        // bind() is linear in the sockets on one unit: a group of 128 or two, not all 1,280.
        Assert.That(perUnit, Is.LessThanOrEqualTo(256));
    }

    [Test]
    public void TryTake_EqualWeights_GoesAsWithoutWeights()
    {
        using var weighted = Cursor([5, 5, 5]);
        using var plain = new EndpointCursor(Destinations(3), [], _rest);
        weighted.Add(Blocks(0, 2));
        plain.Add(Blocks(0, 2));

        Assert.That(TakeAll(weighted), Is.EqualTo(TakeAll(plain)));
    }

    private static EndpointCursor Cursor(int[] weights) => new(Destinations(weights.Length), [], _rest, weights);

    private static (IpAddress, int)[] Destinations(int count) => [.. Enumerable.Range(0, count).Select(i => (Address(200), 9000 + i))];

    private static List<(IpAddress, int)> Blocks(int from, int count) => [.. Enumerable.Range(from, count).Select(i => (Address(i), 1024))];

    private static IpAddress Address(int last) => new(false, 0x7F_00_00_01u + (UInt128)last);

    private static List<EndpointTuple> TakeAll(EndpointCursor cursor)
    {
        var tuples = new List<EndpointTuple>();
        while (cursor.TryTake(0, out var tuple))
            tuples.Add(tuple);
        return tuples;
    }
}
