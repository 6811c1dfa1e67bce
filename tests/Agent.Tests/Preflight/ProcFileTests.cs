using LoadHarness.Agent.Preflight;

namespace LoadHarness.Agent.Tests.Preflight;

public class ProcFileTests
{
    [TestCase("", ExpectedResult = "")]
    [TestCase("8080", ExpectedResult = "8080")]
    [TestCase("8080,9000-9010\n", ExpectedResult = "8080 9000-9010")]
    [TestCase("0-5", ExpectedResult = "1-5")]
    [TestCase("65535", ExpectedResult = "65535")]
    [TestCase("65536", ExpectedResult = "")]
    [TestCase("9-8", ExpectedResult = "")]
    [TestCase("x,1-y,-", ExpectedResult = "")]
    public string ParsePortList_Text_GivesTheSpansThatAreThere(string text) => string.Join(' ', ProcFile.ParsePortList(text));

    [TestCase("123", ExpectedResult = 123L)]
    [TestCase("9223372036854775807", ExpectedResult = long.MaxValue)]
    [TestCase("18446744073709551615", ExpectedResult = long.MaxValue)]
    [TestCase("-1", ExpectedResult = null)]
    [TestCase("", ExpectedResult = null)]
    public long? ParseNumber_Text_GivesTheNumberOrNone(string text) => ProcFile.ParseNumber(text);

    [Test]
    public void ParseMeminfo_Line_GivesBytes()
    {
        const string text = "MemTotal:       24632680 kB\nMemFree:        19000000 kB\n";

        Assert.That(ProcFile.ParseMeminfo(text, "MemFree"), Is.EqualTo(19_000_000L * 1024));
        Assert.That(ProcFile.ParseMeminfo(text, "Missing"), Is.Null);
    }

    [Test]
    public void ReadText_NoSuchFile_GivesNothing()
    {
        Assert.That(ProcFile.ReadText("/proc/sys/net/no-such-thing"), Is.Null);
        Assert.That(ProcFile.ReadNumber("/proc/sys/net/no-such-thing"), Is.Null);
        Assert.That(ProcFile.ReadPortRange("/proc/sys/net/no-such-thing"), Is.Null);
    }
}
