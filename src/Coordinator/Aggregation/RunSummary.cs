using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>
/// The result of a run, schema <c>loadharness/summary/v1</c>: the names of its JSON properties are stable. Times are in seconds,
/// latencies in milliseconds. A value that was not measured is null, never zero.
/// </summary>
public sealed record RunSummary
{
    /// <summary>The name of this schema.</summary>
    public const string SchemaName = "loadharness/summary/v1";

    /// <summary>Always <see cref="SchemaName"/>.</summary>
    [JsonPropertyOrder(-1)]
    public string Schema { get; init; } = SchemaName;

    public required RunFacts Run { get; init; }
    public required TargetFacts Target { get; init; }
    public required ResultFacts Result { get; init; }
    public required KernelFacts Kernel { get; init; }
    public required FailureFacts Failures { get; init; }
    public required LatencyFacts Latency { get; init; }
    public required RateFacts Rates { get; init; }

    /// <summary>Null when the run sent none.</summary>
    public RequestFacts? Requests { get; init; }

    /// <summary>Reconnect storms, in order of time.</summary>
    public ImmutableArray<StormFacts> Storms { get; init; } = [];

    /// <summary>Connections that the target ended; null when it ended none.</summary>
    public TargetCloseFacts? TargetCloses { get; init; }

    /// <summary>How the connections were closed at the end.</summary>
    public DrainFacts Drain { get; init; } = new(0, 0, null);
    public required ImmutableArray<AgentFacts> Agents { get; init; }

    /// <summary>The accepting side, where it is of this run; empty when it is not.</summary>
    public ImmutableArray<BackendFacts> Backends { get; init; } = [];
    public required LimitFacts Limits { get; init; }

    /// <summary>Where reports of an agent are missing.</summary>
    public required ImmutableArray<GapFacts> Gaps { get; init; }

    /// <summary>What happened, oldest first.</summary>
    public ImmutableArray<EventFacts> Events { get; init; } = [];

    /// <summary>Whole sentences that a reader should know before believing the numbers.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Filled in by the verdict.</summary>
    public VerdictFacts Verdict { get; init; } = new(false, []);

    /// <summary>What the command exits with.</summary>
    public int ExitCode { get; init; }
}

/// <summary>Something that happened to the run.</summary>
/// <param name="Second">Elapsed; 0 before the start instant.</param>
/// <param name="Kind"><c>finding</c>, <c>agent-lost</c>, <c>coordinator-restarted</c>, ...; stable.</param>
/// <param name="Agent">Empty: the run as a whole.</param>
/// <param name="Message">For people.</param>
public sealed record EventFacts(double Second, string Kind, string Agent, string Message);

/// <summary>The run itself.</summary>
public sealed record RunFacts
{
    public required string Id { get; init; }
    public string Name { get; init; } = "";

    /// <summary><c>completed</c>, <c>stopped</c>, <c>interrupted</c> or <c>failed</c>; of a run that goes on the state that it is in.</summary>
    public required string State { get; init; }

    /// <summary>Whether the summary is final.</summary>
    [JsonIgnore]
    public bool HasEnded => State is "completed" or "stopped" or "interrupted" or "failed";

    /// <summary>Why it ended, when it did not end as planned; otherwise empty.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The start instant; null when it never started.</summary>
    public DateTimeOffset? StartedAt { get; init; }
    public double DurationSeconds { get; init; }
    public ImmutableArray<StageFacts> Stages { get; init; } = [];
}

/// <summary>One stage: the goal went from one number of connections to another.</summary>
public sealed record StageFacts(string Name, long From, long To, double DurationSeconds);

/// <summary>What was loaded.</summary>
/// <param name="Destinations">Address and ports: <c>10.0.0.5:443</c>, <c>10.0.0.5:8443-8450</c>.</param>
/// <param name="Connections">The goal of the longest hold.</param>
public sealed record TargetFacts(ImmutableArray<string> Destinations, long Connections);

/// <summary>What came out.</summary>
public sealed record ResultFacts
{
    /// <summary>The sum of ESTABLISHED met the goal in a complete second.</summary>
    public bool Reached { get; init; }

    /// <summary>The second at whose end that was so for the first time; null when it never was.</summary>
    public double? ReachedAfterSeconds { get; init; }

    /// <summary>The peak of the sums over complete seconds.</summary>
    public long PeakEstablished { get; init; }

    /// <summary>
    /// The lowest sum from then on until the drain, over seconds that every agent reported and in which no reconnect storm was on; null when
    /// the goal was not reached.
    /// </summary>
    public long? HeldEstablishedMin { get; init; }

    /// <summary>The last such sum before the drain.</summary>
    public long? HeldEstablishedEnd { get; init; }

    /// <summary>Seconds of that time which some agent did not report: what was held in them is not known.</summary>
    public int HeldMissingSeconds { get; init; }

    /// <summary>The most connections that the target had greeted before the drain; null when no greeting was expected.</summary>
    public long? Confirmed { get; init; }
    public long Opened { get; init; }
    public long ClosedByPeer { get; init; }
    public long Reopened { get; init; }

    /// <summary>Connections that the agents ended, the drain included.</summary>
    public long Closed { get; init; }

    /// <summary>Of <see cref="Closed"/>: by RST.</summary>
    public long Aborted { get; init; }

    /// <summary>The most opens in one complete second.</summary>
    public double OpenRatePeak { get; init; }

    /// <summary>Opens per second until the goal was reached, or until the ramp ended.</summary>
    public double OpenRateMean { get; init; }

    /// <summary>Opens per second from then on to the drain; null when the goal was not reached.</summary>
    public double? HoldOpenRateMean { get; init; }

    /// <summary>Connections that ended per second in the same time, whoever ended them.</summary>
    public double? HoldCloseRateMean { get; init; }

    /// <summary>Of <see cref="Opened"/>: by a TLS handshake that resumed an earlier session; null when there was no handshake.</summary>
    public long? Resumed { get; init; }
}

/// <summary>What the kernels said of the client ends while the goal was held.</summary>
public sealed record KernelFacts
{
    /// <summary>Null when no kernel could be read during the hold.</summary>
    public long? Established { get; init; }

    /// <summary>Our own count of ESTABLISHED at the same moment.</summary>
    public long? OwnEstablished { get; init; }

    /// <summary>The most TIME-WAIT seen over the run, the drain included.</summary>
    public long? TimeWait { get; init; }

    /// <summary>By RFC 9293 name.</summary>
    public ImmutableSortedDictionary<string, long> States { get; init; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>ESTABLISHED per source address.</summary>
    public ImmutableSortedDictionary<string, long> BySource { get; init; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>
    /// ESTABLISHED per destination: <c>10.0.0.5:443</c>; per address when there are more than 4,096, and empty when even these are too many.
    /// </summary>
    public ImmutableSortedDictionary<string, long> ByDestination { get; init; } = ImmutableSortedDictionary<string, long>.Empty;

    /// <summary>What the clients' network namespaces counted during the run, whosesoever connections it was; null when they did not say.</summary>
    public KernelCounterFacts? Counters { get; init; }

    /// <summary>Sockets to the target from outside the run's blocks.</summary>
    public long Foreign { get; init; }

    /// <summary>How long before the end of the hold the oldest reading was taken.</summary>
    public double? AgeSeconds { get; init; }

    /// <summary>Both counts say the same, within what came and went while the kernel was read.</summary>
    public bool Agrees { get; init; }

    /// <summary>What to make of it, in words; empty when both are equal.</summary>
    public string Note { get; init; } = "";
}

/// <summary>Counters of /proc/net/netstat and /proc/net/snmp, during the run.</summary>
/// <param name="ListenOverflows">Connections that found an accept queue full.</param>
/// <param name="ListenDrops">SYNs that listeners dropped, for that and other reasons.</param>
/// <param name="TimeWaitOverflow">TIME-WAIT left out since tcp_max_tw_buckets was reached.</param>
/// <param name="AbortOnMemory">Orphans reset for lack of memory or above tcp_max_orphans.</param>
/// <param name="SynRetransmits">SYNs sent once more.</param>
/// <param name="RetransmittedSegments">Segments sent once more, SYNs among them.</param>
public sealed record KernelCounterFacts(
    long ListenOverflows, long ListenDrops, long TimeWaitOverflow, long AbortOnMemory, long SynRetransmits, long RetransmittedSegments);

/// <summary>Failures by reason: <c>connect/target/refused</c>.</summary>
public sealed record FailureFacts(long Total, ImmutableSortedDictionary<string, long> ByReason)
{
    /// <summary>What TLS and HTTP say of them, most frequent first.</summary>
    public ImmutableArray<FailureDetail> Details { get; init; } = [];
}

/// <summary>What TLS or HTTP says of failures.</summary>
/// <param name="Reason">A key of <see cref="FailureFacts.ByReason"/>.</param>
/// <param name="Code">See <see cref="Protos.FailureCode"/>; the status of an unexpected response.</param>
/// <param name="Words">The same for people.</param>
/// <param name="Count">How many.</param>
public sealed record FailureDetail(string Reason, int Code, string Words, long Count);

/// <summary>Latencies; null where nothing was measured.</summary>
/// <param name="Connect">From connect() to ESTABLISHED.</param>
/// <param name="TlsHandshake">From there to the end of the handshake.</param>
/// <param name="Request">Of completed requests, from when they were to be sent (coordinated omission corrected).</param>
/// <param name="RequestService">Of completed requests, from when they were sent.</param>
/// <param name="TimeToFirstByte">From there to the first byte of the response.</param>
public sealed record LatencyFacts(
    LatencyValues? Connect, LatencyValues? TlsHandshake, LatencyValues? Request, LatencyValues? RequestService, LatencyValues? TimeToFirstByte = null);

/// <summary>One latency, in milliseconds, out of the merged histogram.</summary>
public sealed record LatencyValues(long Count, double Mean, double P50, double P90, double P99, double P999, double Max);

/// <summary>Connects per second, on average from the start to the drain.</summary>
/// <param name="Scheduled">Called for.</param>
/// <param name="Offered">Started.</param>
/// <param name="Completed">Became ESTABLISHED.</param>
/// <param name="Failed">Did not.</param>
/// <param name="NotOffered">Not started because an agent was late.</param>
public sealed record RateFacts(double Scheduled, double Offered, double Completed, double Failed, double NotOffered);

/// <summary>Requests over the whole run.</summary>
/// <param name="Scheduled">Called for by the load model.</param>
/// <param name="Offered">Whose sending began.</param>
/// <param name="Completed">Answered in full, with a status that is expected.</param>
/// <param name="Failed">Not so.</param>
/// <param name="NotOffered">Never sent, although they were due.</param>
/// <param name="PerSecond">The same, on average from the start to the drain.</param>
public sealed record RequestFacts(long Scheduled, long Offered, long Completed, long Failed, long NotOffered, RateFacts PerSecond);

/// <summary>A reconnect storm: a part of the connections was closed and opened again, as after an outage.</summary>
/// <param name="Number">1, 2, 3, ... of the run.</param>
/// <param name="AtSeconds">When it began, elapsed.</param>
/// <param name="Fraction">Of the connections held, above 0, at most 1.</param>
/// <param name="WithinSeconds">How long the closes, and the connects after them, were to take.</param>
/// <param name="Close"><c>fin</c> or <c>rst</c>.</param>
/// <param name="Held">What was to be held again: what was before, at most the goal.</param>
/// <param name="Closed">Connections that it closed.</param>
/// <param name="Opened">Connections that were opened in their place.</param>
/// <param name="RecoverySeconds">
/// From its instant to the end of the first second at which ESTABLISHED was there again and every connection that it had closed was
/// opened; null when that was not before the next storm or the drain.
/// </param>
/// <param name="LowestEstablished">The fewest ESTABLISHED at the end of a second until then; null when none was complete.</param>
public sealed record StormFacts(
    int Number, double AtSeconds, double Fraction, double WithinSeconds, string Close, long Held, long Closed, long Opened,
    double? RecoverySeconds, long? LowestEstablished);

/// <summary>How the connections were closed at the end of a run.</summary>
/// <param name="Aborted">Connections closed by RST from the drain's begin on.</param>
/// <param name="PausedSeconds">How long agents stood still since the kernel's TCP memory ran short, summed over agents.</param>
/// <param name="OrphansMax">
/// The most sockets without a process in the clients' network namespaces during the drain, whosesoever; null when that was not read.
/// </param>
public sealed record DrainFacts(long Aborted, double PausedSeconds, long? OrphansMax);

/// <summary>One agent.</summary>
/// <param name="Assigned">Its part of the goal.</param>
/// <param name="Lost">It went away before the run ended.</param>
/// <param name="BaseRssBytes">Its memory without a connection; null when it did not say.</param>
/// <param name="BytesPerConnection">User-space memory over the base at its peak, for each connection; null when that is not known.</param>
public sealed record AgentFacts(
    string Id, string Host, string Namespace, long Assigned, long PeakEstablished, double CpuSeconds, long MaxRssBytes, bool Lost,
    long? BaseRssBytes = null, double? BytesPerConnection = null);

/// <summary>One backend.</summary>
/// <param name="Accepted">Connections over the whole run.</param>
/// <param name="PeakEstablished">The most that it held at the end of an interval.</param>
/// <param name="Established">What it held when the drain began; null when it had not reported by then.</param>
/// <param name="KernelEstablished">
/// Server ends on its ports as its kernel counted them last before that; null when it was not read. Of several backends in one network
/// namespace the first one has what its kernel counted for all.
/// </param>
/// <param name="Lost">It went away before the run ended.</param>
/// <param name="BaseRssBytes">Its memory without a connection; null when it did not say.</param>
/// <param name="BytesPerConnection">User-space memory over the base at its peak, for each connection; null when that is not known.</param>
public sealed record BackendFacts(
    string Id, string Host, long Accepted, long PeakEstablished, long? Established, long? KernelEstablished, double CpuSeconds,
    long MaxRssBytes, bool Lost, long? BaseRssBytes = null, double? BytesPerConnection = null);

/// <summary>Whether the tool was the limit, and not the target.</summary>
public sealed record LimitFacts(bool ToolLimited, ImmutableArray<string> Reasons);

/// <summary>No report of an agent for the seconds from (inclusive) to (exclusive).</summary>
public sealed record GapFacts(string Agent, int FromSecond, int ToSecond);

/// <summary>The thresholds of the run held against this summary.</summary>
public sealed record VerdictFacts(bool Passed, ImmutableArray<ThresholdFacts> Thresholds);

/// <summary>One threshold.</summary>
public sealed record ThresholdFacts(string Expression, double? Value, bool Passed);
