using System.Collections.Immutable;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Cli;

/// <summary>A run as its user sees it through the control API.</summary>
public sealed record RunView
{
    /// <summary>Its identity.</summary>
    public required string Id { get; init; }

    /// <summary>For people; may be empty.</summary>
    public string Name { get; init; } = "";

    /// <summary>How far it is.</summary>
    public required RunState State { get; init; }

    /// <summary>Why, when that is not plain; may be empty.</summary>
    public string StateReason { get; init; } = "";

    /// <summary>When it was created.</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>Targets as typed.</summary>
    public ImmutableArray<string> Targets { get; init; } = [];

    /// <summary>The goal of the hold that its spec names, in connections.</summary>
    public long Connections { get; init; }

    /// <summary>Null until the plan was made.</summary>
    public PlanView? Plan { get; init; }

    /// <summary>Null until the run has started.</summary>
    public ProgressView? Progress { get; init; }

    /// <summary>The newest events, oldest first.</summary>
    public ImmutableArray<EventView> Events { get; init; } = [];

    /// <summary>The summary as JSON; null until the run has ended.</summary>
    public string? SummaryJson { get; init; }

    /// <summary>What is to be held: as planned, and until then as asked for.</summary>
    public long Goal => Plan?.Goal ?? Connections;

    /// <summary>Whether nothing will change any more.</summary>
    public bool HasEnded => State is RunState.Completed or RunState.Stopped or RunState.Failed;
}

/// <summary>Something that happened to the run.</summary>
/// <param name="Elapsed">When.</param>
/// <param name="Kind">A stable name.</param>
/// <param name="AgentId">Empty: the run as a whole.</param>
/// <param name="Message">For people.</param>
public sealed record EventView(TimeSpan Elapsed, string Kind, string AgentId, string Message);

/// <summary>What was planned.</summary>
/// <param name="Lines">For people.</param>
/// <param name="Goal">The goal of the hold, in connections.</param>
/// <param name="HoldFrom">Elapsed at which the goal is due; null when the coordinator does not say.</param>
/// <param name="DrainFrom">Elapsed at which the drain begins; null when the coordinator does not say.</param>
public sealed record PlanView(ImmutableArray<string> Lines, long Goal, TimeSpan? HoldFrom, TimeSpan? DrainFrom);

/// <summary>The newest complete second of a run, in connections unless said otherwise.</summary>
public sealed record ProgressView
{
    public required TimeSpan Elapsed { get; init; }

    /// <summary>The goal of this second: on its way to the goal of the hold while the run ramps.</summary>
    public long Goal { get; init; }
    public long Connecting { get; init; }

    /// <summary>ESTABLISHED, with the TLS handshake under way.</summary>
    public long Handshaking { get; init; }
    public long Established { get; init; }

    /// <summary>Null when the coordinator does not say.</summary>
    public RatesView? Connects { get; init; }

    /// <summary>Null when the run sends no requests.</summary>
    public RequestsView? Requests { get; init; }

    /// <summary>Null when no greeting is expected.</summary>
    public long? Confirmed { get; init; }
    public long Closing { get; init; }

    /// <summary>Connections opened per second.</summary>
    public double OpenRate { get; init; }
    public long Opened { get; init; }
    public long Reopened { get; init; }
    public long ClosedByPeer { get; init; }
    public long Failed { get; init; }
    public ImmutableArray<FailureView> Failures { get; init; } = [];
    public ImmutableArray<AgentProgressView> Agents { get; init; } = [];

    /// <summary>Null before the first reading.</summary>
    public KernelStates? Kernel { get; init; }

    /// <summary>Sockets by source and by destination, in short; null until the kernel has counted so.</summary>
    public SocketsOverviewView? Sockets { get; init; }

    /// <summary>Agents were the limit in this second.</summary>
    public bool Saturated { get; init; }

    /// <summary>The other side of the run; empty when that is not of this run.</summary>
    public ImmutableArray<BackendProgressView> Backends { get; init; } = [];
}

/// <summary>How many of something a second, in the newest complete one.</summary>
/// <param name="Scheduled">Called for.</param>
/// <param name="Offered">Begun.</param>
/// <param name="Completed">As they were meant to be.</param>
/// <param name="Failed">Begun, and not so.</param>
/// <param name="NotOffered">Due and given up.</param>
public sealed record RatesView(double Scheduled, double Offered, double Completed, double Failed, double NotOffered);

/// <summary>The requests of the newest complete second.</summary>
/// <param name="Rates">Per second.</param>
/// <param name="InFlight">Sent and not answered.</param>
/// <param name="Waiting">Due, and waiting for a connection that is free.</param>
/// <param name="TotalCompleted">Since the start.</param>
/// <param name="TotalFailed">Since the start.</param>
public sealed record RequestsView(RatesView Rates, long InFlight, long Waiting, long TotalCompleted, long TotalFailed);

/// <summary>One backend in the newest complete second.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="Accepted">Connections since the start.</param>
/// <param name="Established">What it holds.</param>
/// <param name="AcceptRate">Connections accepted per second.</param>
/// <param name="Cpu">Of one core; 2.5 means two and a half cores.</param>
/// <param name="RssBytes">Resident memory.</param>
/// <param name="Lost">It is gone.</param>
/// <param name="Stale">Its newest sample is late, the numbers are older.</param>
public sealed record BackendProgressView(
    string Id, long Accepted, long Established, double AcceptRate, double Cpu, long RssBytes, bool Lost, bool Stale);

/// <summary>Failures of one kind.</summary>
public sealed record FailureView(FailureStage Stage, FailureParty Party, FailureCause Cause, int Errno, long Count);

/// <summary>What the kernel says.</summary>
/// <param name="States">Sockets of the run per state.</param>
/// <param name="Age">How old the reading is.</param>
/// <param name="Foreign">Sockets to the target from outside the run.</param>
/// <param name="Error">Empty, or why there is no reading.</param>
public sealed record KernelStates(ImmutableDictionary<TcpState, long> States, TimeSpan Age, long Foreign, string Error);

/// <summary>One agent in the newest complete second.</summary>
/// <param name="Id">Its identity.</param>
/// <param name="Share">Its part of the goal.</param>
/// <param name="Established">What it holds.</param>
/// <param name="OpenRate">Connections opened per second.</param>
/// <param name="Failed">Connections that failed since the start.</param>
/// <param name="Cpu">Of one core; 2.5 means two and a half cores.</param>
/// <param name="RssBytes">Resident memory.</param>
/// <param name="Lost">It is gone.</param>
/// <param name="Stale">Its newest sample is late, the numbers are older.</param>
public sealed record AgentProgressView(
    string Id, long Share, long Established, double OpenRate, long Failed, double Cpu, long RssBytes, bool Lost, bool Stale);
