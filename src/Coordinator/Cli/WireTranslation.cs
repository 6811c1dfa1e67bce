using System.Collections.Immutable;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Between the control API's messages and what the command line works with.</summary>
internal static partial class WireTranslation
{
    public static V1.RunSpec ToWire(RunSpec spec)
    {
        var wire = new V1.RunSpec
        {
            Name = spec.Name,
            Connections = (ulong)spec.Connections,
            Hold = Duration.FromTimeSpan(spec.Hold),
            ReadyTimeout = Duration.FromTimeSpan(spec.ReadyTimeout),
            ConnectTimeout = Duration.FromTimeSpan(spec.ConnectTimeout),
            MaxDuration = Duration.FromTimeSpan(spec.MaxDuration),
            ExpectGreeting = spec.ExpectGreeting,
        };
        wire.Targets.AddRange(spec.Targets.Select(t => t.Text));
        wire.Sources.AddRange(spec.Sources.Select(s => s.Text));
        if (spec.Ramp is { } ramp)
            wire.Ramp = Duration.FromTimeSpan(ramp);
        else if (spec.ConnectRate is { } rate)
            wire.ConnectsPerSecond = rate;
        if (spec.SourcePorts is { } ports)
            wire.SourcePorts = ports.ToString();
        if (spec.Agents is { } agents)
            wire.Agents = (uint)agents;
        wire.Select.Add(spec.Select);
        wire.BackendSelect.Add(spec.BackendSelect);
        if (spec.Backends > 0)
            (wire.Backends, wire.BackendListen) = ((uint)spec.Backends, PortText.Format(spec.BackendListen));
        wire.Names.AddRange(Names(spec));
        wire.Workload = Fleet.WireTranslation.ToMessage(spec.Workload);
        if (spec.Transport != TransportSpec.Plain)
            wire.Transport = Fleet.WireTranslation.ToMessage(spec.Transport);
        if (spec.Rest == TimeSpan.Zero)
            wire.Reuse = ReusePolicy.Immediate;
        wire.Force = spec.Force;
        wire.ProvisionSources.AddRange(spec.Provision.Select(p => p.Text));
        (wire.OnAgentLoss, wire.OnAgentJoin) = (spec.OnAgentLoss, spec.OnAgentJoin);
        return wire;
    }

    // What was resolved here stays as it was: for names that are left out each agent asks its own host.
    private static IEnumerable<ResolvedName> Names(RunSpec spec) => spec.Targets
        .Where(t => !t.IsAskedOfAgents && !AddressText.TryParse(t.Host, out _))
        .DistinctBy(t => t.Host, StringComparer.OrdinalIgnoreCase)
        .Select(t => new ResolvedName { Name = t.Host, Addresses = { t.Addresses.Select(a => ByteString.CopyFrom(a.ToBytes())) } });

    public static PlanAnswer FromWire(PlanRunResponse answer) => new(answer.PlanJson, [.. answer.Lines], answer.Fits);

    public static RunView FromWire(Run run) => new()
    {
        Id = run.Id,
        Name = run.Spec?.Name ?? "",
        State = run.State,
        StateReason = run.StateReason,
        Created = run.CreateTime?.ToDateTimeOffset() ?? default,
        Targets = [.. run.Spec?.Targets ?? []],
        Connections = (long)(run.Spec?.Connections ?? 0),
        Plan = run.Plan is { } plan ? new([.. plan.Lines], (long)plan.Goal, plan.HoldFrom?.ToTimeSpan(), plan.DrainFrom?.ToTimeSpan()) : null,
        Progress = run.Progress is { } progress ? FromWire(progress) : null,
        Events = [.. run.Events.Select(e => new EventView(e.Elapsed?.ToTimeSpan() ?? default, e.Kind, e.AgentId, e.Message))],
        SummaryJson = run.HasSummaryJson ? run.SummaryJson : null,
    };

    public static AgentView FromWire(Agent agent) => new(
        agent.Id,
        agent.Inventory?.Hostname ?? "",
        agent.Inventory?.Pid ?? 0,
        agent.Inventory?.NetworkNamespace ?? "",
        (int)(agent.Inventory?.Cores ?? 0),
        (long)(agent.Inventory?.MemoryFreeBytes ?? 0),
        agent.Inventory?.ConnectionsPerReactor ?? 0,
        agent.Inventory?.PrivateDescriptorTables ?? false,
        agent.RunId,
        agent.Connected)
    {
        Role = agent.Role switch { AgentRole.Client => "client", AgentRole.Backend => "backend", _ => "" },
        Labels = agent.Labels.ToImmutableSortedDictionary(StringComparer.Ordinal),
        Version = agent.Version is { } version ? $"{version.Major}.{version.Minor}" : "",
        Addresses =
        [
            .. (agent.Inventory?.Addresses ?? []).Where(a => a.Address.Length is 4 or 16)
                .Select(a => IpAddress.FromBytes(a.Address.Span).ToString()),
        ],
        AllowProvision = [.. agent.Inventory?.AllowProvision ?? []],
        Findings = [.. (agent.Inventory?.Findings ?? []).Select(f => $"{f.Subject}: {f.Message}")],
        Checks = FromWire(agent.Inventory?.Checks ?? []),
        Capabilities = [.. agent.Capabilities],
        LastSeen = agent.LastSeenTime?.ToDateTimeOffset(),
    };

    public static CheckAgentsRequest ToCheckRequest(Fleet.HostNeed? need) => new()
    {
        Need = need is null ? null : new()
        {
            Connections = (ulong)need.Connections,
            BothEnds = need.BothEnds,
            ConnectsPerSecond = need.ConnectsPerSecond,
            ClosesPerSecond = need.ClosesPerSecond,
        },
    };

    public static AgentChecksView FromWire(AgentChecks agent) => new(agent.AgentId, agent.Host, FromWire(agent.Checks), agent.Error);

    private static ImmutableArray<HostCheckView> FromWire(IEnumerable<HostCheck> checks) =>
    [
        .. checks.Select(c => new HostCheckView(
            c.Name,
            c.Verdict.ToString().ToUpperInvariant(),
            c.Value,
            c.Needed,
            c.Remedy,
            c.Risk,
            c.Sysctls.ToImmutableSortedDictionary(StringComparer.Ordinal))),
    ];

    private static ProgressView FromWire(RunProgress progress) => new()
    {
        Elapsed = progress.Elapsed?.ToTimeSpan() ?? TimeSpan.Zero,
        Goal = (long)progress.Goal,
        Connecting = (long)progress.Connecting,
        Handshaking = (long)progress.Handshaking,
        Connects = progress.Connects is { } c
            ? new(c.ScheduledPerSecond, c.OfferedPerSecond, c.CompletedPerSecond, c.FailedPerSecond, c.NotOfferedPerSecond)
            : null,
        Requests = progress.Requests is { } r
            ? new(new(r.ScheduledPerSecond, r.OfferedPerSecond, r.CompletedPerSecond, r.FailedPerSecond, r.NotOfferedPerSecond),
                (long)r.InFlight, (long)r.Waiting, (long)r.Completed, (long)r.Failed)
            : null,
        Established = (long)progress.Established,
        Confirmed = progress.HasConfirmed ? (long)progress.Confirmed : null,
        Closing = (long)progress.Closing,
        OpenRate = progress.OpensPerSecond,
        Opened = (long)progress.Opened,
        Reopened = (long)progress.Reopened,
        ClosedByPeer = (long)progress.ClosedByPeer,
        Failed = (long)progress.Failed,
        Failures = [.. progress.Failures.Select(FromWire)],
        Agents = [.. progress.Agents.Select(FromWire)],
        Kernel = progress.KernelView is { } kernel ? FromWire(kernel, progress.Elapsed) : null,
        Sockets = progress.Sockets is { } sockets ? FromWire(sockets) : null,
        Saturated = progress.Saturated,
        Backends = [.. progress.Backends.Select(FromWire)],
    };

    private static FailureView FromWire(FailureCount failure) => new(
        failure.Reason?.Stage ?? FailureStage.Unspecified,
        failure.Reason?.Party ?? FailureParty.Unspecified,
        failure.Reason?.Cause ?? FailureCause.Unspecified,
        failure.Errno,
        (long)failure.Count);

    private static AgentProgressView FromWire(AgentProgress agent) => new(
        agent.AgentId,
        (long)agent.Share,
        (long)agent.Established,
        agent.OpensPerSecond,
        (long)agent.Failed,
        agent.Cpu,
        (long)agent.RssBytes,
        agent.Lost,
        agent.Stale);

    private static BackendProgressView FromWire(BackendProgress backend) => new(
        backend.AgentId,
        (long)backend.Accepted,
        (long)backend.Established,
        backend.AcceptsPerSecond,
        backend.Cpu,
        (long)backend.RssBytes,
        backend.Lost,
        backend.Stale);

    private static KernelStates FromWire(KernelView kernel, Duration? elapsed)
    {
        var age = (elapsed?.ToTimeSpan() ?? TimeSpan.Zero) - TimeSpan.FromMilliseconds(kernel.TakenAtMillis);
        return new(
            kernel.States.GroupBy(s => s.State).ToImmutableDictionary(g => g.Key, g => g.Sum(s => (long)s.Count)),
            age < TimeSpan.Zero ? TimeSpan.Zero : age,
            (long)kernel.Foreign,
            kernel.Error);
    }
}
