using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Runs;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Coordinator.Api;

internal static partial class WireTranslation
{
    public static Wire.RunSockets ToMessage(string runId, RunSockets sockets) => new()
    {
        RunId = runId,
        Taken = sockets.TakenAt is { } taken ? Duration.FromTimeSpan(taken) : null,
        Age = sockets.Age is { } age ? Duration.FromTimeSpan(age) : null,
        States = { ToMessages(sockets.States) },
        Sources = { sockets.Sources.Select(ToMessage) },
        Destinations = { sockets.Destinations.Select(ToMessage) },
        Foreign = (ulong)sockets.Foreign,
        Counters = sockets.Counters is { } counters ? ToMessage(counters) : null,
    };

    private static Wire.SocketsOverview ToMessage(SocketsOverview sockets) => new()
    {
        SourceCount = (ulong)sockets.SourceCount,
        DestinationCount = (ulong)sockets.DestinationCount,
        TopSources = { sockets.TopSources.Select(ToMessage) },
        TopDestinations = { sockets.TopDestinations.Select(ToMessage) },
        LeastSource = sockets.LeastSource is { } source ? ToMessage(source) : null,
        LeastDestination = sockets.LeastDestination is { } destination ? ToMessage(destination) : null,
    };

    private static Wire.EndpointSockets ToMessage(KeyValuePair<EndpointAddress, StateCounts> sockets) => new()
    {
        Address = ByteString.CopyFrom(sockets.Key.Address.ToBytes()),
        Port = (uint)sockets.Key.Port,
        States = { ToMessages(sockets.Value) },
    };

    private static IEnumerable<Wire.StateCount> ToMessages(StateCounts states) =>
        states.Occurring.Select(s => new Wire.StateCount { State = s.State, Count = (ulong)s.Count });

    private static Wire.TcpCounters ToMessage(TcpCounterValues counters) => new()
    {
        ListenOverflows = (ulong)counters.ListenOverflows,
        ListenDrops = (ulong)counters.ListenDrops,
        TimeWaitOverflow = (ulong)counters.TimeWaitOverflow,
        AbortOnMemory = (ulong)counters.AbortOnMemory,
        SynRetransmits = (ulong)counters.SynRetransmits,
        RetransmittedSegments = (ulong)counters.RetransmittedSegments,
    };
}
