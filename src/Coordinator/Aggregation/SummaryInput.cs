using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>How a run ended.</summary>
public enum RunEnding
{
    /// <summary>As planned: the hold was over.</summary>
    Completed,

    /// <summary>Its user stopped it.</summary>
    Stopped,

    /// <summary>Its command was interrupted (Ctrl-C, SIGTERM).</summary>
    Interrupted,

    /// <summary>It ended itself because the target let nothing through.</summary>
    Aborted,

    /// <summary>Too few agents were left, or none got ready.</summary>
    AgentsLost,

    /// <summary>What was asked for turned out to be wrong: a source that the host does not have, for one.</summary>
    Invalid,

    /// <summary>The plan does not fit its agents, sources or target ports.</summary>
    DoesNotFit,

    /// <summary>Something went wrong inside.</summary>
    Internal,
}

/// <summary>One stage as it really was.</summary>
/// <param name="Name"><c>prepare</c>, <c>ramp</c>, <c>hold</c>, <c>scale</c>, <c>drain</c>.</param>
/// <param name="From">The goal at its start.</param>
/// <param name="To">The goal at its end.</param>
/// <param name="Start">Elapsed; negative before the start instant.</param>
/// <param name="Duration">How long it lasted.</param>
public sealed record StageSpan(string Name, long From, long To, TimeSpan Start, TimeSpan Duration)
{
    /// <summary>The name of the stage in which everything is closed.</summary>
    public const string Drain = "drain";

    /// <summary>The name of the stage in which agents are waited for and get ready; it lies before the start instant.</summary>
    public const string Prepare = "prepare";

    /// <summary>The name of the stage in which the goal of the plan stands.</summary>
    public const string Hold = "hold";

    /// <summary>The name of the stage in which a changed goal is moved to.</summary>
    public const string Scale = "scale";

    /// <summary>The name of the stage in which the goal is opened.</summary>
    public const string Ramp = "ramp";
}

/// <summary>One agent of the run.</summary>
/// <param name="Assigned">The largest share that it was given.</param>
/// <param name="Lost">It went away before the run ended.</param>
/// <param name="MaxTimeWaitBuckets">net.ipv4.tcp_max_tw_buckets of its namespace; 0 when not known.</param>
public sealed record SummaryAgent(string Id, string Host, string NetworkNamespace, long Assigned, bool Lost, long MaxTimeWaitBuckets = 0);

/// <summary>Everything that a summary is made from.</summary>
public sealed record SummaryInput
{
    public required string RunId { get; init; }
    public string Name { get; init; } = "";
    public required RunEnding Ending { get; init; }

    /// <summary>The name of its state when it has not ended; null when it has.</summary>
    public string? GoesOnAs { get; init; }

    /// <summary>Why it ended, when not as planned.</summary>
    public string Reason { get; init; } = "";
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>Elapsed at the end, the drain included.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>In order of time.</summary>
    public ImmutableArray<StageSpan> Stages { get; init; } = [];
    public required ImmutableArray<Destination> Destinations { get; init; }

    /// <summary>Targets whose names no agent was asked for, because it did not come to that.</summary>
    public ImmutableArray<string> UnresolvedTargets { get; init; } = [];

    /// <summary>The goal of the longest hold.</summary>
    public required long Goal { get; init; }

    /// <summary>Connections per second that the goal's own churn asks for; 0 when connections are held.</summary>
    public double ChurnPerSecond { get; init; }
    public required ImmutableArray<SummaryAgent> Agents { get; init; }

    /// <summary>The backends of the run; their shares are 0.</summary>
    public ImmutableArray<SummaryAgent> BackendAgents { get; init; } = [];

    /// <summary>What they measured; null when the run has none.</summary>
    public BackendTimeline? Backends { get; init; }

    /// <summary>Whole sentences from elsewhere that belong into the report: findings of agents, for one.</summary>
    public ImmutableArray<string> Notes { get; init; } = [];

    /// <summary>Reconnect storms, in order of time.</summary>
    public ImmutableArray<RunStorm> Storms { get; init; } = [];

    /// <summary>What happened, oldest first.</summary>
    public ImmutableArray<RunEvent> Events { get; init; } = [];
    public required Timeline Timeline { get; init; }
}
