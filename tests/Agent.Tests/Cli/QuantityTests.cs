using LoadHarness.Agent.Cli;

namespace LoadHarness.Agent.Tests.Cli;

public sealed class QuantityTests
{
    [TestCase("1", ExpectedResult = 1)]
    [TestCase("20000", ExpectedResult = 20_000)]
    [TestCase("500k", ExpectedResult = 500_000)]
    [TestCase("2M", ExpectedResult = 2_000_000)]
    [TestCase("1.5M", ExpectedResult = 1_500_000)]
    [TestCase("1000M", ExpectedResult = 1_000_000_000)]
    [TestCase("", ExpectedResult = null)]
    [TestCase("0", ExpectedResult = null)]
    [TestCase("-1", ExpectedResult = null)]
    [TestCase("1001M", ExpectedResult = null)]
    [TestCase("1.2345k", ExpectedResult = null)]
    [TestCase("1,000", ExpectedResult = null)]
    [TestCase("2m", ExpectedResult = null)]
    [TestCase("k", ExpectedResult = null)]
    [TestCase("1e3", ExpectedResult = null)]
    [TestCase("99999999999999999999999999999999", ExpectedResult = null)]
    public long? TryParseCount_AsPeopleWrite_IsExact(string text) => Quantity.TryParseCount(text, out var count) ? count : null;

    [TestCase("5000/s", ExpectedResult = 5000)]
    [TestCase("5k/s", ExpectedResult = 5000)]
    [TestCase("5k", ExpectedResult = 5000)]
    [TestCase("5k/m", ExpectedResult = null)]
    [TestCase("/s", ExpectedResult = null)]
    public long? TryParseRate_AsPeopleWrite_IsExact(string text) => Quantity.TryParseRate(text, out var rate) ? rate : null;
}
