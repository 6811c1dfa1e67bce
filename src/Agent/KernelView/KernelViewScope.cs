using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.KernelView;

/// <summary>What to count: the client ends of connections to these destinations, or the server ends on these ports.</summary>
/// <param name="Destinations">Addresses with ports.</param>
/// <param name="Owned">Everything that the run owns in this namespace; sockets from elsewhere are foreign.</param>
/// <param name="CoreShare">Share of one core that reading may take, above 0, at most 1.</param>
public sealed record KernelViewScope(ImmutableArray<Destination> Destinations, ImmutableArray<BlockRange> Owned, double CoreShare)
{
    /// <summary>Of a backend: the ports that it listens on, in rising order without overlaps. Empty: the client ends are counted.</summary>
    public ImmutableArray<PortSpan> ListeningPorts { get; private init; } = [];

    /// <summary>The server ends of connections on these ports.</summary>
    public static KernelViewScope OfListeners(ImmutableArray<PortSpan> ports, double coreShare) =>
        new([], [], coreShare) { ListeningPorts = ports };

    /// <summary>Whether the same is counted.</summary>
    public bool Equals(KernelViewScope? other) => other is not null && CoreShare.Equals(other.CoreShare)
        && Destinations.SequenceEqual(other.Destinations) && Owned.SequenceEqual(other.Owned)
        && ListeningPorts.SequenceEqual(other.ListeningPorts);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(CoreShare, Destinations.Length, Owned.Length, ListeningPorts.Length);
}
