using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Cli;

/// <summary>A run's sockets by source and by destination, as its user sees them.</summary>
public sealed record SocketsView
{
    /// <summary>Whose.</summary>
    public required string RunId { get; init; }

    /// <summary>Elapsed when the oldest reading was taken; null when the kernel was not read yet.</summary>
    public TimeSpan? TakenAt { get; init; }

    /// <summary>How old that reading is.</summary>
    public TimeSpan? Age { get; init; }

    /// <summary>By source.</summary>
    public ImmutableArray<EndpointView> Sources { get; init; } = [];

    /// <summary>By destination; by address when there are too many, empty when even these are.</summary>
    public ImmutableArray<EndpointView> Destinations { get; init; } = [];

    /// <summary>Sockets to the target from outside the run.</summary>
    public long Foreign { get; init; }

    /// <summary>What the clients' hosts counted since the run started, by the kernel's names.</summary>
    public ImmutableArray<(string Name, long Count)> Counters { get; init; } = [];
}

/// <summary>One source or destination.</summary>
/// <param name="Endpoint">Port 0: all ports of the address.</param>
/// <param name="States">Its sockets.</param>
public sealed record EndpointView(EndpointAddress Endpoint, StateCounts States);

/// <summary>Sources and destinations in short.</summary>
/// <param name="SourceCount">Sources that have sockets.</param>
/// <param name="DestinationCount">Destinations that have sockets.</param>
/// <param name="TopSources">Those with most sockets, most first.</param>
/// <param name="TopDestinations">Likewise.</param>
/// <param name="LeastSource">The one with the fewest.</param>
/// <param name="LeastDestination">The one with the fewest.</param>
public sealed record SocketsOverviewView(
    long SourceCount,
    long DestinationCount,
    ImmutableArray<EndpointView> TopSources,
    ImmutableArray<EndpointView> TopDestinations,
    EndpointView? LeastSource,
    EndpointView? LeastDestination);
