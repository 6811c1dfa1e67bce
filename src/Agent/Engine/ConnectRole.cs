using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Safety;
using LoadHarness.Agent.Transports;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Engine;

/// <summary>
/// The opening side: follows a goal over time by connecting, and by closing the newest first. What the peer closes is
/// opened again under the same pace.
/// </summary>
public sealed partial class ConnectRole : IReactorRole, IConnections
{
    // The loop looks at events after so many system calls of one kind.
    private const int Batch = 64;
    private const long PaceQuantumNanos = 4_000_000;
    private const long LongestWaitNanos = 1_000_000_000;
    private const long NanosPerMilli = 1_000_000;

    private readonly EndpointCursor _cursor;
    private readonly IWorkload _workload;
    private readonly ITransport _transport;
    private readonly SocketOptions? _socketOptions;
    private readonly Lease _lease;
    private readonly long _lapsedBefore;
    private readonly AllowTable _allowed;
    private readonly MemoryGuard _memory;
    private Reactor _reactor = null!;
    private ReactorGoal? _goal;
    private PacerState _pace;
    private bool _exhausted;
    private long _owedReopens;
    private readonly List<(IpAddress Source, int FirstPort)> _retiring = [];

    /// <summary>Makes the role; it opens nothing before its first <see cref="ConnectCommand.Pursue"/>.</summary>
    /// <param name="cursor">Its tuples; owned by the role.</param>
    /// <param name="transport">What carries them; owned by the role.</param>
    /// <param name="workload">What a connection does once open; owned by the role.</param>
    /// <param name="lease">Looked at before each pace: when it has ended, the role drains.</param>
    /// <param name="allowed">Looked at before each connect(), whatever was checked before.</param>
    /// <param name="memory">Looked at before each connect() and each FIN; null: memory is no matter.</param>
    /// <param name="lapsedBefore">
    /// <see cref="Lease.LapsedNanos"/> when the run began: the same for all reactors, so that a lease which ends while they are made
    /// drains all of them or none. Null: as it is now.
    /// </param>
    /// <param name="socketOptions">Set before connect(); null: as the kernel has them.</param>
    public ConnectRole(
        EndpointCursor cursor, ITransport transport, IWorkload workload, Lease lease, AllowTable allowed, MemoryGuard? memory = null,
        long? lapsedBefore = null, SocketOptions? socketOptions = null)
    {
        _allowed = allowed;
        _memory = memory ?? new MemoryGuard();
        _cursor = cursor;
        _transport = transport;
        _workload = workload;
        _socketOptions = socketOptions;
        (_lease, _lapsedBefore) = (lease, lapsedBefore ?? lease.LapsedNanos);
    }

    /// <inheritdoc/>
    public Reactor Reactor => _reactor;

    /// <inheritdoc/>
    public ITransport Transport => _transport;

    /// <inheritdoc/>
    public Latencies Latencies { get; private set; } = new();

    /// <inheritdoc/>
    public double RequestsPerSecond => _goal is { } goal ? goal.RequestsPerSecond * goal.Part : 0;

    /// <inheritdoc/>
    public bool IsDraining => _draining;

    /// <inheritdoc/>
    public bool StopsFins => _memory.StopsFins;

    private long Live => _reactor.Counters.Connecting + _reactor.Counters.Handshaking + _reactor.Counters.Established;

    /// <inheritdoc/>
    public void OnStart(Reactor reactor)
    {
        _reactor = reactor;
        _pace = new PacerState(reactor.NowNanos, 0);
        _transport.Reserve(reactor.Connections.Capacity);
        _workload.OnStart(this);
    }

    /// <inheritdoc/>
    public void End(int slot, bool byReset)
    {
        if (byReset)
            Abort(slot);
        else
            BeginClose(slot, _draining ? _drainDeadlineNanos : _reactor.NowNanos + CloseTimeoutNanos);
    }

    /// <inheritdoc/>
    public void Fail(int slot, FailureStage stage, TransportFault fault)
    {
        CountFailure(stage, fault);
        Abort(slot);
    }

    /// <inheritdoc/>
    public void OnCommand(ReactorCommand command)
    {
        switch (command)
        {
            case ConnectCommand.Pursue pursue:
                _goal = pursue.Goal;
                _cursor.Exclude(pursue.ExcludedPorts);
                _cursor.Add(pursue.MoreBlocks);
                break;
            case ConnectCommand.Retire retire:
                Retire(retire);
                break;
            case ConnectCommand.GiveBack back:
                _retiring.Remove((back.Source, back.FirstPort));
                _cursor.GiveBack(back.Source, back.FirstPort);
                break;
            case ConnectCommand.SetGone change:
                _cursor.SetGone(change.Source, change.Gone);
                break;
            case ConnectCommand.Storm storm:
                TakeStorm(storm);
                break;
            case ConnectCommand.Drain drain:
                BeginDrain(drain.Timeout);
                break;
        }
    }

    /// <inheritdoc/>
    public long Pace(long nowNanos)
    {
        if (_goal is not { } goal)
            return long.MaxValue;
        var elapsed = Elapsed(goal, nowNanos);
        if (!_draining && (_lease.HasEnded(nowNanos) || _lease.LapsedNanos != _lapsedBefore || elapsed >= goal.MaxDuration))
            BeginDrain(goal.DrainTimeout);
        if (_draining)
            return Math.Min(_workload.Pace(nowNanos), PaceDrain(nowNanos));
        if (elapsed < TimeSpan.Zero)
            return goal.StartNanos;
        var ends = Math.Min(_workload.Pace(nowNanos), PaceStorm(nowNanos));
        return Math.Min(ends, PaceGoal(goal, elapsed, nowNanos));
    }

    /// <inheritdoc/>
    public void OnSnapshot(ReactorSnapshot snapshot)
    {
        _cursor.EndRests(_reactor.NowNanos);
        snapshot.Counters.RestingTuples = _cursor.Resting;
        snapshot.Counters.FreeTuples = _cursor.Free;
        snapshot.Latencies.Match(Latencies);
        (snapshot.Latencies, Latencies) = (Latencies, snapshot.Latencies);
        _workload.OnSnapshot(snapshot);
        snapshot.EndpointSpaceExhausted = _exhausted;
        NoteBlocks(snapshot);
        snapshot.Drained = _draining && Live + _reactor.Counters.Closing == 0;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _workload.Dispose();
        _transport.Dispose();
        _cursor.Dispose();
    }

    private static TimeSpan Elapsed(ReactorGoal goal, long nowNanos) =>
        goal.StartNanos == long.MaxValue ? TimeSpan.MinValue : TimeSpan.FromTicks((nowNanos - goal.StartNanos) / 100);

    private long PaceGoal(ReactorGoal goal, TimeSpan elapsed, long nowNanos)
    {
        var wanted = goal.GoalAt(elapsed);
        _reactor.Counters.Goal = wanted;
        var missing = wanted - (Live - _leaving);
        // A step back of one on the way up or down closes nothing and opens nothing: it is made good at once.
        if (missing == -goal.DirectionAt(elapsed))
            missing = 0;
        if (missing < 0)
            return CloseSurplus(-missing, nowNanos);

        // Those that were closed while the goal fell are not missing any more.
        _owedReopens = Math.Min(_owedReopens, missing);
        if (missing == 0)
            _exhausted = false;
        missing -= StormPlaces(missing);
        var rate = goal.ConnectsPerSecond(elapsed);
        var step = Pacer.Step(_pace, rate, nowNanos, missing);
        // Who waits for tuples or memory comes seldom, and is not late for it.
        _reactor.Counters.Late += _exhausted || _memory.GrowthStop != GrowthStop.None ? 0 : step.NotOffered;
        if (_memory.GrowthStop != GrowthStop.None && missing > 0)
        {
            _reactor.Counters.Scheduled += step.NotOffered;
            _reactor.Counters.NotOffered += step.NotOffered;
            return NotOffered(step, 0, nowNanos);
        }

        var started = OpenUpTo(Math.Min(step.Due, Batch), nowNanos);
        _pace = step.StateAfter(started);
        _reactor.Counters.Scheduled += started + step.NotOffered;
        _reactor.Counters.NotOffered += step.NotOffered;
        if (_exhausted && started < step.Due)
            return NotOffered(step, started, nowNanos);
        return started == Batch ? nowNanos : NextWake(goal, elapsed, rate, missing - started, nowNanos);
    }

    // Nothing can be opened until a connection ends, tuples have rested or memory is there: what was due is given up, not saved for a burst.
    private long NotOffered(PacerStep step, long started, long nowNanos)
    {
        _reactor.Counters.Scheduled += step.Due - started;
        _reactor.Counters.NotOffered += step.Due - started;
        _pace = step.State;
        return nowNanos + (Pacer.CatchUpNanos / 2);
    }

    private long NextWake(ReactorGoal goal, TimeSpan elapsed, double rate, long missing, long nowNanos)
    {
        var paced = nowNanos + Math.Clamp(Pacer.NanosUntilDue(_pace, rate), PaceQuantumNanos, LongestWaitNanos);
        if (missing > 0)
            return paced;
        foreach (var point in goal.Schedule.Points)
        {
            if (point.Elapsed > elapsed)
                return goal.DirectionAt(elapsed) == 0 ? goal.StartNanos + (point.Elapsed.Ticks * 100) : paced;
        }

        return long.MaxValue;
    }

    private void Retire(ConnectCommand.Retire command)
    {
        var block = (command.Source, command.FirstPort);
        _retiring.Remove(block);
        if (command.Retiring)
            _retiring.Add(block);
        _cursor.Retire(command.Source, command.FirstPort, command.Retiring);
    }

    private void NoteBlocks(ReactorSnapshot snapshot)
    {
        foreach (var block in _retiring)
        {
            if (_cursor.IsEmpty(block.Source, block.FirstPort))
                snapshot.EmptyBlocks.Add(block);
        }

        snapshot.GoneSources.AddRange(_newlyGone);
        _newlyGone.Clear();
        snapshot.DroppedPort = _droppedPort;
    }

    private static uint Millis(long nanos) => (uint)(nanos / NanosPerMilli);

    private EndpointTuple TupleOf(int slot) => new(_reactor.Connections.Unit(slot), _reactor.Connections.Destination(slot));

    private void CountFailure(FailureStage stage, TransportFault fault) => _reactor.Failures.Add(stage, fault.Cause, fault.Code);
}
