using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;
using Destination = LoadHarness.Protos.Destination;
using Revision = LoadHarness.Protos.Revision;
using Schedule = LoadHarness.Protos.Schedule;
using Slice = LoadHarness.Protos.Slice;
using WorkloadShare = LoadHarness.Coordinator.Specs.WorkloadShare;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>The whole desired state of one agent for one run; see assignment.proto.</summary>
public sealed record AgentAssignment
{
    /// <summary>The run.</summary>
    public required string RunId { get; init; }

    /// <summary>Newer ones replace older ones.</summary>
    public required Revision Revision { get; init; }

    /// <summary>The store that the run lives in.</summary>
    public required string StoreId { get; init; }

    /// <summary>The phase wanted.</summary>
    public required Phase Phase { get; init; }

    /// <summary>What the agent must be able to do.</summary>
    public required ImmutableArray<string> RequiredCapabilities { get; init; }

    /// <summary>The agent's part of the goal, in connections.</summary>
    public long Share { get; init; }

    /// <summary>The blocks that it owns.</summary>
    public Slice Slice { get; init; } = new([], [], TimeSpan.Zero);

    /// <summary>What to load.</summary>
    public ImmutableArray<Destination> Destinations { get; init; } = [];

    /// <summary>Its goal over elapsed time.</summary>
    public Schedule Schedule { get; init; } = new([], 0);

    /// <summary>What connections do, by kind, with this agent's part of the requests of an open model.</summary>
    public ImmutableArray<WorkloadShare> Workload { get; init; } = [new(1, new WorkloadSpec.Hold())];

    /// <summary>What carries connections, with this agent's part of the clients of a PROXY header.</summary>
    public TransportSpec Transport { get; init; } = TransportSpec.Plain;

    /// <summary>A reconnect storm that it has a part in; null when there is none to be had.</summary>
    public RunStorm? Storm { get; init; }

    /// <summary>Sources that the agent adds to its host, or waits for.</summary>
    public ImmutableArray<AddedSources> Provision { get; init; } = [];

    /// <summary>How long one connect may take.</summary>
    public TimeSpan ConnectTimeout { get; init; }

    /// <summary>Count a connection as confirmed once the target has sent a byte.</summary>
    public bool ExpectGreeting { get; init; }

    /// <summary>The start instant on <see cref="CoordinatorClock"/>, in nanoseconds; null before the first RUNNING revision.</summary>
    public long? StartNanos { get; init; }

    /// <summary>How long a drain may take; zero closes by RST at once.</summary>
    public required TimeSpan DrainTimeout { get; init; }

    /// <summary>The agent drains by itself when this much time has elapsed.</summary>
    public required TimeSpan MaxDuration { get; init; }

    /// <summary>What this agent is to read from the kernel; null when another one of its namespace does.</summary>
    public KernelViewDuty? KernelView { get; init; }

    /// <summary>What a backend is to do; then it has neither share nor slice, destinations, schedule or workload. Null: a client.</summary>
    public BackendWork? Backend { get; init; }
}

/// <summary>The accepting side of a run.</summary>
/// <param name="Ports">Where it listens.</param>
/// <param name="Greet">Send one byte to each connection.</param>
public sealed record BackendWork(ImmutableArray<PortSpan> Ports, bool Greet)
{
    /// <summary>Answer HTTP/1.1 requests.</summary>
    public bool Http { get; init; }

    /// <summary>Send back what comes.</summary>
    public bool Echo { get; init; }
}

/// <summary>One agent of each network namespace reads the kernel for all of them.</summary>
/// <param name="Slices">Everything that the run owns in the namespace; none for a backend, which counts what its ports have accepted.</param>
/// <param name="CoreShare">The share of one core that reading may take, above 0, at most 1.</param>
public sealed record KernelViewDuty(ImmutableArray<Slice> Slices, double CoreShare);
