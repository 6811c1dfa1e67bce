using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>
/// How one agent behaves, through all its attachments: what it has sent of late, held against its <see cref="AgentAllowance"/>, what may be
/// written to the log for it, and how far its samples have come. Members may be called from any thread.
/// </summary>
internal sealed class AgentConduct(CoordinatorClock clock, AgentAllowance allowance)
{
    private const double LogBurst = 10;
    private const double LogLinesPerSecond = 0.1;

    // A run that is taken up again within one second begins with a part of it that was reported before.
    private static readonly TimeSpan _overlap = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly TokenBucket _messages = new(allowance.MessageBurst, allowance.MessagesPerSecond);
    private readonly TokenBucket _samples = new(allowance.SampleBurst, allowance.SamplesPerSecond);
    private readonly TokenBucket _attaches = new(allowance.AttachBurst, allowance.AttachesPerSecond);
    private readonly TokenBucket _lines = new(LogBurst, LogLinesPerSecond);
    private (string Incarnation, string RunId, ulong Sequence, TimeSpan To) _sampled = ("", "", 0, TimeSpan.Zero);
    private long _leftOut;

    /// <summary>A message of Attach has come.</summary>
    /// <param name="bytes">Its size.</param>
    /// <returns>How long to leave the next one where it is.</returns>
    public TimeSpan CountMessage(int bytes) => Take(_messages, bytes, allowance.MessageBytes);

    /// <summary>A sample has come.</summary>
    /// <inheritdoc cref="CountMessage"/>
    public TimeSpan CountSample(int bytes) => Take(_samples, bytes, allowance.SampleBytes);

    /// <summary>It wants to attach again.</summary>
    public bool MayAttach()
    {
        lock (_lock)
            return _attaches.TryTake(clock.Nanos);
    }

    /// <summary>Whether a line about its misbehaviour may be written: nobody fills a disk with the log of what is wrong with him.</summary>
    /// <param name="leftOut">Lines that were not written since the last one that was.</param>
    public bool MayLog(out long leftOut)
    {
        lock (_lock)
        {
            leftOut = _leftOut;
            var allowed = _lines.TryTake(clock.Nanos);
            _leftOut = allowed ? 0 : _leftOut + 1;
            return allowed;
        }
    }

    /// <summary>Samples of a run follow each other: one that begins before the last one ended counts something twice.</summary>
    /// <exception cref="WireException">This one does.</exception>
    public void CheckOrder(string incarnation, string runId, ulong sequence, TimeSpan from)
    {
        lock (_lock)
        {
            var known = _sampled.Incarnation == incarnation && _sampled.RunId == runId;
            // One that could not be stored comes again.
            if (known && sequence <= _sampled.Sequence)
                return;
            if (known && from < _sampled.To - _overlap)
                throw new WireException("sample.from_millis", $"{from} lies before {_sampled.To}, the end of the sample before it");
        }
    }

    /// <summary>A sample was taken. One that was left out must not be named here: what follows it is not its fault.</summary>
    public void Sampled(string incarnation, string runId, ulong sequence, TimeSpan to)
    {
        lock (_lock)
            _sampled = (incarnation, runId, sequence, to);
    }

    private TimeSpan Take(TokenBucket bucket, int bytes, int bytesOfOne)
    {
        lock (_lock)
            return bucket.Take(clock.Nanos, Math.Max(1, (double)bytes / bytesOfOne));
    }
}
