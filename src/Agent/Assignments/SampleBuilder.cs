using System.Collections.Immutable;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Assignments;

/// <summary>
/// Merges the snapshots of all reactors, of one or several rounds, into one sample: gauges of the last round, counters,
/// failures and histograms of all. Used by one thread.
/// </summary>
internal sealed class SampleBuilder
{
    private const long SaturationLagMicros = 250_000;

    private readonly FailureTable _failures = new();
    private readonly LatencySums _latencies = new();
    private readonly Dictionary<int, long> _reactorCpuNanos = [];
    private ReactorCounters _gauges;
    private ReactorCounters _counters;
    private long _reactorCpuMaxNanos;
    private long _allocatedBytes;
    private long _processCpuMicros = ResourceUsage.ProcessCpuMicros;
    private int _reactors;
    private int _drained;
    private long _establishedMax;
    private long _drainPausedNanos;
    private long _roundPausedNanos;

    /// <summary>Connections that the last round found, in any state but closed.</summary>
    public long Held => _gauges.Connecting + _gauges.Handshaking + _gauges.Established + _gauges.Closing;

    /// <summary>Whether every reactor of the last round had drained.</summary>
    public bool Drained => _reactors == _drained;

    /// <summary>Whether a reactor of the last round wanted more tuples than it had.</summary>
    public bool EndpointSpaceExhausted { get; private set; }

    /// <summary>Connects since the start that the allow-list stopped at the last moment.</summary>
    public long NotAllowed { get; private set; }

    /// <summary>Source ports since the start that foreign sockets hold.</summary>
    public long DroppedPorts { get; private set; }

    /// <summary>One of them.</summary>
    public (IpAddress Source, int Port)? DroppedPort { get; private set; }

    /// <summary>RSS before the first connection, in bytes.</summary>
    public long BaseRssBytes { get; private set; }

    /// <summary>Why nothing is opened; told with each sample.</summary>
    public GrowthStop GrowthStop { get; set; }

    /// <summary>Tuples that rested in the last round.</summary>
    public long RestingTuples => _gauges.RestingTuples;

    /// <summary>Tuples that could be taken in the last round.</summary>
    public long FreeTuples => _gauges.FreeTuples;

    // Of all rounds since the last sample.
    private long EstablishedMax => Math.Max(_establishedMax, _gauges.EstablishedMax);

    /// <summary>Notes what the process needs without a connection.</summary>
    public void NoteBaseRss() => BaseRssBytes = RssBytes();

    /// <summary>Begins a round: its gauges replace those of the last.</summary>
    public void BeginRound()
    {
        _establishedMax = EstablishedMax;
        _drainPausedNanos += _roundPausedNanos;
        _roundPausedNanos = 0;
        _gauges = default;
        _reactors = 0;
        _drained = 0;
        _allocatedBytes = 0;
        EndpointSpaceExhausted = false;
    }

    /// <summary>Adds a filled snapshot.</summary>
    public void Add(ReactorSnapshot snapshot, int reactor)
    {
        AddGauges(snapshot.Counters);
        AddCounters(snapshot.Counters);
        snapshot.Failures.MoveTo(_failures);
        _latencies.Add(snapshot.Latencies);
        var before = _reactorCpuNanos.GetValueOrDefault(reactor);
        _reactorCpuMaxNanos = Math.Max(_reactorCpuMaxNanos, snapshot.CpuNanos - before);
        _reactorCpuNanos[reactor] = snapshot.CpuNanos;
        _allocatedBytes += snapshot.AllocatedBytes;
        _reactors++;
        _drained += snapshot.Drained ? 1 : 0;
        EndpointSpaceExhausted |= snapshot.EndpointSpaceExhausted;
        DroppedPorts += snapshot.Counters.DroppedPorts;
        DroppedPort = snapshot.DroppedPort ?? DroppedPort;
    }

    /// <summary>Counts a source address that is gone: one failure, however many connects would have been made from it.</summary>
    public void CountGoneSource()
    {
        _counters.Scheduled++;
        _counters.Offered++;
        _counters.Failed++;
        _failures.Add(FailureStage.SourceBind, FailureCause.AddressGone, Errno.EADDRNOTAVAIL);
    }

    /// <summary>Builds the sample and begins the next interval.</summary>
    /// <param name="runId">The run.</param>
    /// <param name="fromMillis">Elapsed at the start of the interval.</param>
    /// <param name="toMillis">Elapsed at its end.</param>
    /// <param name="expectGreeting">Whether confirmed connections are told apart.</param>
    public AgentSample Build(string runId, long fromMillis, long toMillis, bool expectGreeting)
    {
        var sample = new AgentSample
        {
            RunId = runId,
            FromMillis = fromMillis,
            ToMillis = toMillis,
            Counts = BuildCounts(expectGreeting),
            Failures = BuildFailures(),
            Histograms = _latencies.Take(),
            Health = BuildHealth(),
        };
        _counters = default;
        _establishedMax = 0;
        _drainPausedNanos = 0;
        _roundPausedNanos = 0;
        _gauges.EstablishedMax = _gauges.Established;
        _failures.Clear();
        _reactorCpuMaxNanos = 0;
        return sample;
    }

    private static long RssBytes()
    {
        var fields = File.ReadAllText("/proc/self/statm").Split(' ');
        return long.Parse(fields[1]) * Environment.SystemPageSize;
    }

    private void AddGauges(in ReactorCounters counters)
    {
        _gauges.Goal += counters.Goal;
        _gauges.Connecting += counters.Connecting;
        _gauges.Handshaking += counters.Handshaking;
        _gauges.RequestsInFlight += counters.RequestsInFlight;
        _gauges.RequestsWaiting += counters.RequestsWaiting;
        _gauges.Established += counters.Established;
        _gauges.Confirmed += counters.Confirmed;
        _gauges.Closing += counters.Closing;
        _gauges.RestingTuples += counters.RestingTuples;
        _gauges.FreeTuples += counters.FreeTuples;
        _gauges.EstablishedMax += counters.EstablishedMax;
    }

    private void AddCounters(in ReactorCounters counters)
    {
        _counters.Scheduled += counters.Scheduled;
        _counters.Offered += counters.Offered;
        _counters.Opened += counters.Opened;
        _counters.Failed += counters.Failed;
        _counters.NotOffered += counters.NotOffered;
        _counters.Late += counters.Late;
        _counters.Reopened += counters.Reopened;
        _counters.ClosedByPeer += counters.ClosedByPeer;
        _counters.Closed += counters.Closed;
        _counters.Aborted += counters.Aborted;
        // Reactors stand still side by side: the longest time of a round is the agent's.
        _roundPausedNanos = Math.Max(_roundPausedNanos, counters.DrainPausedNanos);
        _counters.StormClosed += counters.StormClosed;
        _counters.StormOpened += counters.StormOpened;
        _counters.SkippedTuples += counters.SkippedTuples;
        _counters.DroppedPorts += counters.DroppedPorts;
        _counters.BytesReceived += counters.BytesReceived;
        _counters.BytesSent += counters.BytesSent;
        _counters.Resumed += counters.Resumed;
        _counters.RequestsScheduled += counters.RequestsScheduled;
        _counters.RequestsOffered += counters.RequestsOffered;
        _counters.RequestsCompleted += counters.RequestsCompleted;
        _counters.RequestsFailed += counters.RequestsFailed;
        _counters.RequestsNotOffered += counters.RequestsNotOffered;
        _counters.LagMaxNanos = Math.Max(_counters.LagMaxNanos, counters.LagMaxNanos);
    }

    private Counts BuildCounts(bool expectGreeting) => new()
    {
        Goal = _gauges.Goal,
        Connecting = _gauges.Connecting,
        Handshaking = _gauges.Handshaking,
        RequestsInFlight = _gauges.RequestsInFlight,
        RequestsWaiting = _gauges.RequestsWaiting,
        Established = _gauges.Established,
        Confirmed = expectGreeting ? _gauges.Confirmed : null,
        Closing = _gauges.Closing,
        RestingTuples = _gauges.RestingTuples,
        FreeTuples = _gauges.FreeTuples,
        EstablishedMax = EstablishedMax,
        Scheduled = _counters.Scheduled,
        Offered = _counters.Offered,
        Opened = _counters.Opened,
        Failed = _counters.Failed,
        NotOffered = _counters.NotOffered,
        Reopened = _counters.Reopened,
        ClosedByPeer = _counters.ClosedByPeer,
        Closed = _counters.Closed,
        Aborted = _counters.Aborted,
        DrainPausedMillis = (_drainPausedNanos + _roundPausedNanos) / 1_000_000,
        StormClosed = _counters.StormClosed,
        StormOpened = _counters.StormOpened,
        SkippedTuples = _counters.SkippedTuples,
        DroppedPorts = _counters.DroppedPorts,
        BytesReceived = _counters.BytesReceived,
        BytesSent = _counters.BytesSent,
        Resumed = _counters.Resumed,
        RequestsScheduled = _counters.RequestsScheduled,
        RequestsOffered = _counters.RequestsOffered,
        RequestsCompleted = _counters.RequestsCompleted,
        RequestsFailed = _counters.RequestsFailed,
        RequestsNotOffered = _counters.RequestsNotOffered,
    };

    private ImmutableArray<FailureTally> BuildFailures()
    {
        var tallies = ImmutableArray.CreateBuilder<FailureTally>(_failures.Count);
        for (var i = 0; i < _failures.Count; i++)
        {
            var entry = _failures[i];
            NotAllowed += entry.Cause == FailureCause.NotAllowed ? entry.Total : 0;
            tallies.Add(new(entry.Stage, FailureClassifier.PartyOf(entry.Cause), entry.Cause, entry.Errno, entry.Total));
        }

        return tallies.MoveToImmutable();
    }

    private Health BuildHealth()
    {
        var cpu = ResourceUsage.ProcessCpuMicros;
        var used = cpu - _processCpuMicros;
        _processCpuMicros = cpu;
        var lag = _counters.LagMaxNanos / 1000;
        return new Health
        {
            ReactorLagMaxMicros = lag,
            CpuMicros = used,
            ReactorCpuMaxMicros = _reactorCpuMaxNanos / 1000,
            RssBytes = RssBytes(),
            BaseRssBytes = BaseRssBytes,
            GrowthStop = GrowthStop,
            // What the endpoint space could not give is no fault of this host's speed.
            Saturated = lag > SaturationLagMicros || _counters.Late > 0,
            Reactors = _reactors,
            ReactorAllocatedBytes = _allocatedBytes,
        };
    }
}
