using LoadHarness.Coordinator.Cli;

namespace LoadHarness.Coordinator.Tests.Cli;

public class TerminalStyleTests
{
    [TestCase(true, "xterm", null, false, false)]
    [TestCase(false, "dumb", null, false, false)]
    [TestCase(false, null, null, false, false)]
    [TestCase(false, "xterm", "1", true, false)]
    [TestCase(false, "xterm", "", true, true)]
    [TestCase(false, "screen-256color", null, true, true)]
    public void Of_Conventions_AreKept(bool redirected, string? term, string? noColor, bool live, bool colour) =>
        Assert.That(TerminalStyle.Of(redirected, term, noColor), Is.EqualTo(new TerminalStyle(live, colour)));
}
