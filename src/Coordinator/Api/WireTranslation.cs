using Google.Protobuf.WellKnownTypes;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.Runs;
using Wire = LoadHarness.V1;

namespace LoadHarness.Coordinator.Api;

/// <summary>Between the messages of Control and the coordinator's own records.</summary>
internal static partial class WireTranslation
{
    public static Wire.Run ToMessage(RunSnapshot run)
    {
        var message = new Wire.Run
        {
            Id = run.Id,
            Spec = ToMessage(run.Spec),
            State = (Wire.RunState)run.State,
            StateReason = run.Reason,
            CreateTime = run.CreateTime.ToTimestamp(),
            Plan = run.Plan is { } plan ? ToMessage(plan) : null,
            Progress = run.Progress is { } progress ? ToMessage(progress) : null,
        };
        if (run.SummaryJson is { } summary)
            message.SummaryJson = summary;
        message.Events.Add(run.Events.Select(ToMessage));
        return message;
    }

    private static Wire.RunEvent ToMessage(Aggregation.RunEvent happened) => new()
    {
        Elapsed = happened.Elapsed.ToDuration(),
        Kind = happened.Kind,
        AgentId = happened.AgentId,
        Message = happened.Message,
    };

    /// <summary>For lists: a page of summaries would be larger than a message may be.</summary>
    public static Wire.Run ToListed(RunSnapshot run) => ToMessage(run with { SummaryJson = null, Events = [] });

    public static Wire.Agent ToMessage(AgentState agent) => new()
    {
        Id = agent.Id,
        Labels = { agent.Hello.Labels },
        Inventory = Fleet.WireTranslation.ToMessage(agent.Hello.Inventory),
        RunId = agent.Run?.RunId ?? "",
        Connected = agent.Session is not null,
        Role = agent.Hello.Role,
        Version = new() { Major = agent.Hello.Version.Major, Minor = agent.Hello.Version.Minor },
        Capabilities = { agent.Hello.Capabilities.Order(StringComparer.Ordinal) },
        LastSeenTime = agent.LastSeen.ToTimestamp(),
    };

    public static Wire.AgentChecks ToMessage(CheckReply reply) => new()
    {
        AgentId = reply.Agent.Id,
        Host = reply.Agent.Hello.Inventory.Hostname,
        Checks = { reply.Checks.Select(Fleet.WireTranslation.ToMessage) },
        Error = reply.Error,
    };

    private static Wire.RunPlanView ToMessage(PlanOverview plan) => new()
    {
        Lines = { plan.Lines },
        Goal = (ulong)plan.Goal,
        Tuples = (ulong)plan.Tuples,
        Blocks = (ulong)plan.Blocks,
        HoldFrom = plan.HoldFrom.ToDuration(),
        DrainFrom = plan.DrainFrom.ToDuration(),
    };

    private static Wire.RunProgress ToMessage(RunProgress progress)
    {
        var message = new Wire.RunProgress
        {
            Elapsed = progress.Elapsed.ToDuration(),
            Goal = (ulong)progress.Goal,
            Connecting = (ulong)progress.Connecting,
            Handshaking = (ulong)progress.Handshaking,
            Connects = ToMessage(progress.Connects),
            Requests = progress.Requests is { } requests ? ToMessage(requests) : null,
            Established = (ulong)progress.Established,
            Closing = (ulong)progress.Closing,
            OpensPerSecond = progress.OpensPerSecond,
            Opened = (ulong)progress.Opened,
            Reopened = (ulong)progress.Reopened,
            ClosedByPeer = (ulong)progress.ClosedByPeer,
            Failed = (ulong)progress.Failed,
            Failures = { progress.Failures.Select(ToMessage) },
            Agents = { progress.Agents.Select(ToMessage) },
            KernelView = progress.Kernel is { } kernel ? ToMessage(kernel) : null,
            Sockets = progress.Sockets is { } sockets ? ToMessage(sockets) : null,
            Saturated = progress.Saturated,
            Backends = { progress.Backends.Select(ToMessage) },
        };
        if (progress.Confirmed is { } confirmed)
            message.Confirmed = (ulong)confirmed;
        return message;
    }

    private static Wire.ConnectProgress ToMessage(ConnectProgress connects) => new()
    {
        ScheduledPerSecond = connects.Scheduled,
        OfferedPerSecond = connects.Offered,
        CompletedPerSecond = connects.Completed,
        FailedPerSecond = connects.Failed,
        NotOfferedPerSecond = connects.NotOffered,
    };

    private static Wire.RequestProgress ToMessage(RequestProgress requests) => new()
    {
        ScheduledPerSecond = requests.Scheduled,
        OfferedPerSecond = requests.Offered,
        CompletedPerSecond = requests.Completed,
        FailedPerSecond = requests.Failed,
        NotOfferedPerSecond = requests.NotOffered,
        InFlight = (ulong)requests.InFlight,
        Waiting = (ulong)requests.Waiting,
        Completed = (ulong)requests.TotalCompleted,
        Failed = (ulong)requests.TotalFailed,
    };

    private static Wire.FailureCount ToMessage(FailureTally failure) => new()
    {
        Reason = new() { Stage = failure.Stage, Party = failure.Party, Cause = failure.Cause },
        Errno = failure.Errno,
        Count = (ulong)failure.Count,
    };

    private static Wire.AgentProgress ToMessage(AgentProgress agent) => new()
    {
        AgentId = agent.AgentId,
        Share = (ulong)agent.Share,
        Established = (ulong)agent.Established,
        OpensPerSecond = agent.OpensPerSecond,
        Failed = (ulong)agent.Failed,
        Cpu = agent.Cpu,
        RssBytes = (ulong)agent.RssBytes,
        Lost = agent.Lost,
        Stale = agent.Stale,
    };

    private static Wire.BackendProgress ToMessage(BackendProgress backend) => new()
    {
        AgentId = backend.AgentId,
        Accepted = (ulong)backend.Accepted,
        Established = (ulong)backend.Established,
        AcceptsPerSecond = backend.AcceptsPerSecond,
        Cpu = backend.Cpu,
        RssBytes = (ulong)backend.RssBytes,
        Lost = backend.Lost,
        Stale = backend.Stale,
    };

    private static Wire.KernelView ToMessage(KernelReading kernel) => new()
    {
        TakenAtMillis = (long)kernel.TakenAt.TotalMilliseconds,
        WallMicros = (long)kernel.Wall.TotalMicroseconds,
        CpuMicros = (long)kernel.Cpu.TotalMicroseconds,
        States = { kernel.States.OrderBy(s => s.Key).Select(s => new Wire.StateCount { State = s.Key, Count = (ulong)s.Value }) },
        Foreign = (ulong)kernel.Foreign,
        IntervalMillis = (long)kernel.Interval.TotalMilliseconds,
        Error = kernel.Error,
    };
}
