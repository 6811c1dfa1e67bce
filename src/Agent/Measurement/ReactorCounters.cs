namespace LoadHarness.Agent.Measurement;

/// <summary>Gauges and counters of one reactor; see sample.proto for each. Written by its thread alone.</summary>
public struct ReactorCounters
{
    // Gauges.
    public long Goal;
    public long Connecting;
    public long Handshaking;
    public long Established;
    public long Confirmed;
    public long Closing;
    public long RestingTuples;
    public long FreeTuples;
    public long RequestsInFlight;
    public long RequestsWaiting;

    // Since the last snapshot.
    public long EstablishedMax;
    public long Scheduled;
    public long Offered;
    public long Opened;
    public long Failed;
    public long NotOffered;

    /// <summary>Of <see cref="NotOffered"/>: this thread came too late.</summary>
    public long Late;
    public long Reopened;
    public long ClosedByPeer;
    public long Closed;
    public long Aborted;
    public long DrainPausedNanos;
    public long StormClosed;
    public long StormOpened;
    public long SkippedTuples;
    public long DroppedPorts;
    public long BytesReceived;
    public long BytesSent;
    public long Resumed;

    /// <summary>Requests that a backend has answered.</summary>
    public long Requests;
    public long RequestsScheduled;
    public long RequestsOffered;
    public long RequestsCompleted;
    public long RequestsFailed;
    public long RequestsNotOffered;
    public long LagMaxNanos;

    /// <summary>Starts the next interval: gauges stay, the rest begins anew.</summary>
    public void Restart()
    {
        this = new ReactorCounters
        {
            Goal = Goal,
            Connecting = Connecting,
            Handshaking = Handshaking,
            Established = Established,
            Confirmed = Confirmed,
            Closing = Closing,
            RestingTuples = RestingTuples,
            FreeTuples = FreeTuples,
            RequestsInFlight = RequestsInFlight,
            RequestsWaiting = RequestsWaiting,
            EstablishedMax = Established,
        };
    }
}
