using System.Collections.Immutable;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Measurement;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Assignments;

/// <summary>One reactor of a run with the blocks that it owns. Used by one plain thread.</summary>
internal sealed class ReactorMember(Reactor reactor)
{
    private readonly HashSet<(IpAddress Source, int FirstPort)> _toldRetiring = [];
    private readonly List<(IpAddress Source, int FirstPort)> _leaving = [];
    private ReactorGoal? _goal;

    public Reactor Reactor => reactor;

    public ReactorSnapshot Snapshot { get; } = new();

    /// <summary>Blocks that it has not been handed yet.</summary>
    public List<(IpAddress Source, int FirstPort)> NewBlocks { get; private set; } = [];

    public List<(IpAddress Source, int FirstPort)> Blocks { get; } = [];

    /// <summary>Of its blocks, old and new: those that are wanted back.</summary>
    public HashSet<(IpAddress Source, int FirstPort)> Retiring { get; } = [];

    /// <summary>Whether it had fewer connections than its goal, and no tuple for more, at the last snapshot.</summary>
    public bool IsStuck => Snapshot is { IsFilled: true, EndpointSpaceExhausted: true };

    /// <summary>Tuples that it could take at the last snapshot.</summary>
    public long FreeTuples => Snapshot.IsFilled ? Snapshot.Counters.FreeTuples : 0;

    /// <summary>What it keeps of its goal when that is dealt out anew.</summary>
    public long BaseAt(TimeSpan elapsed)
    {
        var goal = _goal?.GoalAt(elapsed) ?? 0;
        return IsStuck ? Math.Min(goal, Snapshot.Counters.Connecting + Snapshot.Counters.Handshaking + Snapshot.Counters.Established) : goal;
    }

    /// <summary>An empty block goes; it is told with the next goal.</summary>
    public void GiveBack((IpAddress Source, int FirstPort) block)
    {
        Retiring.Remove(block);
        _toldRetiring.Remove(block);
        if (!NewBlocks.Remove(block) && Blocks.Remove(block))
            _leaving.Add(block);
    }

    /// <summary>Follows a goal, with the blocks that it has by now.</summary>
    public void Pursue(ReactorGoal goal, ImmutableArray<PortSpan> excludedPorts)
    {
        _goal = goal;
        foreach (var (source, firstPort) in _leaving)
            reactor.Post(new ConnectCommand.GiveBack(source, firstPort));
        _leaving.Clear();
        reactor.Post(new ConnectCommand.Pursue(goal, NewBlocks, excludedPorts));
        Blocks.AddRange(NewBlocks);
        NewBlocks = [];
        foreach (var (source, firstPort) in Retiring.Except(_toldRetiring))
            reactor.Post(new ConnectCommand.Retire(source, firstPort, true));
        foreach (var (source, firstPort) in _toldRetiring.Except(Retiring))
            reactor.Post(new ConnectCommand.Retire(source, firstPort, false));
        _toldRetiring.Clear();
        _toldRetiring.UnionWith(Retiring);
    }

    /// <summary>Asks for a snapshot.</summary>
    public void Ask()
    {
        Snapshot.Clear();
        reactor.Post(new ReactorCommand.TakeSnapshot(Snapshot));
    }
}
