using System.Collections.Immutable;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Safety;
using LoadHarness.Agent.Transports;
using LoadHarness.Agent.Workloads;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Assignments;

/// <summary>
/// The reactors of one run: started as its share needs them, given blocks and goals, asked for snapshots. Used by one plain
/// thread, whose descriptor table the reactors copy.
/// </summary>
internal sealed partial class ReactorGroup : IRunReactors
{
    private static readonly TimeSpan _snapshotPatience = TimeSpan.FromMilliseconds(200);

    private readonly EventFd _bell = new();
    private readonly List<ReactorMember> _members = [];
    private readonly double _firstRounding = Random.Shared.NextDouble();
    private readonly Dictionary<(IpAddress Source, int FirstPort), ReactorMember> _blocks = [];
    private readonly int _descriptorLimit = ResourceUsage.RaiseDescriptorLimit();
    private readonly bool _privateTables;
    private readonly Lease _lease;
    private readonly long _lapsedBefore;
    private readonly AllowTable _allowed;
    private readonly MemoryGuard _memory;
    private readonly (IpAddress Address, int Port)[] _destinations;
    private readonly int[] _weights;
    private readonly TimeSpan _rest;
    private readonly ImmutableArray<WorkloadShare> _shares;
    private readonly TransportMaker _transports;
    private readonly BlockCapacity _capacity;

    public ReactorGroup(Assignment assignment, Lease lease, AllowTable allowed, bool privateTables, MemoryGuard memory)
    {
        _allowed = allowed;
        _memory = memory;
        (_lease, _lapsedBefore) = (lease, lease.LapsedNanos);
        _privateTables = privateTables;
        _rest = assignment.Slice.Rest;
        _shares = assignment.Shares;
        _transports = new TransportMaker(assignment);
        _destinations = [.. assignment.Destinations.SelectMany(d => d.Pairs)];
        _weights = [.. assignment.Destinations.SelectMany(d => Enumerable.Repeat(d.Weight, checked((int)d.Count)))];
        _capacity = new BlockCapacity(_destinations);
    }

    /// <summary>Reactors that run.</summary>
    public int Count => _members.Count;

    /// <inheritdoc/>
    public Exception? Fault => _members.Select(m => m.Reactor.Fault).FirstOrDefault(f => f is not null);

    /// <inheritdoc/>
    public TimeSpan? LookEvery => null;

    /// <summary>Connections that one reactor can hold.</summary>
    public int ConnectionsPerReactor => Math.Max(1, _descriptorLimit - Reactor.ReservedDescriptors);

    /// <summary>Starts what an assignment needs, and deals out its new blocks.</summary>
    /// <inheritdoc/>
    public AssignmentRefusal? Prepare(Assignment assignment)
    {
        var blocks = new Dictionary<(IpAddress Source, int FirstPort), bool>();
        foreach (var range in assignment.Slice.Blocks)
        {
            foreach (var block in Blocks(range))
            {
                if (!blocks.TryAdd(block, range.Retiring))
                    return new("slice.blocks", "overlap", $"block {block.Item1} from port {block.Item2} on comes twice; each block is wanted once");
            }
        }

        _capacity.Exclude(assignment.Slice.ExcludedPorts);
        var leaving = _blocks.Keys.Where(b => !blocks.ContainsKey(b)).ToList();
        if (RefuseLoss(leaving) is { } loss)
            return loss;
        var fresh = blocks.Keys.Where(b => !_blocks.ContainsKey(b)).ToList();
        var added = Math.Max(0, WantedReactors(assignment.Share, _blocks.Count + fresh.Count) - _members.Count);
        long[] tuples = [.. _members.Select(TuplesOf), .. Enumerable.Repeat(0L, added)];
        var freshTuples = fresh.ConvertAll(_capacity.TuplesOf);
        var owners = BlockDealer.Deal(tuples, freshTuples, ConnectionsPerReactor);
        for (var i = 0; i < owners.Length; i++)
            tuples[owners[i]] += freshTuples[i];
        if ((_transports.Refusal ?? Refuse(assignment, added, fresh.Count, tuples) ?? Start(added)) is { } refusal)
            return refusal;

        for (var i = 0; i < owners.Length; i++)
        {
            _members[owners[i]].NewBlocks.Add(fresh[i]);
            _blocks[fresh[i]] = _members[owners[i]];
        }

        GiveBack(leaving);
        Retire(blocks);
        return null;
    }

    /// <summary>Gives every reactor its part of the schedule.</summary>
    /// <inheritdoc/>
    public void Pursue(Assignment assignment, long startNanos)
    {
        _pursued = (assignment, startNanos);
        var elapsed = TimeSpan.FromTicks((Clock.BoottimeNanos - startNanos) / 100);
        var bases = _members.Select(m => m.BaseAt(elapsed)).ToArray();
        var growth = Growth(assignment.Share, bases);
        var (baseParts, growthParts) = (GoalPart.SideBySide(bases), GoalPart.SideBySide(growth));
        for (var i = 0; i < _members.Count; i++)
        {
            var goal = new ReactorGoal
            {
                Schedule = assignment.Schedule,
                Base = baseParts[i],
                Growth = growthParts[i],
                StartNanos = startNanos,
                MaxDuration = assignment.MaxDuration,
                ConnectTimeoutNanos = assignment.ConnectTimeout.Ticks * 100,
                RequestsPerSecond = assignment.RequestsPerSecond,
                DrainTimeout = assignment.DrainTimeout,
            };
            _members[i].Pursue(goal, assignment.Slice.ExcludedPorts);
        }

        // New blocks may have an address that is gone.
        foreach (var source in _gone)
            Tell(new ConnectCommand.SetGone(source, true));
    }

    /// <inheritdoc/>
    public void Reconnect(StormOrder storm, long startNanos)
    {
        for (var i = 0; i < _members.Count; i++)
        {
            _members[i].Reactor.Post(new ConnectCommand.Storm(
                storm.Fraction, startNanos + (storm.At.Ticks * 100), storm.Within.Ticks * 100, storm.ByReset,
                ConnectCommand.Storm.CarryOf(i, _members.Count)));
        }
    }

    /// <inheritdoc/>
    public void Drain(TimeSpan timeout)
    {
        foreach (var member in _members)
            member.Reactor.Post(new ConnectCommand.Drain(timeout));
    }

    /// <inheritdoc/>
    public void Snapshot(SampleBuilder builder)
    {
        builder.BeginRound();
        foreach (var member in _members)
            member.Ask();
        foreach (var member in _members)
        {
            while (!member.Snapshot.IsFilled && member.Reactor.Fault is null)
                _bell.Wait(_snapshotPatience);
            if (member.Snapshot.IsFilled)
                builder.Add(member.Snapshot, member.Reactor.Number);
        }

        _transports.Settle(_members.Sum(m => m.Snapshot.Counters.Handshaking), _members.Sum(m => m.Snapshot.Counters.Opened));
        NoteBlocks(builder);
    }

    /// <summary>Ends the reactors; returns when every socket is closed.</summary>
    public void Dispose()
    {
        foreach (var member in _members)
            member.Reactor.Dispose();
        _members.Clear();
        _transports.Dispose();
        _bell.Dispose();
    }

    // Sources fastest, so that dealing the blocks out in turn spreads the sources over the reactors.
    private static IEnumerable<(IpAddress, int)> Blocks(BlockRange range)
    {
        for (var block = 0; block < range.PortBlocks; block++)
        {
            for (var i = 0L; i < range.Sources.Count; i++)
                yield return (range.Sources.First.Plus(i), range.FirstPort + (block * BlockRange.PortsPerBlock));
        }
    }

    private int WantedReactors(long share, int blocks)
    {
        if (!_privateTables)
            return 1;
        var needed = (share + ConnectionsPerReactor - 1) / ConnectionsPerReactor;
        return (int)Math.Max(needed, Math.Max(1, Math.Min(Environment.ProcessorCount, blocks)));
    }

    private AssignmentRefusal? Refuse(Assignment assignment, int added, int freshBlocks, long[] tuples)
    {
        if (added > freshBlocks)
        {
            return new("slice.blocks", "descriptors",
                $"{assignment.Share:N0} connections need {tuples.Length} reactors at {ConnectionsPerReactor:N0} descriptors each, and every new one "
                + $"needs a block of its own: {freshBlocks} new blocks for {added} new reactors; add sources or source ports, or raise ulimit -n");
        }

        var blocks = _blocks.Count + freshBlocks;
        if (tuples.Sum() < assignment.Share)
        {
            return new("slice.blocks", "endpoint-space",
                $"{blocks:N0} blocks of up to 256 ports to {_destinations.Length:N0} destinations are {tuples.Sum():N0} tuples, less than the "
                + $"share of {assignment.Share:N0}; add sources or target ports");
        }

        if (!_privateTables && assignment.Share > ConnectionsPerReactor)
        {
            return new("share", "descriptors",
                $"this kernel gives no descriptor table to a thread (close_range with CLOSE_RANGE_UNSHARE needs 5.9), so ulimit -n "
                + $"({_descriptorLimit:N0}) binds for the whole agent: {assignment.Share:N0} do not fit; raise ulimit -n or start more agents");
        }

        var room = tuples.Sum(t => Math.Min(t, ConnectionsPerReactor));
        return room >= assignment.Share
            ? null
            : new("slice.blocks", "descriptors",
                $"{blocks:N0} blocks dealt out whole to {tuples.Length} reactors at {ConnectionsPerReactor:N0} descriptors each have room for "
                + $"{room:N0} connections, less than the share of {assignment.Share:N0}; add sources or source ports, or raise ulimit -n");
    }

    private AssignmentRefusal? Start(int count)
    {
        try
        {
            for (var i = 0; i < count; i++)
                _members.Add(StartMember());
            return null;
        }
        catch (InvalidOperationException e)
        {
            // Those that did start are used by the next assignment.
            return new("share", "reactors", $"{e.Message}; lower the share, or raise the limit that it names");
        }
    }

    private ReactorMember StartMember()
    {
        var cursor = new EndpointCursor(_destinations, [], _rest, _weights);
        var role = new ConnectRole(
            cursor, _transports.Create(), WorkloadFactory.Create(_shares, NextRounding()), _lease, _allowed, _memory, _lapsedBefore, _transports.Socket);
        var reactor = new Reactor(_members.Count, _descriptorLimit, _privateTables, role, _bell);
        reactor.Start();
        return new ReactorMember(reactor);
    }

    // Evenly over the reactors of this agent, and by chance over agents, which do not know of each other.
    private double NextRounding() => GoldenSteps.At(_members.Count, _firstRounding);

    private long TuplesOf(ReactorMember member) => member.Blocks.Concat(member.NewBlocks).Sum(_capacity.TuplesOf);

    // Of blocks that something new may be opened in.
    private long OpenTuplesOf(ReactorMember member) =>
        member.Blocks.Concat(member.NewBlocks).Where(b => !member.Retiring.Contains(b) && !_gone.Contains(b.Source)).Sum(_capacity.TuplesOf);

    private long[] Growth(long share, long[] bases)
    {
        var rooms = new long[_members.Count];
        for (var i = 0; i < rooms.Length; i++)
        {
            // Who has no tuple left for what it misses takes no more.
            rooms[i] = _members[i].IsStuck ? 0 : Math.Max(0, Math.Min(ConnectionsPerReactor, OpenTuplesOf(_members[i])) - bases[i]);
        }

        return GoalPart.Spread(Math.Max(0, share - bases.Sum()), rooms);
    }
}
