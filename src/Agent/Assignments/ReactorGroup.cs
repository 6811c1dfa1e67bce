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
internal sealed class ReactorGroup : IRunReactors
{
    /// <summary>Descriptors of a reactor's table that are not for connections: what it inherited, its epoll set, room for the runtime.</summary>
    public const int ReservedDescriptors = 200;

    private static readonly TimeSpan _snapshotPatience = TimeSpan.FromMilliseconds(200);

    private readonly EventFd _bell = new();
    private readonly List<Member> _members = [];
    private readonly HashSet<(IpAddress Source, int FirstPort)> _blocks = [];
    private readonly int _descriptorLimit = ResourceUsage.RaiseDescriptorLimit();
    private readonly bool _privateTables;
    private readonly Lease _lease;
    private readonly AllowTable _allowed;
    private readonly (IpAddress Address, int Port)[] _destinations;
    private readonly TimeSpan _rest;
    private readonly ConnectionLife? _churn;
    private readonly BlockCapacity _capacity;
    private readonly PlainTransport _transport = new();

    public ReactorGroup(Assignment assignment, Lease lease, AllowTable allowed, bool privateTables)
    {
        _allowed = allowed;
        _lease = lease;
        _privateTables = privateTables;
        _rest = assignment.Slice.Rest;
        _churn = assignment.Churn;
        _destinations = [.. assignment.Destinations.SelectMany(Pairs)];
        _capacity = new BlockCapacity(_destinations);
    }

    /// <summary>Reactors that run.</summary>
    public int Count => _members.Count;

    /// <inheritdoc/>
    public Exception? Fault => _members.Select(m => m.Reactor.Fault).FirstOrDefault(f => f is not null);

    /// <inheritdoc/>
    public TimeSpan? LookEvery => null;

    /// <summary>Connections that one reactor can hold.</summary>
    public int ConnectionsPerReactor => Math.Max(1, _descriptorLimit - ReservedDescriptors);

    /// <summary>Starts what an assignment needs, and deals out its new blocks.</summary>
    /// <inheritdoc/>
    public AssignmentRefusal? Prepare(Assignment assignment)
    {
        _capacity.Exclude(assignment.Slice.ExcludedPorts);
        var blocks = assignment.Slice.Blocks.SelectMany(Blocks).ToHashSet();
        if (!blocks.IsSupersetOf(_blocks))
            return new("slice.blocks", "change", "blocks that this agent works with are missing; it cannot give any back: end the run to free them");
        var fresh = blocks.Where(b => !_blocks.Contains(b)).ToList();
        var added = Math.Max(0, WantedReactors(assignment.Share, _blocks.Count + fresh.Count) - _members.Count);
        long[] tuples = [.. _members.Select(TuplesOf), .. Enumerable.Repeat(0L, added)];
        var freshTuples = fresh.ConvertAll(_capacity.TuplesOf);
        var owners = BlockDealer.Deal(tuples, freshTuples, ConnectionsPerReactor);
        for (var i = 0; i < owners.Length; i++)
            tuples[owners[i]] += freshTuples[i];
        if ((Refuse(assignment, added, fresh.Count, tuples) ?? Start(added)) is { } refusal)
            return refusal;

        for (var i = 0; i < owners.Length; i++)
            _members[owners[i]].NewBlocks.Add(fresh[i]);
        _blocks.UnionWith(fresh);
        return null;
    }

    /// <summary>Gives every reactor its part of the schedule.</summary>
    /// <inheritdoc/>
    public void Pursue(Assignment assignment, long startNanos)
    {
        var elapsed = TimeSpan.FromTicks((Clock.BoottimeNanos - startNanos) / 100);
        var bases = _members.Select(m => m.Goal?.GoalAt(elapsed) ?? 0).ToArray();
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
                DrainTimeout = assignment.DrainTimeout,
            };
            _members[i].Pursue(goal, assignment.Slice.ExcludedPorts);
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
    }

    /// <summary>Ends the reactors; returns when every socket is closed.</summary>
    public void Dispose()
    {
        foreach (var member in _members)
            member.Reactor.Dispose();
        _members.Clear();
        _bell.Dispose();
    }

    private static IEnumerable<(IpAddress, int)> Pairs(Destination destination)
    {
        for (var port = destination.Ports.First; port <= destination.Ports.Last; port++)
        {
            for (var i = 0L; i < destination.Addresses.Count; i++)
                yield return (destination.Addresses.First.Plus(i), port);
        }
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

    private Member StartMember()
    {
        var cursor = new EndpointCursor(_destinations, [], _rest);
        IWorkload workload = _churn is null ? new HoldWorkload(_transport) : new ChurnWorkload(_transport, _churn);
        var role = new ConnectRole(cursor, _transport, workload, _lease, _allowed);
        var reactor = new Reactor(_members.Count, _descriptorLimit, _privateTables, role, _bell);
        reactor.Start();
        return new Member(reactor);
    }

    private long TuplesOf(Member member) => member.Blocks.Concat(member.NewBlocks).Sum(_capacity.TuplesOf);

    private long[] Growth(long share, long[] bases)
    {
        var rooms = new long[_members.Count];
        for (var i = 0; i < rooms.Length; i++)
        {
            rooms[i] = Math.Max(0, Math.Min(ConnectionsPerReactor, TuplesOf(_members[i])) - bases[i]);
        }

        return GoalPart.Spread(Math.Max(0, share - bases.Sum()), rooms);
    }

    private sealed class Member(Reactor reactor)
    {
        public Reactor Reactor => reactor;

        public ReactorSnapshot Snapshot { get; } = new();

        public ReactorGoal? Goal { get; private set; }

        public List<(IpAddress Source, int FirstPort)> NewBlocks { get; private set; } = [];

        public List<(IpAddress Source, int FirstPort)> Blocks { get; } = [];

        public void Pursue(ReactorGoal goal, ImmutableArray<PortSpan> excludedPorts)
        {
            Goal = goal;
            reactor.Post(new ConnectCommand.Pursue(goal, NewBlocks, excludedPorts));
            Blocks.AddRange(NewBlocks);
            NewBlocks = [];
        }

        public void Ask()
        {
            Snapshot.Clear();
            reactor.Post(new ReactorCommand.TakeSnapshot(Snapshot));
        }
    }
}
