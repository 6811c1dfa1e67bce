using LoadHarness.Coordinator.Cli;

namespace LoadHarness.Coordinator.Tests.Cli;

public class LastingWriterTests
{
    [Test]
    public void Write_TerminalIsGone_GoesOnQuietly()
    {
        var broken = new BreakingWriter(lines: 1);
        var writer = new LastingWriter(broken);
        writer.WriteLine("first");
        Assert.That(() => writer.WriteLine("second"), Throws.Nothing);
        writer.WriteLine("third");
        Assert.That(broken.ToString(), Is.EqualTo("first\n"));
        Assert.That(broken.Attempts, Is.EqualTo(2), "a terminal that is gone is not tried again");
    }

    private sealed class BreakingWriter(int lines) : StringWriter
    {
        public int Attempts { get; private set; }

        public override void WriteLine(string? value)
        {
            if (++Attempts > lines)
                throw new IOException("Input/output error");
            base.WriteLine(value);
        }
    }
}
