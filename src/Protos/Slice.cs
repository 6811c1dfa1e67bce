using System.Collections.Immutable;

namespace LoadHarness.Protos;

/// <summary>The blocks that one agent owns.</summary>
/// <param name="Blocks">Cross products of consecutive sources and consecutive groups of 256 ports.</param>
/// <param name="ExcludedPorts">Ports inside the blocks that must not be bound.</param>
/// <param name="Rest">How long a tuple rests after its connection ended.</param>
public sealed record Slice(ImmutableArray<BlockRange> Blocks, ImmutableArray<PortSpan> ExcludedPorts, TimeSpan Rest)
{
    /// <summary>Blocks in all.</summary>
    public long BlockCount => Blocks.Sum(b => b.Count);
}
