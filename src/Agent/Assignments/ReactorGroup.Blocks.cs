using System.Collections.Immutable;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Assignments;

/// <content>Blocks that are wanted back, and those whose source address is gone: others take over what is missing.</content>
internal sealed partial class ReactorGroup
{
    private const long ProbeNanos = 3_000_000_000;
    private const long SpreadNanos = 2_000_000_000;

    private readonly HashSet<(IpAddress Source, int FirstPort)> _empty = [];
    private readonly SortedSet<IpAddress> _gone = [];
    private (Assignment Assignment, long StartNanos)? _pursued;
    private long _probedNanos;
    private long _spreadNanos;

    /// <inheritdoc/>
    public ImmutableArray<BlockRange> EmptyBlocks => BlockRanges.Of(_empty);

    /// <inheritdoc/>
    public ImmutableArray<IpAddress> GoneSources => [.. _gone];

    private AssignmentRefusal? RefuseLoss(List<(IpAddress Source, int FirstPort)> leaving)
    {
        var kept = leaving.Where(b => !IsEmpty(b)).ToList();
        if (kept.Count == 0)
            return null;
        var (source, first) = kept[0];
        var isRetiring = _blocks[kept[0]].Retiring.Contains(kept[0]);
        return new("slice.blocks", "change",
            $"block {source} ports {first}-{first + BlockRange.PortsPerBlock - 1} is missing, but "
            + (isRetiring ? "it still has live or resting tuples" : "this agent works with it")
            + (kept.Count > 1 ? $" ({kept.Count:N0} such blocks)" : "")
            + "; let it retire first, and leave it out once the agent reports it empty");
    }

    // What no reactor was handed yet is empty.
    private bool IsEmpty((IpAddress, int) block) => _empty.Contains(block) || _blocks[block].NewBlocks.Contains(block);

    private void GiveBack(List<(IpAddress Source, int FirstPort)> leaving)
    {
        foreach (var block in leaving)
        {
            _blocks[block].GiveBack(block);
            _blocks.Remove(block);
            _empty.Remove(block);
        }
    }

    private void Retire(Dictionary<(IpAddress Source, int FirstPort), bool> blocks)
    {
        foreach (var (block, retiring) in blocks)
        {
            if (retiring)
            {
                _blocks[block].Retiring.Add(block);
            }
            else
            {
                _blocks[block].Retiring.Remove(block);
                _empty.Remove(block);
            }
        }
    }

    private void NoteBlocks(SampleBuilder builder)
    {
        _empty.Clear();
        foreach (var member in _members)
        {
            _empty.UnionWith(member.Snapshot.EmptyBlocks.Where(member.Retiring.Contains));
            foreach (var source in member.Snapshot.GoneSources)
            {
                if (!_gone.Add(source))
                    continue;
                builder.CountGoneSource();
                Tell(new ConnectCommand.SetGone(source, true));
            }
        }

        ProbeGone();
        SpreadMissing();
    }

    private void ProbeGone()
    {
        var now = Clock.BoottimeNanos;
        if (_gone.Count == 0 || now - _probedNanos < ProbeNanos)
            return;
        _probedNanos = now;
        foreach (var source in _gone.Where(SourceProbe.IsThere).ToList())
        {
            _gone.Remove(source);
            Tell(new ConnectCommand.SetGone(source, false));
        }
    }

    // A reactor without tuples keeps what it has; those that have some take over what it misses.
    private void SpreadMissing()
    {
        var now = Clock.BoottimeNanos;
        if (_pursued is not { } pursued || now - _spreadNanos < SpreadNanos || (_gone.Count == 0 && _members.TrueForAll(m => m.Retiring.Count == 0)))
            return;
        if (!_members.Exists(m => m.IsStuck) || !_members.Exists(m => !m.IsStuck && m.FreeTuples > 0))
            return;
        _spreadNanos = now;
        Pursue(pursued.Assignment, pursued.StartNanos);
    }

    private void Tell(ReactorCommand command)
    {
        foreach (var member in _members)
            member.Reactor.Post(command);
    }
}
