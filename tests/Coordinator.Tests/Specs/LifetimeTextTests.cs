using CsCheck;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Specs;

public class LifetimeTextTests
{
    [TestCase("10s", LifetimeSpread.Fixed, 10, 10, 10)]
    [TestCase(" 5s - 15s ", LifetimeSpread.Uniform, 5, 15, 10)]
    [TestCase("exp:1m", LifetimeSpread.Exponential, 60, 60, 60)]
    [TestCase("EXP: 1m ", LifetimeSpread.Exponential, 60, 60, 60)]
    [TestCase("24d", LifetimeSpread.Fixed, 2_073_600, 2_073_600, 2_073_600)]
    public void Parse_WellFormed_IsRead(string text, LifetimeSpread spread, double length, double longest, double mean)
    {
        var life = LifetimeText.Parse(text).Value;
        Assert.That((life.Spread, life.Length.TotalSeconds, life.Longest.TotalSeconds, life.Mean.TotalSeconds), Is.EqualTo((spread, length, longest, mean)));
    }

    [TestCase("", "is empty")]
    [TestCase("10", "has no unit")]
    [TestCase("0s", "is zero")]
    [TestCase("0.5ms", "is too short")]
    [TestCase("25d", "is too long")]
    [TestCase("1s-25d", "is too long")]
    [TestCase("5s-2s", "runs backwards")]
    [TestCase("-5s", "is negative")]
    [TestCase("5s-", "is empty")]
    [TestCase("1s-2s-3s", "is not a duration")]
    [TestCase("exp:", "is empty")]
    [TestCase("exp:5s-6s", "is not a duration")]
    [TestCase("normal:5s", "is not a duration")]
    public void Parse_Malformed_SaysWhyWhatIsAllowedAndWhatToDo(string text, string problem)
    {
        var wrong = LifetimeText.Parse(text).Problem!;
        Assert.That(wrong.Problem, Does.StartWith(problem));
        Assert.That(wrong.Allowed, Does.StartWith("a time up to 24d").And.Contain("exp:10s"));
        Assert.That(wrong.Remedy, Is.Not.Empty);
    }

    [Test]
    public void Format_AnyLife_ReadsBack() => SpecGenerators.Lives.Sample(life => LifetimeText.Parse(LifetimeText.Format(life)).Value == life);

    [Test]
    public void Parse_HostileText_NeverThrows() => HostileText.Any.Sample(
        text => LifetimeText.Parse(text) is not { Ok: true, Value: var life } || (life.Length >= TimeSpan.FromMilliseconds(1) && life.Longest <= LifetimeText.Longest), iter: 5000);
}
