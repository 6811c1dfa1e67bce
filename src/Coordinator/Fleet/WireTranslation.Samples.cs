using System.Collections.Immutable;
using HdrHistogram;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

internal static partial class WireTranslation
{
    // No run lasts longer than this; it keeps sums of milliseconds far from overflow.
    private const long MaxElapsedMillis = 366L * 24 * 3600 * 1000;
    private const long MaxMicros = MaxElapsedMillis * 1000;

    // No host does more, and sums over the longest run stay below overflow.
    private const long MostPerSecond = 1_000_000_000;
    private const long MostBytesPerSecond = 100_000_000_000;
    private const long MostCores = 4096;

    // Whatever FailureCode says.
    private const int HighestErrno = 49_999;

    private const int MaxFailures = 1000;
    private const int MaxHistograms = 2000;
    private const int MaxEndpoints = 70_000;

    // Sums over agents and seconds stay far below overflow, whatever a broken agent claims.
    private const ulong MaxTally = 1UL << 48;

    public static AgentSample ToSample(Wire.Sample sample, AgentHello agent)
    {
        if (sample.FromMillis < 0 || sample.ToMillis < sample.FromMillis || sample.ToMillis > MaxElapsedMillis)
            throw new WireException("sample.to_millis", $"{sample.FromMillis} to {sample.ToMillis} ms is no interval of a run");
        var interval = TimeSpan.FromMilliseconds(sample.ToMillis - sample.FromMillis);
        return new AgentSample
        {
            AgentId = agent.AgentId,
            Incarnation = agent.Incarnation,
            NetworkNamespace = agent.Inventory.NetworkNamespace,
            Sequence = sample.Sequence,
            From = TimeSpan.FromMilliseconds(sample.FromMillis),
            To = TimeSpan.FromMilliseconds(sample.ToMillis),
            Gauges = ToGauges(sample.Gauges ?? throw new WireException("sample.gauges", "they are missing")),
            Counters = Plausible(ToCounters(sample.Counters ?? throw new WireException("sample.counters", "they are missing")), interval),
            Failures = [.. Few(sample.Failures, "sample.failures", MaxFailures).Select(f => ToFailure(f, interval))],
            Histograms = ToHistograms(sample.Histograms),
            Health = ToHealth(sample.Health ?? throw new WireException("sample.health", "it is missing"), interval),
            Kernel = sample.KernelView is { } view ? ToKernel(view) : null,
            Sockets = sample.SocketCounts is { } sockets ? ToSockets(sockets) : null,
        };
    }

    private static GaugeValues ToGauges(Wire.Gauges gauges) => new()
    {
        Goal = Tally(gauges.Goal, "sample.gauges.goal"),
        Connecting = Tally(gauges.Connecting, "sample.gauges.connecting"),
        Handshaking = Tally(gauges.Handshaking, "sample.gauges.handshaking"),
        Established = Tally(gauges.Established, "sample.gauges.established"),
        Confirmed = gauges.HasConfirmed ? Tally(gauges.Confirmed, "sample.gauges.confirmed") : null,
        Closing = Tally(gauges.Closing, "sample.gauges.closing"),
        RestingTuples = Tally(gauges.RestingTuples, "sample.gauges.resting_tuples"),
        FreeTuples = Tally(gauges.FreeTuples, "sample.gauges.free_tuples"),
        EstablishedMax = Tally(gauges.EstablishedMax, "sample.gauges.established_max"),
        RequestsInFlight = Tally(gauges.RequestsInFlight, "sample.gauges.requests_in_flight"),
        RequestsWaiting = Tally(gauges.RequestsWaiting, "sample.gauges.requests_waiting"),
    };

    private static CounterValues ToCounters(Wire.Counters counters) => new()
    {
        Scheduled = Tally(counters.Scheduled, "sample.counters.scheduled"),
        Offered = Tally(counters.Offered, "sample.counters.offered"),
        Opened = Tally(counters.Opened, "sample.counters.opened"),
        Failed = Tally(counters.Failed, "sample.counters.failed"),
        NotOffered = Tally(counters.NotOffered, "sample.counters.not_offered"),
        Reopened = Tally(counters.Reopened, "sample.counters.reopened"),
        ClosedByPeer = Tally(counters.ClosedByPeer, "sample.counters.closed_by_peer"),
        Closed = Tally(counters.Closed, "sample.counters.closed"),
        SkippedTuples = Tally(counters.SkippedTuples, "sample.counters.skipped_tuples"),
        DroppedPorts = Tally(counters.DroppedPorts, "sample.counters.dropped_ports"),
        BytesReceived = Tally(counters.BytesReceived, "sample.counters.bytes_received"),
        BytesSent = Tally(counters.BytesSent, "sample.counters.bytes_sent"),
        Aborted = Tally(counters.Aborted, "sample.counters.aborted"),
        DrainPausedMillis = Tally(counters.DrainPausedMillis, "sample.counters.drain_paused_millis"),
        StormClosed = Tally(counters.StormClosed, "sample.counters.storm_closed"),
        StormOpened = Tally(counters.StormOpened, "sample.counters.storm_opened"),
        Resumed = Tally(counters.Resumed, "sample.counters.resumed"),
        RequestsScheduled = Tally(counters.RequestsScheduled, "sample.counters.requests_scheduled"),
        RequestsOffered = Tally(counters.RequestsOffered, "sample.counters.requests_offered"),
        RequestsCompleted = Tally(counters.RequestsCompleted, "sample.counters.requests_completed"),
        RequestsFailed = Tally(counters.RequestsFailed, "sample.counters.requests_failed"),
        RequestsNotOffered = Tally(counters.RequestsNotOffered, "sample.counters.requests_not_offered"),
    };

    private static CounterValues Plausible(CounterValues counters, TimeSpan interval)
    {
        var most = Most(MostPerSecond, interval);
        long[] counts =
        [
            counters.Scheduled, counters.Offered, counters.Opened, counters.Failed, counters.NotOffered, counters.Reopened, counters.ClosedByPeer,
            counters.Closed, counters.SkippedTuples, counters.DroppedPorts, counters.Aborted, counters.DrainPausedMillis, counters.StormClosed,
            counters.StormOpened, counters.Resumed, counters.RequestsScheduled, counters.RequestsOffered, counters.RequestsCompleted,
            counters.RequestsFailed, counters.RequestsNotOffered,
        ];
        if (counts.Max() > most || Math.Max(counters.BytesReceived, counters.BytesSent) > Most(MostBytesPerSecond, interval))
            throw new WireException("sample.counters", $"more than {MostPerSecond:N0} of a kind per second, or {MostBytesPerSecond:N0} bytes, is more than a host can do");
        return counters;
    }

    // A moment counts as a second: what is short may have been in full swing.
    private static long Most(long perSecond, TimeSpan interval) => perSecond * ((long)interval.TotalSeconds + 1);

    private static FailureTally ToFailure(Wire.FailureCount failure, TimeSpan interval)
    {
        var reason = failure.Reason ?? throw new WireException("sample.failures.reason", "it is missing");
        if (failure.Errno is < 0 or > HighestErrno)
            throw new WireException("sample.failures.errno", $"{failure.Errno} is out of range, 0 to {HighestErrno} is allowed");
        if (failure.Count > (ulong)Most(MostPerSecond, interval))
            throw new WireException("sample.failures.count", $"{failure.Count} is more than a host can fail at");
        return new(reason.Stage, reason.Party, reason.Cause, failure.Errno, (long)failure.Count);
    }

    private static ImmutableDictionary<Wire.HistogramKind, HistogramBase> ToHistograms(IReadOnlyCollection<Wire.HistogramDelta> deltas)
    {
        Few(deltas, "sample.histograms", MaxHistograms);
        // An agent that merged samples sends their deltas side by side.
        var histograms = ImmutableDictionary.CreateBuilder<Wire.HistogramKind, HistogramBase>();
        foreach (var delta in deltas)
        {
            var path = $"sample.histograms[{delta.Kind}]";
            if (delta.Kind == Wire.HistogramKind.Unspecified || !Enum.IsDefined(delta.Kind))
                throw new WireException(path, "the contract names no such kind");
            try
            {
                if (!histograms.TryGetValue(delta.Kind, out var sum))
                    histograms.Add(delta.Kind, sum = HistogramLayout.Create());
                HistogramLayout.AddTo(sum, delta.Encoded.Span);
            }
            catch (InvalidDataException e)
            {
                throw new WireException(path, e.Message);
            }
        }

        return histograms.ToImmutable();
    }

    private static HealthValues ToHealth(Wire.AgentHealth health, TimeSpan interval) => new()
    {
        ReactorLagMax = Micros(health.ReactorLagMaxMicros),
        Cpu = Least(Micros(health.CpuMicros), MostCores * (interval + TimeSpan.FromSeconds(1))),
        ReactorCpuMax = Micros(health.ReactorCpuMaxMicros),
        RssBytes = Tally(health.RssBytes, "sample.health.rss_bytes"),
        Saturated = health.Saturated,
        Reactors = (int)Math.Min(health.Reactors, int.MaxValue),
        BaseRssBytes = Tally(health.BaseRssBytes, "sample.health.base_rss_bytes"),
        GrowthStop = health.GrowthStop,
    };

    private static KernelReading ToKernel(Wire.KernelView view)
    {
        if (Math.Abs((decimal)view.TakenAtMillis) > MaxElapsedMillis || view.IntervalMillis is < 0 or > MaxElapsedMillis)
            throw new WireException("sample.kernel_view.taken_at_millis", $"{view.TakenAtMillis} ms is no instant of a run");
        return new KernelReading
        {
            TakenAt = TimeSpan.FromMilliseconds(view.TakenAtMillis),
            NamespaceOnly = view.NamespaceOnly,
            States = ToStates(view.States, "sample.kernel_view.states").Occurring.ToImmutableDictionary(s => s.State, s => s.Count),
            Foreign = Tally(view.Foreign, "sample.kernel_view.foreign"),
            Interval = TimeSpan.FromMilliseconds(view.IntervalMillis),
            Wall = Micros((ulong)Math.Max(0, view.WallMicros)),
            Cpu = Micros((ulong)Math.Max(0, view.CpuMicros)),
            Sockstat = view.Sockstat is { } sockstat ? ToSockstat(sockstat) : null,
            Counters = view.Counters is { } counters ? ToCounters(counters) : null,
            Error = Bounded(view.Error, "sample.kernel_view.error"),
        };
    }

    private static SockstatValues ToSockstat(Wire.Sockstat sockstat) => new(
        Tally(sockstat.InUse, "sample.kernel_view.sockstat.in_use"),
        Tally(sockstat.Orphan, "sample.kernel_view.sockstat.orphan"),
        Tally(sockstat.TimeWait, "sample.kernel_view.sockstat.time_wait"),
        Tally(sockstat.Allocated, "sample.kernel_view.sockstat.allocated"),
        Tally(sockstat.MemoryPages, "sample.kernel_view.sockstat.memory_pages"));

    private static TcpCounterValues ToCounters(Wire.TcpCounters counters) => new(
        Tally(counters.ListenOverflows, "sample.kernel_view.counters.listen_overflows"),
        Tally(counters.ListenDrops, "sample.kernel_view.counters.listen_drops"),
        Tally(counters.TimeWaitOverflow, "sample.kernel_view.counters.time_wait_overflow"),
        Tally(counters.AbortOnMemory, "sample.kernel_view.counters.abort_on_memory"),
        Tally(counters.SynRetransmits, "sample.kernel_view.counters.syn_retransmits"),
        Tally(counters.RetransmittedSegments, "sample.kernel_view.counters.retransmitted_segments"));

    private static SocketTally ToSockets(Wire.SocketCounts counts) => new(
        counts.Whole,
        ToEndpoints(counts.Sources, "sample.socket_counts.sources"),
        ToEndpoints(counts.Destinations, "sample.socket_counts.destinations"));

    private static ImmutableDictionary<EndpointAddress, StateCounts> ToEndpoints(IReadOnlyCollection<Wire.EndpointSockets> sockets, string path)
    {
        var endpoints = ImmutableDictionary.CreateBuilder<EndpointAddress, StateCounts>();
        foreach (var one in Few(sockets, path, MaxEndpoints))
        {
            if (one.Port > ushort.MaxValue)
                throw new WireException(path + ".port", $"{one.Port} is no port");
            endpoints[new(ToAddress(one.Address, path + ".address"), (int)one.Port)] = ToStates(one.States, path + ".states");
        }

        return endpoints.ToImmutable();
    }

    private static StateCounts ToStates(IReadOnlyCollection<Wire.StateCount> states, string path) =>
        StateCounts.Of(Few(states, path, MaxStates).Select(s => (s.State, Tally(s.Count, path))));

    private static TimeSpan Least(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private static TimeSpan Micros(ulong micros) => new((long)Math.Min(micros, MaxMicros) * TimeSpan.TicksPerMicrosecond);

    private static long Tally(ulong value, string path) => value <= MaxTally
        ? (long)value
        : throw new WireException(path, $"{value} is out of range, at most {MaxTally} is allowed");
}
