using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;
using Revision = LoadHarness.Protos.Revision;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Makes the desired states of a run's agents out of its plan.</summary>
/// <param name="runId">The run.</param>
/// <param name="spec">What the user asked for.</param>
/// <param name="fleet">Store and epoch.</param>
internal sealed class AssignmentBuilder(string runId, RunSpec spec, FleetOptions fleet)
{
    private static readonly TimeSpan _backendMargin = TimeSpan.FromSeconds(10);

    /// <summary>Capabilities that every client of the run needs, whatever its part.</summary>
    public ImmutableArray<string> Needed =>
    [
        .. spec.Workload.SelectMany(w => CapabilitiesOf(w.Workload)).Distinct(),
        .. spec.Workload.Length > 1 ? [Capabilities.WorkloadMix] : ImmutableArray<string>.Empty,
        Capabilities.TransportTcp,
        .. spec.Transport.Tls is null ? ImmutableArray<string>.Empty : [Capabilities.TransportTls],
        .. spec.Transport.Proxy is null ? ImmutableArray<string>.Empty : [Capabilities.TransportProxyProtocol],
        .. spec.Transport.Socket == new SocketSpec() ? ImmutableArray<string>.Empty : [Capabilities.TransportTcpOptions],
        .. spec.ExpectGreeting ? [Capabilities.Greeting] : ImmutableArray<string>.Empty,
    ];

    /// <summary>The desired state of one agent.</summary>
    /// <param name="agent">The agent's part of the plan.</param>
    /// <param name="part">Which part of the whole that is.</param>
    /// <param name="order">What all agents are to do.</param>
    /// <param name="duty">What this agent is to read from the kernel, if it is a reader.</param>
    /// <param name="provision">Sources that it adds to its host, or waits for.</param>
    public AgentAssignment Build(AgentPlan agent, AgentPart part, RunOrder order, KernelViewDuty? duty, ImmutableArray<AddedSources> provision) => new()
    {
        RunId = runId,
        Revision = new Revision(fleet.Epoch, order.Number),
        StoreId = fleet.StoreId,
        Phase = order.Phase,
        RequiredCapabilities = Required(agent, order, provision),
        Share = agent.Share,
        Slice = agent.Slice,
        Destinations = agent.Destinations,
        Schedule = agent.Schedule,
        Workload = [.. spec.Workload.Select(w => w with { Workload = PartOf(w.Workload, part.Of(agent.Share)) })],
        Transport = spec.Transport.Proxy is { Clients: { } clients } proxy
            ? spec.Transport with { Proxy = proxy with { Clients = part.Of(clients) } }
            : spec.Transport,
        Storm = order.Storm,
        Provision = provision,
        ConnectTimeout = spec.ConnectTimeout,
        ExpectGreeting = spec.ExpectGreeting,
        StartNanos = order.StartNanos,
        DrainTimeout = order.DrainTimeout,
        MaxDuration = spec.MaxDuration,
        KernelView = duty,
    };

    /// <summary>The desired state of one backend; they are all told the same.</summary>
    /// <param name="order">What they are to do.</param>
    /// <param name="duty">What this one is to read from the kernel, if it is a reader.</param>
    public AgentAssignment BuildBackend(RunOrder order, KernelViewDuty? duty) => new()
    {
        RunId = runId,
        Revision = new Revision(fleet.Epoch, order.Number),
        StoreId = fleet.StoreId,
        Phase = order.Phase,
        RequiredCapabilities = BackendWork is { Http: false, Echo: false } ? [Capabilities.Backend] : [Capabilities.Backend, Capabilities.BackendAnswers],
        StartNanos = order.StartNanos,
        DrainTimeout = order.DrainTimeout,
        // It ends after the clients, who close what they hold.
        MaxDuration = spec.MaxDuration + order.DrainTimeout + _backendMargin,
        KernelView = duty,
        Backend = BackendWork,
    };

    // Connections that are held ask for nothing, and get nothing from those that answer others.
    private BackendWork BackendWork => new(spec.BackendListen, spec.ExpectGreeting && !spec.Workload.Any(w => w.Workload is WorkloadSpec.Http or WorkloadSpec.Echo))
    {
        Http = spec.Workload.Any(w => w.Workload is WorkloadSpec.Http),
        Echo = spec.Workload.Any(w => w.Workload is WorkloadSpec.Echo),
    };

    private static IEnumerable<string> CapabilitiesOf(WorkloadSpec workload) => workload switch
    {
        WorkloadSpec.Churn { Life: { Spread: LifetimeSpread.Fixed }, Close: not CloseMethod.Peer } => [Capabilities.WorkloadChurn],
        WorkloadSpec.Churn => [Capabilities.WorkloadChurn, Capabilities.WorkloadLifetimes],
        WorkloadSpec.Http => [Capabilities.WorkloadHttp],
        WorkloadSpec.Echo => [Capabilities.WorkloadEcho],
        _ => [Capabilities.WorkloadHold],
    };

    // The requests of an open model are those of the run: each agent has as large a part of them as of the connections.
    private static WorkloadSpec PartOf(WorkloadSpec workload, double part) => workload switch
    {
        WorkloadSpec.Http { Pace: { Load: LoadSpec.Open open } pace } http =>
            http with { Pace = pace with { Load = new LoadSpec.Open(open.RequestsPerSecond * part) } },
        WorkloadSpec.Echo { Pace: { Load: LoadSpec.Open open } pace } echo =>
            echo with { Pace = pace with { Load = new LoadSpec.Open(open.RequestsPerSecond * part) } },
        _ => workload,
    };

    private ImmutableArray<string> Required(AgentPlan agent, RunOrder order, ImmutableArray<AddedSources> provision)
    {
        var required = Needed.ToList();
        if (agent.Destinations.Any(d => d.LookUp))
            required.Add(Capabilities.Routes);
        if (agent.Destinations.Any(d => d.Weight != 1))
            required.Add(Capabilities.Weights);
        if (agent.Slice.Blocks.Any(b => b.Retiring))
            required.Add(Capabilities.Retire);
        if (order.Storm is not null)
            required.Add(Capabilities.Reconnect);
        if (!provision.IsEmpty)
            required.Add(Capabilities.Provision);
        return [.. required];
    }
}

/// <summary>What all agents of a run are to do.</summary>
/// <param name="Number">The revision's number.</param>
/// <param name="Phase">The phase wanted.</param>
/// <param name="StartNanos">The start instant on the coordinator's clock; null before it is fixed.</param>
/// <param name="DrainTimeout">How long a drain may take; zero closes by RST at once.</param>
internal sealed record RunOrder(ulong Number, Phase Phase, long? StartNanos, TimeSpan DrainTimeout)
{
    /// <summary>A reconnect storm that can still be had a part in; null when there is none.</summary>
    public RunStorm? Storm { get; init; }
}
