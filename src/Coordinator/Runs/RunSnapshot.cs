using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Runs;

/// <summary>A run as it was at one moment; what users see.</summary>
public sealed record RunSnapshot
{
    /// <summary>Sorts by time of creation.</summary>
    public required string Id { get; init; }

    /// <summary>What the user asked for, with every default filled in.</summary>
    public required RunSpec Spec { get; init; }

    /// <summary>Where it is in its life.</summary>
    public required RunState State { get; init; }

    /// <summary>Why it is there, when that is not plain from the spec; may be empty.</summary>
    public string Reason { get; init; } = "";

    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset CreateTime { get; init; }

    /// <summary>Its start instant; null until it is fixed.</summary>
    public DateTimeOffset? StartTime { get; init; }

    /// <summary>When it ended; null while it goes on.</summary>
    public DateTimeOffset? EndTime { get; init; }

    /// <summary>Null until a plan was made.</summary>
    public PlanOverview? Plan { get; init; }

    /// <summary>The newest complete second; null until there is one.</summary>
    public RunProgress? Progress { get; init; }

    /// <summary>The newest events, oldest first.</summary>
    public ImmutableArray<RunEvent> Events { get; init; } = [];

    /// <summary>JSON of schema <c>loadharness/summary/v1</c>; null until the run has ended.</summary>
    public string? SummaryJson { get; init; }
}

/// <summary>A plan for people, as it is shown before the first connect.</summary>
/// <param name="Lines">In sentences and numbers.</param>
/// <param name="Goal">Of the hold, in connections.</param>
/// <param name="Tuples">4-tuples of all slices.</param>
/// <param name="Blocks">Blocks of all slices.</param>
/// <param name="HoldFrom">Elapsed time at which the goal of the hold is due.</param>
/// <param name="DrainFrom">Elapsed time at which the drain begins.</param>
public sealed record PlanOverview(
    ImmutableArray<string> Lines, long Goal, long Tuples, long Blocks, TimeSpan HoldFrom, TimeSpan DrainFrom);

/// <summary>One second of a run, summed over its agents; see control.proto.</summary>
public sealed record RunProgress
{
    public required TimeSpan Elapsed { get; init; }
    public long Goal { get; init; }
    public long Connecting { get; init; }

    /// <summary>ESTABLISHED, with the TLS handshake under way.</summary>
    public long Handshaking { get; init; }
    public long Established { get; init; }

    /// <summary>Of this second.</summary>
    public ConnectProgress Connects { get; init; } = new();

    /// <summary>Null when the run sends no requests.</summary>
    public RequestProgress? Requests { get; init; }

    /// <summary>Null when no greeting is expected.</summary>
    public long? Confirmed { get; init; }
    public long Closing { get; init; }
    public double OpensPerSecond { get; init; }
    public long Opened { get; init; }
    public long Reopened { get; init; }
    public long ClosedByPeer { get; init; }
    public long Failed { get; init; }

    /// <summary>Failures of the whole run so far.</summary>
    public ImmutableArray<FailureTally> Failures { get; init; } = [];

    /// <summary>By identity.</summary>
    public ImmutableArray<AgentProgress> Agents { get; init; } = [];

    /// <summary>The newest kernel view, summed over namespaces; null until there is one.</summary>
    public KernelReading? Kernel { get; init; }

    /// <summary>By source and by destination, in short; null until the kernels have counted so.</summary>
    public SocketsOverview? Sockets { get; init; }

    /// <summary>Agents were the limit in this second.</summary>
    public bool Saturated { get; init; }

    /// <summary>The other side of the run, by identity.</summary>
    public ImmutableArray<BackendProgress> Backends { get; init; } = [];
}

/// <summary>One backend in one second; see control.proto.</summary>
public sealed record BackendProgress
{
    public required string AgentId { get; init; }
    public long Accepted { get; init; }
    public long Established { get; init; }
    public double AcceptsPerSecond { get; init; }

    /// <summary>Of one core, 0 to cores.</summary>
    public double Cpu { get; init; }
    public long RssBytes { get; init; }
    public bool Lost { get; init; }

    /// <summary>This second's sample has not arrived: the numbers are older.</summary>
    public bool Stale { get; init; }
}

/// <summary>One agent in one second; see control.proto.</summary>
public sealed record AgentProgress
{
    public required string AgentId { get; init; }
    public long Share { get; init; }
    public long Established { get; init; }
    public double OpensPerSecond { get; init; }
    public long Failed { get; init; }

    /// <summary>Of one core, 0 to cores.</summary>
    public double Cpu { get; init; }
    public long RssBytes { get; init; }
    public bool Lost { get; init; }

    /// <summary>This second's sample has not arrived: the numbers are older.</summary>
    public bool Stale { get; init; }
}

/// <summary>The connects of one second; see control.proto.</summary>
public sealed record ConnectProgress
{
    public long Scheduled { get; init; }
    public long Offered { get; init; }
    public long Completed { get; init; }
    public long Failed { get; init; }
    public long NotOffered { get; init; }
}

/// <summary>The requests of one second, and of the run so far; see control.proto.</summary>
public sealed record RequestProgress
{
    public long Scheduled { get; init; }
    public long Offered { get; init; }
    public long Completed { get; init; }
    public long Failed { get; init; }
    public long NotOffered { get; init; }
    public long InFlight { get; init; }
    public long Waiting { get; init; }

    /// <summary>Since the run's start.</summary>
    public long TotalCompleted { get; init; }

    /// <summary>Since the run's start.</summary>
    public long TotalFailed { get; init; }
}
