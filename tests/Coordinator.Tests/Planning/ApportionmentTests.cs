using CsCheck;
using LoadHarness.Coordinator.Planning;

namespace LoadHarness.Coordinator.Tests.Planning;

public class ApportionmentTests
{
    private static readonly Gen<long[]> _weights = Gen.Long[0, 1_000_000].Array[1, 30];

    private static readonly Gen<(long Total, long[] Weights, long[] Capacities)> _bounded =
        Gen.Long[0, 1_000].Select(Gen.Long[0, 100_000]).Array[1, 20].SelectMany(parts =>
        {
            var capacities = parts.Select(p => p.Item2).ToArray();
            return Gen.Long[0, capacities.Sum()].Select(total => (total, parts.Select(p => p.Item1).ToArray(), capacities));
        });

    [TestCase(10, new long[] { 1, 1, 1 }, new long[] { 4, 3, 3 })]
    [TestCase(0, new long[] { 1, 2 }, new long[] { 0, 0 })]
    [TestCase(7, new long[] { 0, 0 }, new long[] { 4, 3 })]
    [TestCase(50_000, new long[] { 2, 4 }, new long[] { 16_667, 33_333 })]
    public void Split_Examples_AreExact(long total, long[] weights, long[] expected) =>
        Assert.That(Apportionment.Split(total, weights), Is.EqualTo(expected));

    [Test]
    public void Split_Any_SumsToTheTotal() =>
        Gen.Long[0, 100_000_000].Select(_weights).Sample((total, weights) => Apportionment.Split(total, weights).Sum() == total);

    [Test]
    public void Split_Any_StaysWithinOneOfTheQuota() =>
        Gen.Long[0, 100_000_000].Select(_weights.Where(w => w.Sum() > 0)).Sample((total, weights) =>
            Apportionment.Split(total, weights).Zip(weights).All(part =>
            {
                var quota = (Int128)total * part.Second / weights.Sum();
                return part.First == quota || part.First == quota + 1;
            }));

    [Test]
    public void Split_Any_NeverGivesTheGreaterWeightLess() =>
        Gen.Long[0, 1_000_000].Select(_weights).Sample((total, weights) =>
        {
            var ordered = weights.OrderDescending().ToArray();
            var parts = Apportionment.Split(total, ordered);
            return parts.Zip(parts.Skip(1)).All(pair => pair.First >= pair.Second);
        });

    [Test]
    public void Split_Permuted_GivesTheSamePartsPermuted() =>
        Gen.Long[0, 1_000_000].Select(_weights).Sample((total, weights) =>
        {
            if (HasTies(total, weights))
                return true;
            var forward = Apportionment.Split(total, weights).Zip(weights).OrderBy(p => p.Second).ThenBy(p => p.First);
            var reversed = weights.Reverse().ToArray();
            var backward = Apportionment.Split(total, reversed).Zip(reversed).OrderBy(p => p.Second).ThenBy(p => p.First);
            return forward.SequenceEqual(backward);
        });

    // Of different weights with the same remainder the one that comes first gets more.
    private static bool HasTies(long total, long[] weights)
    {
        var sum = Math.Max(1, weights.Sum());
        return weights.Distinct().GroupBy(w => (Int128)total * w % sum).Any(g => g.Key > 0 && g.Count() > 1);
    }

    [Test]
    public void Split_Bounded_SumsAndStaysWithinCapacities() =>
        _bounded.Sample(c =>
        {
            var parts = Apportionment.Split(c.Total, c.Weights, c.Capacities);
            return parts.Sum() == c.Total && parts.Zip(c.Capacities).All(p => p.First >= 0 && p.First <= p.Second);
        });

    [Test]
    public void Split_BoundedByNothing_EqualsUnbounded() =>
        Gen.Long[0, 1_000_000].Select(_weights).Sample((total, weights) =>
            Apportionment.Split(total, weights, [.. weights.Select(_ => total)]).SequenceEqual(Apportionment.Split(total, weights)));

    [Test]
    public void Split_OnePartIsFull_OthersShareTheRestByWeight() =>
        Assert.That(Apportionment.Split(100, [1, 1, 2], [10, 1000, 1000]), Is.EqualTo(new long[] { 10, 30, 60 }));

    [Test]
    public void Split_MoreThanCapacities_Throws() =>
        Assert.That(() => Apportionment.Split(11, [1, 1], [5, 5]), Throws.ArgumentException);

    [Test]
    public void Split_HugeNumbers_DoNotOverflow() =>
        Assert.That(Apportionment.Split(long.MaxValue, [long.MaxValue, long.MaxValue]).Sum(), Is.EqualTo(long.MaxValue));
}
