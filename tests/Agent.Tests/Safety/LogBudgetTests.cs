using CsCheck;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Tests.Safety;

public sealed class LogBudgetTests
{
    private const long Second = 1_000_000_000;

    [Test]
    public void TryTake_AFlood_IsAFewLinesAndOneThatSaysHowManyWereLeftOut()
    {
        var budget = new LogBudget();

        var written = Enumerable.Range(0, 1000).Count(_ => budget.TryTake(0, out var leftOut));

        Assert.That(written, Is.EqualTo(10));
        Assert.That(budget.TryTake(11 * Second, out var since), Is.True);
        Assert.That(since, Is.EqualTo(990));
    }

    [Test]
    public void TokenBucket_AnyTimes_LetsThroughNoMoreThanBurstAndRate() =>
        Gen.Select(Gen.Int[1, 50], Gen.Double[0.1, 1000], Gen.Long[0, 10 * Second].Array[1, 300]).Sample((burst, rate, pauses) =>
        {
            var bucket = new TokenBucket(burst, rate);
            var (now, taken) = (0L, 0);
            foreach (var pause in pauses)
            {
                now += pause / 100;
                taken += bucket.TryTake(now) ? 1 : 0;
            }

            Assert.That(taken, Is.LessThanOrEqualTo(burst + (rate * now / Second) + 1e-6));
            Assert.That(taken, Is.Positive);
        });

    [Test]
    public void TokenBucket_TakenInAdvance_SaysHowLongToWait()
    {
        var bucket = new TokenBucket(2, 10);

        Assert.Multiple(() =>
        {
            Assert.That(bucket.Take(0), Is.EqualTo(TimeSpan.Zero));
            Assert.That(bucket.Take(0), Is.EqualTo(TimeSpan.Zero));
            Assert.That(bucket.Take(0).TotalSeconds, Is.EqualTo(0.1).Within(1e-9));
            Assert.That(bucket.Take(-5 * Second).TotalSeconds, Is.EqualTo(0.2).Within(1e-9), "a clock that goes back gives nothing");
            Assert.That(bucket.Take(Second), Is.EqualTo(TimeSpan.Zero));
        });
    }
}
