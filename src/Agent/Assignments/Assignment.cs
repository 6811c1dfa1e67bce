using System.Collections.Immutable;
using LoadHarness.Agent.KernelView;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Provisioning;
using LoadHarness.Agent.Transports;
using LoadHarness.Agent.Workloads;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Assignments;

/// <summary>The whole desired state of this agent for one run; see assignment.proto.</summary>
public sealed record Assignment
{
    public required string RunId { get; init; }
    public required LoadHarness.Protos.Revision Revision { get; init; }
    public required string StoreId { get; init; }
    public required Phase Phase { get; init; }
    public ImmutableArray<string> RequiredCapabilities { get; init; } = [];

    /// <summary>What a backend is to do: then it has no slice, no destinations and no schedule. Null for a client.</summary>
    public BackendWork? Backend { get; init; }

    /// <summary>Largest goal that the schedule names, in connections.</summary>
    public required long Share { get; init; }
    public required LoadHarness.Protos.Slice Slice { get; init; }
    public required ImmutableArray<LoadHarness.Protos.Destination> Destinations { get; init; }

    /// <summary>What the names among the destinations mean on this host now, for those that are to be looked up.</summary>
    public ImmutableArray<Preflight.ResolvedName> Names { get; init; } = [];

    /// <summary>Sources that are to be added to this host, or that another agent adds.</summary>
    public ImmutableArray<ProvisionWork> Provision { get; init; } = [];
    public required LoadHarness.Protos.Schedule Schedule { get; init; }

    /// <summary>What connections do, by kind; at least one.</summary>
    public ImmutableArray<Workloads.WorkloadShare> Shares { get; init; } = [new(1, new WorkloadPlan.Hold())];

    /// <summary>What an open model asks of this agent; 0: nothing.</summary>
    public double RequestsPerSecond { get; init; }

    /// <summary>What carries connections.</summary>
    public TransportPlan Transport { get; init; } = TransportPlan.Plain;

    /// <summary>Equal for equal shares and transports.</summary>
    public string WorkloadDigest { get; init; } = "";

    /// <summary>The churn of a run whose connections do nothing else; null when there is none.</summary>
    public WorkloadPlan.Churn? Churn => Shares is [{ Plan: WorkloadPlan.Churn churn }] ? churn : null;

    /// <summary>The newest reconnect storm; null when there was none.</summary>
    public StormOrder? Storm { get; init; }
    public required TimeSpan ConnectTimeout { get; init; }
    public bool ExpectGreeting { get; init; }

    /// <summary>The start instant on the coordinator's clock, in nanoseconds; null before the first RUNNING revision.</summary>
    public long? StartNanos { get; init; }
    public required TimeSpan DrainTimeout { get; init; }
    public required TimeSpan MaxDuration { get; init; }

    /// <summary>What to read from the kernel; null when another agent of this namespace does it.</summary>
    public KernelViewScope? KernelView { get; init; }
}

/// <summary>The accepting side of a run.</summary>
/// <param name="Ports">To listen on, at every address of the host.</param>
/// <param name="Greet">Send one byte to each connection.</param>
public sealed record BackendWork(ImmutableArray<PortSpan> Ports, bool Greet)
{
    /// <summary>Answer HTTP/1.1 requests.</summary>
    public bool Http { get; init; }

    /// <summary>Send back what comes.</summary>
    public bool Echo { get; init; }
}

/// <summary>How far the agent has come with its newest assignment.</summary>
public sealed record AssignmentStatus
{
    public required string RunId { get; init; }
    public required LoadHarness.Protos.Revision Revision { get; init; }
    public required string StoreId { get; init; }

    /// <summary>The phase reached; unspecified while the first one is being worked on.</summary>
    public Phase Phase { get; init; }

    /// <summary>Why the assignment was refused; null when it was not.</summary>
    public AssignmentRefusal? Refused { get; init; }

    /// <summary>Connections held now.</summary>
    public long Held { get; init; }
    public ImmutableArray<AgentFinding> Findings { get; init; } = [];
    public long ClockUncertaintyNanos { get; init; }

    /// <summary>CLOCK_BOOTTIME of the start instant; null before it is known.</summary>
    public long? StartNanos { get; init; }

    /// <summary>Retiring blocks without a live or resting tuple.</summary>
    public ImmutableArray<LoadHarness.Protos.BlockRange> EmptyBlocks { get; init; } = [];

    /// <summary>Sources of the slice that this host has no more.</summary>
    public ImmutableArray<IpAddress> GoneSources { get; init; } = [];
}

/// <summary>A refusal names the field, the rule that it breaks, and the remedy.</summary>
public sealed record AssignmentRefusal(string Field, string Rule, string Message);
