using LoadHarness.Protos;

namespace LoadHarness.Agent.Engine;

/// <content>
/// Blocks in which nothing new is opened: their owner wants them back, or their source address is gone. Their tuples are set
/// aside as they are met or given back, and come back with the block.
/// </content>
public sealed partial class EndpointCursor
{
    private readonly TupleQueue _setAside = new();

    /// <summary>Opens nothing new in a block, or does so again; a block that is not there is passed over.</summary>
    public void Retire(IpAddress source, int firstPort, bool retiring)
    {
        foreach (var segment in _segments)
        {
            var block = segment.BlockOf(source, firstPort);
            if (block >= 0)
                Pause(segment, block, BlockPause.Retiring, retiring);
        }

        TakeBack();
    }

    /// <summary>Opens nothing new from a source address, or does so again.</summary>
    /// <returns>Whether that changes anything.</returns>
    public bool SetGone(IpAddress source, bool gone)
    {
        var changed = false;
        foreach (var segment in _segments)
        {
            for (var block = 0; block < segment.Blocks; block++)
            {
                if (segment.AddressOfBlock(block) == source)
                    changed |= Pause(segment, block, BlockPause.SourceGone, gone);
            }
        }

        TakeBack();
        return changed;
    }

    /// <summary>Whether a block has no live and no resting tuple, or is not there.</summary>
    public bool IsEmpty(IpAddress source, int firstPort)
    {
        foreach (var segment in _segments)
        {
            var block = segment.BlockOf(source, firstPort);
            for (var unit = segment.FirstUnit + block; block >= 0 && unit < segment.EndUnit; unit += segment.Blocks)
            {
                if (segment.Busy[unit - segment.FirstUnit] > 0)
                    return false;
            }
        }

        return true;
    }

    /// <summary>Gives an empty block back: it is never used again, unless it is added again.</summary>
    public void GiveBack(IpAddress source, int firstPort)
    {
        foreach (var segment in _segments)
        {
            var block = segment.BlockOf(source, firstPort);
            if (block < 0)
                continue;
            for (var unit = segment.FirstUnit + block; unit < segment.EndUnit; unit += segment.Blocks)
                Close(segment, unit);
            Pause(segment, block, BlockPause.GivenBack, true);
        }
    }

    private bool Pause(EndpointSegment segment, int block, BlockPause why, bool on)
    {
        var before = segment.Pauses[block];
        var after = on ? before | why : before & ~why;
        segment.Pauses[block] = after;
        if ((before == BlockPause.None) != (after == BlockPause.None))
        {
            for (var unit = segment.FirstUnit + block; unit < segment.EndUnit; unit += segment.Blocks)
            {
                if (!segment.Closed[unit - segment.FirstUnit])
                    CountUnit(segment, unit, after == BlockPause.None ? 1 : -1);
            }
        }

        return before != after;
    }

    // One turn through what was set aside: what is still paused goes to its end again.
    private void TakeBack()
    {
        for (var left = _setAside.Count; left > 0; left--)
        {
            var tuple = _setAside.Dequeue();
            if (IsOpen(SegmentOf(tuple.Unit), tuple))
                _unused.Enqueue(tuple, 0);
        }
    }
}
