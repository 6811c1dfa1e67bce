using System.Text;

namespace LoadHarness.Coordinator.Cli;

/// <summary>
/// Goes on when the terminal or the pipe behind it is gone: a lost terminal must not stop the drain of a run half way.
/// </summary>
/// <param name="inner">What is written to as long as it takes anything.</param>
public sealed class LastingWriter(TextWriter inner) : TextWriter
{
    private volatile bool _gone;

    /// <inheritdoc/>
    public override Encoding Encoding => inner.Encoding;

    /// <inheritdoc/>
    public override void Write(char value) => Try(() => inner.Write(value));

    /// <inheritdoc/>
    public override void Write(char[] buffer, int index, int count) => Try(() => inner.Write(buffer, index, count));

    /// <inheritdoc/>
    public override void Write(string? value) => Try(() => inner.Write(value));

    /// <inheritdoc/>
    public override void WriteLine(string? value) => Try(() => inner.WriteLine(value));

    /// <inheritdoc/>
    public override void Flush() => Try(inner.Flush);

    private void Try(Action write)
    {
        if (_gone)
            return;
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            _gone = true;
        }
    }
}
