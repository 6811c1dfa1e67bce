using CsCheck;
using LoadHarness.Agent.Workloads;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Workloads;

public sealed class LifetimeTests
{
    private static readonly TimeSpan _length = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(30);

    [Test]
    public void Draw_Uniform_LiesBetweenItsEnds() =>
        Gen.Double[0, 0.999999999].Sample(chance =>
            new Lifetime(LifetimeSpread.Uniform, _length, _longest).Draw(chance) is var life && life >= _length && life <= _longest);

    [TestCase(LifetimeSpread.Fixed, 10)]
    [TestCase(LifetimeSpread.Uniform, 20)]
    [TestCase(LifetimeSpread.Exponential, 10)]
    public void Draw_Evenly_ComesToTheMean(LifetimeSpread spread, double seconds)
    {
        var lifetime = new Lifetime(spread, _length, _longest);

        var mean = Enumerable.Range(0, 100_000).Average(i => lifetime.Draw((i + 0.5) / 100_000).TotalSeconds);

        Assert.That(mean, Is.EqualTo(seconds).Within(0.001).Percent.Or.EqualTo(seconds).Within(0.001));
        Assert.That(lifetime.Mean.TotalSeconds, Is.EqualTo(seconds));
    }

    [Test]
    public void Draw_OfTheTailOfAnExponential_EndsWhereADeadlineCan() =>
        Assert.That(new Lifetime(LifetimeSpread.Exponential, TimeSpan.FromDays(20), default).Draw(1 - 1e-12), Is.EqualTo(Lifetime.Most));
}
