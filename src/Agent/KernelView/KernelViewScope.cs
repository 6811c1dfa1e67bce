using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.KernelView;

/// <summary>What to count: the client ends of connections to these destinations.</summary>
/// <param name="Destinations">Addresses with ports.</param>
/// <param name="Owned">Everything that the run owns in this namespace; sockets from elsewhere are foreign.</param>
/// <param name="CoreShare">Share of one core that reading may take, above 0, at most 1.</param>
public sealed record KernelViewScope(ImmutableArray<Destination> Destinations, ImmutableArray<BlockRange> Owned, double CoreShare);
