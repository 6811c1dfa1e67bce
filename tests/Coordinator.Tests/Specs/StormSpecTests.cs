using CsCheck;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Specs;

public class StormSpecTests
{
    [Test]
    public void Read_NothingGiven_HasItsDefaults() =>
        Assert.That(StormSpec.Read(new(null, null, null), []), Is.EqualTo(new StormSpec(0.1, TimeSpan.FromSeconds(1), CloseMethod.Fin)));

    [TestCase("25%", "500ms", "RST", 0.25, 0.5, CloseMethod.Rst)]
    [TestCase("100 %", "0s", "fin", 1, 0, CloseMethod.Fin)]
    [TestCase("0.5%", "10m", "rst", 0.005, 600, CloseMethod.Rst)]
    public void Read_GoodTexts_AreWhatTheySay(string fraction, string within, string close, double part, double seconds, CloseMethod method) =>
        Assert.That(StormSpec.Read(new(fraction, within, close), []), Is.EqualTo(new StormSpec(part, TimeSpan.FromSeconds(seconds), method)));

    [Test]
    public void Read_AllWrong_SaysAllAtOnceWithFieldValueAndWhatIsAllowed()
    {
        var errors = new List<SpecError>();
        Assert.That(StormSpec.Read(new("110%", "11m", "maybe"), errors), Is.Null);
        Assert.That(errors.Select(e => e.Message), Is.EqualTo(new[]
        {
            "--fraction 110%: is more than all of them; allowed: above 0% to 100%, as in 10% or 2.5%. Write it as 10%.",
            "--within 11m: is too long; allowed: 0s to 10m. Write --within 60s.",
            "--close maybe: is unknown; allowed: fin or rst. Write --close fin or --close rst.",
        }));
    }

    [TestCase(0)]
    [TestCase(-0.5)]
    [TestCase(1.01)]
    [TestCase(double.NaN)]
    [TestCase(double.PositiveInfinity)]
    [TestCase(1e-12)]
    public void Read_FractionThatIsNone_IsRefused(double fraction)
    {
        var errors = new List<SpecError>();
        Assert.That(StormSpec.Read(new(fraction, TimeSpan.Zero, null), errors), Is.Null);
        Assert.That(errors.Single().Field, Is.EqualTo("--fraction"));
    }

    [TestCase("10", "has no percent sign")]
    [TestCase("0%", "is zero")]
    [TestCase("-1%", "is negative")]
    [TestCase("%", "is no percentage")]
    [TestCase("5%%", "is no percentage")]
    [TestCase("1e1%", "is no percentage")]
    [TestCase("", "is empty")]
    public void Parse_NoPercentage_SaysWhy(string text, string why) => Assert.That(PercentText.Parse(text).Problem!.Problem, Is.EqualTo(why));

    [Test]
    public void Parse_HostileText_NeverThrows() => HostileText.Any.Sample(text => PercentText.Parse(text).Ok || PercentText.Parse(text).Problem is not null);
}
