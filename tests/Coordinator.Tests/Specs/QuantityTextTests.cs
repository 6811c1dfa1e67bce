using CsCheck;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Tests.Specs;

public class QuantityTextTests
{
    [TestCase("0", 0)]
    [TestCase("50000", 50_000)]
    [TestCase("500k", 500_000)]
    [TestCase("500K", 500_000)]
    [TestCase("2M", 2_000_000)]
    [TestCase("2m", 2_000_000)]
    [TestCase("1.5M", 1_500_000)]
    [TestCase("1_000_000", 1_000_000)]
    [TestCase("1,000,000", 1_000_000)]
    [TestCase(" 7 ", 7)]
    [TestCase("0.5k", 500)]
    public void Count_WellFormed_IsRead(string text, long expected) =>
        Assert.That(CountText.Parse(text).Value, Is.EqualTo(expected));

    [TestCase("-5", "is negative")]
    [TestCase("5X", "'X' is no suffix")]
    [TestCase("", "is empty")]
    [TestCase("1.5", "is not a whole number")]
    [TestCase("1,5", "is not a number")]
    [TestCase("1e6", "is not a number")]
    [TestCase("0x10", "is not a number")]
    [TestCase("\u0661", "is not a number")]
    [TestCase("9999999999999999999999", "is too large")]
    [TestCase("999999999999G", "is too large")]
    [TestCase("50\n", "")]
    public void Count_Malformed_SaysWhy(string text, string problem)
    {
        var parsed = CountText.Parse(text);
        if (problem.Length == 0)
            Assert.That(parsed.Value, Is.EqualTo(50));
        else
            Assert.That(parsed.Problem!.Problem, Does.Contain(problem));
    }

    [TestCase("10m", 600)]
    [TestCase("1h30m", 5400)]
    [TestCase("90s", 90)]
    [TestCase("500ms", 0.5)]
    [TestCase("1.5s", 1.5)]
    [TestCase("2d", 172_800)]
    [TestCase("0s", 0)]
    public void Duration_WellFormed_IsRead(string text, double seconds) =>
        Assert.That(DurationText.Parse(text).Value, Is.EqualTo(TimeSpan.FromSeconds(seconds)));

    [TestCase("-10s", "is negative")]
    [TestCase("10", "has no unit")]
    [TestCase("10m5", "is not a duration")]
    [TestCase("30m1h", "out of order")]
    [TestCase("1s1s", "twice")]
    [TestCase("5y", "unknown unit 'y'")]
    [TestCase("s", "is not a duration")]
    [TestCase("1.2.3s", "is not a duration")]
    [TestCase("400d", "is too long")]
    [TestCase("99999999999999999999999999d", "is too long")]
    public void Duration_Malformed_SaysWhy(string text, string problem) =>
        Assert.That(DurationText.Parse(text).Problem!.Problem, Does.Contain(problem));

    [Test]
    public void Duration_BareNumber_SuggestsSeconds() =>
        Assert.That(DurationText.Parse("60").Problem!.Remedy, Does.Contain("60s"));

    [TestCase("5000/s", 5000)]
    [TestCase("10k/s", 10_000)]
    [TestCase("5000", 5000)]
    [TestCase("0.5/s", 0.5)]
    [TestCase("300/min", 5)]
    public void Rate_WellFormed_IsRead(string text, double perSecond) =>
        Assert.That(RateText.Parse(text).Value, Is.EqualTo(perSecond));

    [TestCase("5/parsec", "unknown unit")]
    [TestCase("/s", "is empty")]
    [TestCase("-1/s", "is negative")]
    [TestCase("NaN", "is not a number")]
    public void Rate_Malformed_SaysWhy(string text, string problem) =>
        Assert.That(RateText.Parse(text).Problem!.Problem, Does.Contain(problem));

    [Test]
    public void Count_Formatted_ReadsBack() =>
        Gen.Long[0, CountText.Largest].Sample(count => CountText.Parse(CountText.Format(count)).Value == count);

    [Test]
    public void Duration_Formatted_ReadsBack() =>
        Gen.Long[0, DurationText.Longest.Ticks].Select(TimeSpan.FromTicks)
            .Sample(duration => DurationText.Parse(DurationText.Format(duration)).Value == duration);

    [Test]
    public void Rate_FormattedWhole_ReadsBack() =>
        Gen.Int[0, 10_000_000].Sample(rate => RateText.Parse(RateText.Format(rate)).Value == rate);
}
