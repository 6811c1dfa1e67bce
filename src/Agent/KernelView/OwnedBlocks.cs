using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.KernelView;

/// <summary>The blocks of a run, for the question whether a source address and port belong to it.</summary>
public sealed class OwnedBlocks
{
    private const int WordBits = 64;
    private const int Words = 65536 / BlockRange.PortsPerBlock / WordBits;

    private readonly Span[] _v4;
    private readonly Span[] _v6;

    /// <summary>Takes the blocks apart; ranges may overlap.</summary>
    public OwnedBlocks(ImmutableArray<BlockRange> blocks) => (_v4, _v6) = (Flatten(blocks, v6: false), Flatten(blocks, v6: true));

    /// <summary>Consecutive sources that own the same groups of 256 ports; bit n of the map for the group from port 256 n on.</summary>
    private readonly record struct Span(UInt128 First, UInt128 Last, ulong[] Groups);

    /// <summary>Whether the port of the source lies in one of the blocks. No allocation, logarithmic in the spans of sources.</summary>
    public bool Contains(IpAddress source, int port) => IsOwned(GroupsOf(source), port);

    /// <summary>Whether a port lies in groups that <see cref="GroupsOf"/> gave.</summary>
    public static bool IsOwned(ulong[]? groups, int port) => groups is not null && IsSet(groups, port / BlockRange.PortsPerBlock);

    /// <summary>The groups of 256 ports that are owned of a source; null when none is.</summary>
    public ulong[]? GroupsOf(IpAddress source)
    {
        var spans = source.IsV6 ? _v6 : _v4;
        var (low, high) = (0, spans.Length - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            ref readonly var span = ref spans[middle];
            if (source.Value < span.First)
                high = middle - 1;
            else if (source.Value > span.Last)
                low = middle + 1;
            else
                return span.Groups;
        }

        return null;
    }

    private static bool IsSet(ulong[] groups, int group) => (groups[group / WordBits] >> (group % WordBits) & 1) != 0;

    /// <summary>Cuts the line of addresses wherever a range begins or ends; between two cuts the blocks are the same.</summary>
    private static Span[] Flatten(ImmutableArray<BlockRange> blocks, bool v6)
    {
        var family = blocks.Where(b => b.Sources.First.IsV6 == v6).OrderBy(b => b.Sources.First.Value).ToList();
        var cuts = family.SelectMany(b => new[] { b.Sources.First.Value, b.Sources.Last.Value + 1 }).Distinct().Order().ToList();
        var spans = new List<Span>();
        var active = new List<BlockRange>();
        var next = 0;
        for (var i = 0; i + 1 < cuts.Count; i++)
        {
            active.RemoveAll(b => b.Sources.Last.Value < cuts[i]);
            for (; next < family.Count && family[next].Sources.First.Value == cuts[i]; next++)
                active.Add(family[next]);
            if (active.Count > 0)
                spans.Add(new(cuts[i], cuts[i + 1] - 1, Groups(active)));
        }

        return [.. spans];
    }

    private static ulong[] Groups(List<BlockRange> blocks)
    {
        var groups = new ulong[Words];
        foreach (var block in blocks)
        {
            var first = block.FirstPort / BlockRange.PortsPerBlock;
            for (var group = first; group < first + block.PortBlocks; group++)
                groups[group / WordBits] |= 1UL << (group % WordBits);
        }

        return groups;
    }
}
