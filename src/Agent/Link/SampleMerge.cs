using System.Collections.Immutable;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.KernelView;
using LoadHarness.Protos;
using GrowthStop = LoadHarness.V1.GrowthStop;

namespace LoadHarness.Agent.Link;

/// <summary>Makes one sample of two neighbours: resolution is lost, counts are kept.</summary>
internal static class SampleMerge
{
    /// <summary>Whether two samples are neighbours of one run: a gap between them must stay visible.</summary>
    public static bool CanMerge(AgentSample earlier, AgentSample later) =>
        earlier.RunId == later.RunId && earlier.ToMillis == later.FromMillis;

    /// <summary>
    /// Counters add up, gauges are the later ones, highest values stay the highest. Histogram deltas are put side by side: their
    /// reader adds them.
    /// </summary>
    public static AgentSample Merge(AgentSample earlier, AgentSample later) => later with
    {
        FromMillis = earlier.FromMillis,
        Counts = Merge(earlier.Counts, later.Counts),
        Failures = Merge(earlier.Failures, later.Failures),
        Histograms = [.. earlier.Histograms, .. later.Histograms],
        Health = Merge(earlier.Health, later.Health),
        Kernel = Merge(earlier.Kernel, later.Kernel),
        KernelTakenAtMillis = IsNewest(earlier.Kernel, later.Kernel) ? later.KernelTakenAtMillis : earlier.KernelTakenAtMillis,
        Sockets = Merge(earlier.Sockets, later.Sockets),
    };

    private static Counts Merge(in Counts earlier, in Counts later) => later with
    {
        EstablishedMax = Math.Max(earlier.EstablishedMax, later.EstablishedMax),
        Scheduled = earlier.Scheduled + later.Scheduled,
        Offered = earlier.Offered + later.Offered,
        Opened = earlier.Opened + later.Opened,
        Failed = earlier.Failed + later.Failed,
        NotOffered = earlier.NotOffered + later.NotOffered,
        Reopened = earlier.Reopened + later.Reopened,
        ClosedByPeer = earlier.ClosedByPeer + later.ClosedByPeer,
        Closed = earlier.Closed + later.Closed,
        Aborted = earlier.Aborted + later.Aborted,
        DrainPausedMillis = earlier.DrainPausedMillis + later.DrainPausedMillis,
        StormClosed = earlier.StormClosed + later.StormClosed,
        StormOpened = earlier.StormOpened + later.StormOpened,
        SkippedTuples = earlier.SkippedTuples + later.SkippedTuples,
        DroppedPorts = earlier.DroppedPorts + later.DroppedPorts,
        BytesReceived = earlier.BytesReceived + later.BytesReceived,
        BytesSent = earlier.BytesSent + later.BytesSent,
        Resumed = earlier.Resumed + later.Resumed,
        RequestsScheduled = earlier.RequestsScheduled + later.RequestsScheduled,
        RequestsOffered = earlier.RequestsOffered + later.RequestsOffered,
        RequestsCompleted = earlier.RequestsCompleted + later.RequestsCompleted,
        RequestsFailed = earlier.RequestsFailed + later.RequestsFailed,
        RequestsNotOffered = earlier.RequestsNotOffered + later.RequestsNotOffered,
    };

    private static ImmutableArray<FailureTally> Merge(ImmutableArray<FailureTally> earlier, ImmutableArray<FailureTally> later) =>
    [
        .. earlier.Concat(later)
            .GroupBy(f => f with { Count = 0 })
            .Select(kind => kind.Key with { Count = kind.Sum(f => f.Count) }),
    ];

    private static Health Merge(Health earlier, Health later) => later with
    {
        ReactorLagMaxMicros = Math.Max(earlier.ReactorLagMaxMicros, later.ReactorLagMaxMicros),
        CpuMicros = earlier.CpuMicros + later.CpuMicros,
        // Of the longer interval: exact when it was the same reactor both times, else the most that it can have been.
        ReactorCpuMaxMicros = earlier.ReactorCpuMaxMicros + later.ReactorCpuMaxMicros,
        Saturated = earlier.Saturated || later.Saturated,
        GrowthStop = later.GrowthStop == GrowthStop.None ? earlier.GrowthStop : later.GrowthStop,
    };

    // A dump is worth more than what was read between two of them; the newer numbers of the namespace go along with it.
    private static KernelReading? Merge(KernelReading? earlier, KernelReading? later) => IsNewest(earlier, later)
        ? later
        : earlier! with { Sockstat = later?.Sockstat ?? earlier.Sockstat, Counters = later?.Counters ?? earlier.Counters };

    private static bool IsNewest(KernelReading? earlier, KernelReading? later) =>
        earlier is null || later is { NamespaceOnly: false } || (later is not null && earlier.NamespaceOnly);

    private static SocketCounts? Merge(SocketCounts? earlier, SocketCounts? later)
    {
        if (earlier is null || later is null || later.Whole)
            return later ?? earlier;
        return new(earlier.Whole, earlier.Sources.SetItems(later.Sources), earlier.Destinations.SetItems(later.Destinations));
    }
}
