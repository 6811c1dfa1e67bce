using System.Collections.Immutable;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Runs;

/// <summary>A run's sockets by source and by destination, as the kernels counted them last before the drain.</summary>
public sealed record RunSockets
{
    /// <summary>When the oldest of the readings was taken, elapsed; null when the kernel was not read yet.</summary>
    public TimeSpan? TakenAt { get; init; }

    /// <summary>How old that reading is now; null likewise.</summary>
    public TimeSpan? Age { get; init; }

    /// <summary>Sums over the sources.</summary>
    public StateCounts States { get; init; } = StateCounts.None;

    /// <summary>With port 0.</summary>
    public ImmutableSortedDictionary<EndpointAddress, StateCounts> Sources { get; init; } =
        ImmutableSortedDictionary<EndpointAddress, StateCounts>.Empty;

    /// <summary>With port 0 when there are too many; empty when even the addresses are.</summary>
    public ImmutableSortedDictionary<EndpointAddress, StateCounts> Destinations { get; init; } =
        ImmutableSortedDictionary<EndpointAddress, StateCounts>.Empty;

    /// <summary>Sockets to the target from outside the run's blocks.</summary>
    public long Foreign { get; init; }

    /// <summary>What the clients' namespaces counted since the run started; null when they did not say.</summary>
    public TcpCounterValues? Counters { get; init; }

    /// <summary>As the kernels said last.</summary>
    /// <param name="kernel">Of the clients.</param>
    /// <param name="elapsed">Now.</param>
    internal static RunSockets Of(HostView kernel, TimeSpan elapsed) => new()
    {
        TakenAt = kernel.SocketsAt,
        Age = kernel.SocketsAt is { } at ? elapsed > at ? elapsed - at : TimeSpan.Zero : null,
        States = kernel.BySource.Values.Aggregate(StateCounts.None, (sum, states) => sum + states),
        Sources = kernel.BySource,
        Destinations = kernel.ByDestination,
        Foreign = kernel.Newest.Foreign,
        Counters = kernel.Counters,
    };
}

/// <summary>The same in short, for a live view.</summary>
/// <param name="SourceCount">Sources that have sockets.</param>
/// <param name="DestinationCount">Destinations that have sockets.</param>
/// <param name="TopSources">Those with most sockets, most first.</param>
/// <param name="TopDestinations">Likewise.</param>
public sealed record SocketsOverview(
    int SourceCount,
    int DestinationCount,
    ImmutableArray<KeyValuePair<EndpointAddress, StateCounts>> TopSources,
    ImmutableArray<KeyValuePair<EndpointAddress, StateCounts>> TopDestinations)
{
    private const int Most = 8;

    /// <summary>The source with the fewest sockets; null when there is none.</summary>
    public KeyValuePair<EndpointAddress, StateCounts>? LeastSource { get; init; }

    /// <summary>The destination with the fewest; null when there is none.</summary>
    public KeyValuePair<EndpointAddress, StateCounts>? LeastDestination { get; init; }

    /// <summary>Null while the kernel has counted none.</summary>
    internal static SocketsOverview? Of(HostView kernel) => kernel.SocketsAt is null ? null : new(
        kernel.BySource.Count, kernel.ByDestination.Count, Top(kernel.BySource), Top(kernel.ByDestination))
    {
        LeastSource = Least(kernel.BySource),
        LeastDestination = Least(kernel.ByDestination),
    };

    private static ImmutableArray<KeyValuePair<EndpointAddress, StateCounts>> Top(
        ImmutableSortedDictionary<EndpointAddress, StateCounts> sockets) =>
        [.. sockets.OrderByDescending(s => s.Value.Total).ThenBy(s => s.Key).Take(Most)];

    private static KeyValuePair<EndpointAddress, StateCounts>? Least(ImmutableSortedDictionary<EndpointAddress, StateCounts> sockets) =>
        sockets.IsEmpty ? null : sockets.MinBy(s => s.Value.Total);
}
