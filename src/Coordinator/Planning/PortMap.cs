using System.Collections;
using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>Which source ports of a namespace may be bound, in groups of 256.</summary>
public sealed class PortMap
{
    private const int PortCount = 65536;
    private const int GroupCount = PortCount / BlockRange.PortsPerBlock;
    private readonly BitArray _usable = new(PortCount);
    private readonly int[] _inGroup = new int[GroupCount];

    private PortMap()
    {
    }

    /// <summary>The ports of <paramref name="allowed"/> that are not among <paramref name="excluded"/>; port 0 never is.</summary>
    public static PortMap Of(IEnumerable<PortSpan> allowed, IEnumerable<PortSpan> excluded)
    {
        var map = new PortMap();
        map.Set(allowed, true);
        map.Set(excluded, false);
        map._usable[0] = false;
        for (var port = 0; port < PortCount; port++)
            map._inGroup[port / BlockRange.PortsPerBlock] += map._usable[port] ? 1 : 0;
        map.Groups = [.. Enumerable.Range(0, GroupCount).Where(g => map._inGroup[g] > 0)];
        map.Count = map._inGroup.Sum();
        return map;
    }

    /// <summary>Groups with at least one usable port, ascending; group g begins at port 256 g.</summary>
    public ImmutableArray<int> Groups { get; private set; } = [];

    /// <summary>Usable ports in all.</summary>
    public int Count { get; private set; }

    /// <summary>Usable ports of one group.</summary>
    public int CountIn(int group) => _inGroup[group];

    /// <summary>Whether a port may be bound.</summary>
    public bool IsUsable(int port) => _usable[port];

    /// <summary>The usable ports as spans, ascending.</summary>
    public ImmutableArray<PortSpan> Usable() => Spans(0, PortCount - 1, true);

    /// <summary>Ports inside blocks that must not be bound, ascending; port 0 is left out, it is never used anyway.</summary>
    public ImmutableArray<PortSpan> UnusableIn(IEnumerable<BlockRange> blocks)
    {
        var groups = new bool[GroupCount];
        foreach (var block in blocks)
            groups.AsSpan(block.FirstPort / BlockRange.PortsPerBlock, block.PortBlocks).Fill(true);
        var spans = ImmutableArray.CreateBuilder<PortSpan>();
        for (var group = 0; group < GroupCount; group++)
        {
            if (!groups[group])
                continue;
            var first = group * BlockRange.PortsPerBlock;
            foreach (var span in Spans(Math.Max(1, first), first + BlockRange.PortsPerBlock - 1, false))
            {
                if (spans.Count > 0 && spans[^1].Last + 1 == span.First)
                    spans[^1] = spans[^1] with { Last = span.Last };
                else
                    spans.Add(span);
            }
        }

        return spans.ToImmutable();
    }

    private ImmutableArray<PortSpan> Spans(int first, int last, bool usable)
    {
        var spans = ImmutableArray.CreateBuilder<PortSpan>();
        for (var port = first; port <= last; port++)
        {
            if (_usable[port] != usable)
                continue;
            var start = port;
            while (port < last && _usable[port + 1] == usable)
                port++;
            spans.Add(new PortSpan(start, port));
        }

        return spans.ToImmutable();
    }

    private void Set(IEnumerable<PortSpan> spans, bool value)
    {
        foreach (var span in spans)
        {
            for (var port = Math.Max(0, span.First); port <= Math.Min(PortCount - 1, span.Last); port++)
                _usable[port] = value;
        }
    }
}
