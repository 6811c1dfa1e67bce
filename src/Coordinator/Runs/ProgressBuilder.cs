using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Planning;

namespace LoadHarness.Coordinator.Runs;

/// <summary>Makes what a watcher sees out of the newest complete second.</summary>
internal static class ProgressBuilder
{
    /// <summary>Builds.</summary>
    /// <param name="timeline">Of the clients.</param>
    /// <param name="newest">Its newest complete second.</param>
    /// <param name="plan">With the goal.</param>
    /// <param name="members">The clients.</param>
    /// <param name="backends">The other side: its own timeline and its members.</param>
    public static RunProgress Build(
        Timeline timeline, SecondTotals newest, RunPlan plan, ImmutableArray<RunMember> members,
        (Timeline Timeline, ImmutableArray<RunMember> Members) backends)
    {
        var elapsed = TimeSpan.FromSeconds(newest.Second + 1L);
        var totals = timeline.Totals;
        return new RunProgress
        {
            Elapsed = elapsed,
            Goal = plan.Schedule.GoalAt(elapsed),
            Connecting = newest.Gauges.Connecting,
            Handshaking = newest.Gauges.Handshaking,
            Connects = ConnectsOf(newest.Counters),
            Requests = RequestsOf(newest, totals),
            Established = newest.Gauges.Established,
            Confirmed = newest.Gauges.Confirmed,
            Closing = newest.Gauges.Closing,
            OpensPerSecond = newest.Counters.Opened,
            Opened = totals.Opened,
            Reopened = totals.Reopened,
            ClosedByPeer = totals.ClosedByPeer,
            Failed = totals.Failed,
            Failures = timeline.Failures,
            Agents = [.. members.Select(m => AgentOf(timeline, m, elapsed))],
            Kernel = KernelOf(timeline.Kernel.Newest),
            Sockets = SocketsOverview.Of(timeline.Kernel),
            Saturated = newest.Saturated,
            Backends = [.. backends.Members.Select(m => BackendOf(backends.Timeline, m, elapsed))],
        };
    }

    private static ConnectProgress ConnectsOf(CounterValues second) => new()
    {
        Scheduled = second.Scheduled,
        Offered = second.Offered,
        Completed = second.Opened,
        Failed = second.Failed,
        NotOffered = second.NotOffered,
    };

    private static RequestProgress? RequestsOf(SecondTotals newest, CounterValues totals) => totals.RequestsScheduled == 0 ? null : new()
    {
        Scheduled = newest.Counters.RequestsScheduled,
        Offered = newest.Counters.RequestsOffered,
        Completed = newest.Counters.RequestsCompleted,
        Failed = newest.Counters.RequestsFailed,
        NotOffered = newest.Counters.RequestsNotOffered,
        InFlight = newest.Gauges.RequestsInFlight,
        Waiting = newest.Gauges.RequestsWaiting,
        TotalCompleted = totals.RequestsCompleted,
        TotalFailed = totals.RequestsFailed,
    };

    private static BackendProgress BackendOf(Timeline timeline, RunMember member, TimeSpan elapsed)
    {
        var totals = timeline.Agent(member.Agent.Id);
        return new BackendProgress
        {
            AgentId = member.Agent.Id,
            Accepted = totals?.Counters.Opened ?? 0,
            Established = totals?.Newest.Established ?? 0,
            AcceptsPerSecond = totals?.OpensPerSecond ?? 0,
            Cpu = totals?.Cores ?? 0,
            RssBytes = totals?.NewestHealth?.RssBytes ?? 0,
            Lost = member.Lost is not null,
            Stale = totals?.NewestAt is not { } at || at < elapsed,
        };
    }

    private static AgentProgress AgentOf(Timeline timeline, RunMember member, TimeSpan elapsed)
    {
        var totals = timeline.Agent(member.Agent.Id);
        return new AgentProgress
        {
            AgentId = member.Agent.Id,
            Share = member.Share,
            Established = totals?.Newest.Established ?? 0,
            OpensPerSecond = totals?.OpensPerSecond ?? 0,
            Failed = totals?.Counters.Failed ?? 0,
            Cpu = totals?.Cores ?? 0,
            RssBytes = totals?.NewestHealth?.RssBytes ?? 0,
            Lost = member.Lost is not null,
            Stale = totals?.NewestAt is not { } at || at < elapsed,
        };
    }

    private static KernelReading? KernelOf(KernelTotals totals) => totals.Namespaces == 0 && totals.Errors.IsEmpty ? null : new()
    {
        TakenAt = totals.OldestAt ?? TimeSpan.Zero,
        States = totals.States.ToImmutableDictionary(),
        Foreign = totals.Foreign,
        Error = string.Join("; ", totals.Errors),
    };
}
