using System.Collections.Immutable;
using Google.Protobuf;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Cli;

internal static partial class WireTranslation
{
    public static SocketsView FromWire(RunSockets sockets) => new()
    {
        RunId = sockets.RunId,
        TakenAt = sockets.Taken?.ToTimeSpan(),
        Age = sockets.Age?.ToTimeSpan(),
        Sources = [.. sockets.Sources.Select(FromWire)],
        Destinations = [.. sockets.Destinations.Select(FromWire)],
        Foreign = (long)sockets.Foreign,
        Counters = sockets.Counters is { } counters ? FromWire(counters) : [],
    };

    private static SocketsOverviewView FromWire(SocketsOverview sockets) => new(
        (long)sockets.SourceCount,
        (long)sockets.DestinationCount,
        [.. sockets.TopSources.Select(FromWire)],
        [.. sockets.TopDestinations.Select(FromWire)],
        sockets.LeastSource is { } source ? FromWire(source) : null,
        sockets.LeastDestination is { } destination ? FromWire(destination) : null);

    private static EndpointView FromWire(EndpointSockets sockets) => new(
        new(ToAddress(sockets.Address), (int)sockets.Port), StateCounts.Of(sockets.States.Select(s => (s.State, (long)s.Count))));

    // A coordinator that says something else is none of ours; the unspecified address shows it.
    private static IpAddress ToAddress(ByteString bytes) => bytes.Length is 4 or 16 ? IpAddress.FromBytes(bytes.Span) : default;

    private static ImmutableArray<(string Name, long Count)> FromWire(TcpCounters counters) =>
    [
        ("ListenOverflows", (long)counters.ListenOverflows),
        ("ListenDrops", (long)counters.ListenDrops),
        ("TCPTimeWaitOverflow", (long)counters.TimeWaitOverflow),
        ("TCPAbortOnMemory", (long)counters.AbortOnMemory),
        ("TCPSynRetrans", (long)counters.SynRetransmits),
        ("RetransSegs", (long)counters.RetransmittedSegments),
    ];
}
