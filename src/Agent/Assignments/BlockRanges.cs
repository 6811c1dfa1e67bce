using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Assignments;

/// <summary>Blocks as ranges, for messages. Pure.</summary>
internal static class BlockRanges
{
    /// <summary>One range for each run of neighbouring blocks of one source, all marked as retiring.</summary>
    public static ImmutableArray<BlockRange> Of(IEnumerable<(IpAddress Source, int FirstPort)> blocks)
    {
        var ranges = ImmutableArray.CreateBuilder<BlockRange>();
        foreach (var (source, first) in blocks.Order())
        {
            if (ranges.Count > 0 && ranges[^1] is var last && last.Sources.First == source
                && last.FirstPort + (last.PortBlocks * BlockRange.PortsPerBlock) == first)
                ranges[^1] = last with { PortBlocks = last.PortBlocks + 1 };
            else
                ranges.Add(new(new IpRange(source, 1), first, 1, Retiring: true));
        }

        return ranges.DrainToImmutable();
    }
}
