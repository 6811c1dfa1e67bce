namespace LoadHarness.Agent.Link;

/// <summary>
/// The heartbeats of one attachment that wait for their answers: a lease is renewed, and the clock read, only by the answer to one that was
/// sent, once, with the time that it was sent with. Members may be called from any thread.
/// </summary>
internal sealed class HeartbeatLedger
{
    // An answer that comes after so many later heartbeats were sent says nothing that they do not say better.
    private const int Kept = 256;

    private readonly Lock _gate = new();
    private readonly (ulong Sequence, long SentNanos)[] _sent = new (ulong, long)[Kept];

    /// <summary>A heartbeat is about to go out.</summary>
    /// <param name="sequence">1, 2, 3, ...</param>
    /// <param name="sentNanos">CLOCK_BOOTTIME.</param>
    public void Add(ulong sequence, long sentNanos)
    {
        lock (_gate)
            _sent[sequence % Kept] = (sequence, sentNanos);
    }

    /// <summary>Takes an answer.</summary>
    /// <returns>False: no such heartbeat was sent, or it was answered before.</returns>
    public bool TryAnswer(ulong sequence, long sentNanos)
    {
        lock (_gate)
        {
            ref var sent = ref _sent[sequence % Kept];
            if (sequence == 0 || sent != (sequence, sentNanos))
                return false;
            sent = default;
            return true;
        }
    }
}
