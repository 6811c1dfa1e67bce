using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.KernelView;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Agent.Link;

internal static partial class WireTranslation
{
    public static Wire.UploadRequest ToMessage(NumberedSample numbered)
    {
        var sample = numbered.Sample;
        var message = new Wire.Sample
        {
            RunId = sample.RunId,
            Sequence = numbered.Sequence,
            FromMillis = sample.FromMillis,
            ToMillis = sample.ToMillis,
            Gauges = ToGauges(sample.Counts),
            Counters = ToCounters(sample.Counts),
            Failures = { sample.Failures.Select(ToMessage) },
            Histograms = { sample.Histograms.Select(ToMessage) },
            Health = ToMessage(sample.Health),
        };
        if (sample.Kernel is { } kernel)
            message.KernelView = ToMessage(kernel, sample.KernelTakenAtMillis);
        if (sample.Sockets is { } sockets)
            message.SocketCounts = ToMessage(sockets);
        return new() { Sample = message };
    }

    private static Wire.Gauges ToGauges(in Counts counts)
    {
        var gauges = new Wire.Gauges
        {
            Goal = Count(counts.Goal),
            Connecting = Count(counts.Connecting),
            Handshaking = Count(counts.Handshaking),
            Established = Count(counts.Established),
            Closing = Count(counts.Closing),
            RestingTuples = Count(counts.RestingTuples),
            FreeTuples = Count(counts.FreeTuples),
            EstablishedMax = Count(counts.EstablishedMax),
            RequestsInFlight = Count(counts.RequestsInFlight),
            RequestsWaiting = Count(counts.RequestsWaiting),
        };
        if (counts.Confirmed is { } confirmed)
            gauges.Confirmed = Count(confirmed);
        return gauges;
    }

    private static Wire.Counters ToCounters(in Counts counts) => new()
    {
        Scheduled = Count(counts.Scheduled),
        Offered = Count(counts.Offered),
        Opened = Count(counts.Opened),
        Failed = Count(counts.Failed),
        NotOffered = Count(counts.NotOffered),
        Reopened = Count(counts.Reopened),
        ClosedByPeer = Count(counts.ClosedByPeer),
        Closed = Count(counts.Closed),
        Aborted = Count(counts.Aborted),
        DrainPausedMillis = Count(counts.DrainPausedMillis),
        StormClosed = Count(counts.StormClosed),
        StormOpened = Count(counts.StormOpened),
        SkippedTuples = Count(counts.SkippedTuples),
        DroppedPorts = Count(counts.DroppedPorts),
        BytesReceived = Count(counts.BytesReceived),
        BytesSent = Count(counts.BytesSent),
        Resumed = Count(counts.Resumed),
        RequestsScheduled = Count(counts.RequestsScheduled),
        RequestsOffered = Count(counts.RequestsOffered),
        RequestsCompleted = Count(counts.RequestsCompleted),
        RequestsFailed = Count(counts.RequestsFailed),
        RequestsNotOffered = Count(counts.RequestsNotOffered),
    };

    private static Wire.FailureCount ToMessage(FailureTally tally) => new()
    {
        Reason = new() { Stage = tally.Stage, Party = tally.Party, Cause = tally.Cause },
        Errno = tally.Errno,
        Count = Count(tally.Count),
    };

    private static Wire.HistogramDelta ToMessage(EncodedHistogram histogram) => new()
    {
        Kind = histogram.Kind,
        Encoded = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(histogram.Encoded),
        Clamped = Count(histogram.Clamped),
    };

    private static Wire.AgentHealth ToMessage(Health health) => new()
    {
        ReactorLagMaxMicros = Count(health.ReactorLagMaxMicros),
        CpuMicros = Count(health.CpuMicros),
        ReactorCpuMaxMicros = Count(health.ReactorCpuMaxMicros),
        RssBytes = Count(health.RssBytes),
        BaseRssBytes = Count(health.BaseRssBytes),
        GrowthStop = health.GrowthStop,
        Saturated = health.Saturated,
        Reactors = (uint)Math.Max(0, health.Reactors),
        ReactorAllocatedBytes = Count(health.ReactorAllocatedBytes),
    };

    private static Wire.KernelView ToMessage(KernelReading reading, long takenAtMillis)
    {
        var view = new Wire.KernelView
        {
            TakenAtMillis = takenAtMillis,
            WallMicros = (long)reading.Wall.TotalMicroseconds,
            CpuMicros = (long)reading.Cpu.TotalMicroseconds,
            NamespaceOnly = reading.NamespaceOnly,
            States = { ToMessages(reading.States) },
            Foreign = Count(reading.Foreign),
            IntervalMillis = (long)reading.Interval.TotalMilliseconds,
            Error = reading.Error,
        };
        if (reading.Sockstat is { } sockstat)
        {
            view.Sockstat = new()
            {
                InUse = Count(sockstat.InUse),
                Orphan = Count(sockstat.Orphan),
                TimeWait = Count(sockstat.TimeWait),
                Allocated = Count(sockstat.Allocated),
                MemoryPages = Count(sockstat.MemoryPages),
            };
        }

        if (reading.Counters is { } counters)
        {
            view.Counters = new()
            {
                ListenOverflows = Count(counters.ListenOverflows),
                ListenDrops = Count(counters.ListenDrops),
                TimeWaitOverflow = Count(counters.TimeWaitOverflow),
                AbortOnMemory = Count(counters.AbortOnMemory),
                SynRetransmits = Count(counters.SynRetransmits),
                RetransmittedSegments = Count(counters.RetransmittedSegments),
            };
        }

        return view;
    }

    private static Wire.SocketCounts ToMessage(SocketCounts counts) => new()
    {
        Whole = counts.Whole,
        Sources = { counts.Sources.Select(ToMessage) },
        Destinations = { counts.Destinations.Select(ToMessage) },
    };

    private static Wire.EndpointSockets ToMessage(KeyValuePair<EndpointAddress, StateCounts> sockets) => new()
    {
        Address = ToBytes(sockets.Key.Address),
        Port = (uint)sockets.Key.Port,
        States = { ToMessages(sockets.Value) },
    };

    private static IEnumerable<Wire.StateCount> ToMessages(StateCounts states) =>
        states.Occurring.Select(s => new Wire.StateCount { State = s.State, Count = Count(s.Count) });
}
