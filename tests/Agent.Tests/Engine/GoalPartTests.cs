using CsCheck;
using LoadHarness.Agent.Engine;

namespace LoadHarness.Agent.Tests.Engine;

public sealed class GoalPartTests
{
    private static readonly Gen<long[]> _counts = Gen.Long[0, 20_000].Array[1, 16];

    [Test]
    public void Of_AllPartsOfOneWhole_SumToTheNumber() =>
        Gen.Select(_counts.Where(c => c.Sum() > 0), Gen.Long[0, 1_000_000_000]).Sample((counts, number) =>
            GoalPart.SideBySide(counts).Sum(part => part.Of(number)) == number);

    [Test]
    public void Of_TheWhole_IsEachPartsCount() =>
        _counts.Sample(counts => GoalPart.SideBySide(counts).Select(part => part.Of(counts.Sum())).SequenceEqual(counts));

    [Test]
    public void Of_RisingNumber_NeverFallsByMoreThanOneAndStaysWithinOneOfTheQuota() =>
        Gen.Select(_counts.Where(c => c.Sum() > 0), Gen.Long[0, 100_000]).Sample((counts, number) =>
            GoalPart.SideBySide(counts).All(part =>
            {
                var quota = (double)number * part.Count / part.Total;
                return part.Of(number) >= 0 && Math.Abs(part.Of(number) - quota) <= 1 && part.Of(number + 1) >= part.Of(number) - 1;
            }));

    [Test]
    public void Of_NoWhole_IsNothing() => Assert.That(GoalPart.SideBySide([0, 0])[1].Of(100), Is.Zero);

    [Test]
    public void Of_LargestNumbers_DoesNotOverflow()
    {
        var parts = GoalPart.SideBySide([long.MaxValue / 2, long.MaxValue / 2]);

        Assert.That(parts.Sum(p => p.Of(1_000_000_007)), Is.EqualTo(1_000_000_007));
    }

    [Test]
    public void Spread_AnyCapacities_SumsAndStaysWithinThem() =>
        Gen.Select(Gen.Long[0, 400_000], _counts).Sample((number, capacities) =>
        {
            var counts = GoalPart.Spread(number, capacities);
            return counts.Sum() == Math.Min(number, capacities.Sum()) && counts.Zip(capacities).All(c => c.First >= 0 && c.First <= c.Second);
        });

    [Test]
    public void Spread_AnyCapacities_IsAsEvenAsTheyAllow() =>
        Gen.Select(Gen.Long[0, 400_000], _counts).Sample((number, capacities) =>
        {
            var counts = GoalPart.Spread(number, capacities);
            var notFull = counts.Where((count, i) => count < capacities[i]).ToList();
            // Who is not full has as much as anybody, give or take the remainder of the division.
            return notFull.Count == 0 || (notFull.Max() - notFull.Min() <= 1 && counts.All(count => count <= notFull.Min() + 1));
        });
}
