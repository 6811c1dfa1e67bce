using System.Collections.Immutable;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.KernelView;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Safety;
using LoadHarness.Protos;
using LoadHarness.V1;
using BlockRange = LoadHarness.Protos.BlockRange;

namespace LoadHarness.Agent.Assignments;

/// <summary>
/// One run as this agent lives it: reactors, the kernel view when it is the reader, and the samples. Used by one thread.
/// </summary>
internal sealed class ActiveRun : IDisposable
{
    private const long NanosPerMilli = 1_000_000;
    private const int FewChanges = 50;
    private static readonly TimeSpan _socketsEvery = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan _drainPoll = TimeSpan.FromMilliseconds(50);

    private readonly IRunReactors _reactors;
    private readonly MemoryWatch _memory;
    private readonly SampleBuilder _builder = new();
    private readonly Action<AgentSample> _onSample;
    private KernelViewReader? _kernelView;
    private KernelReading? _sentReading;
    private KernelReading? _sentSockets;
    private long _sentSocketsMillis = long.MinValue;
    private ImmutableArray<AgentFinding> _hostFindings = [];
    private ImmutableArray<AgentFinding> _stormFindings = [];
    private ulong _newestStorm;
    private long _startNanos = long.MaxValue;
    private long _sampledMillis;
    private bool _moved;

    public ActiveRun(
        Assignment assignment, Lease lease, AllowTable allowed, ImmutableArray<IpAddress> listenAddresses, bool privateTables,
        Action<AgentSample> onSample, Func<MemoryReading?> readMemory)
    {
        Assignment = assignment;
        _onSample = onSample;
        _memory = new MemoryWatch(readMemory);
        _reactors = assignment.Backend is null
            ? new ReactorGroup(assignment, lease, allowed, privateTables, _memory.Guard) : new BackendGroup(listenAddresses);
    }

    /// <summary>The newest assignment that was accepted.</summary>
    public Assignment Assignment { get; private set; }

    /// <summary>The phase reached.</summary>
    public Phase Phase { get; private set; }

    /// <summary>Connections held at the last look.</summary>
    public long Held => _builder.Held;

    /// <summary>Whether it closes everything and opens nothing more.</summary>
    public bool IsDraining { get; private set; }

    /// <summary>CLOCK_BOOTTIME of the start instant; null before it is known.</summary>
    public long? StartNanos => IsStarted ? _startNanos : null;

    private bool IsStarted => _startNanos != long.MaxValue;

    private long ElapsedMillis => (Clock.BoottimeNanos - _startNanos) / NanosPerMilli;

    /// <summary>Takes the first or a newer assignment as far as PREPARED.</summary>
    /// <returns>Null, or why it is refused; then the one before stays in force.</returns>
    public AssignmentRefusal? Prepare(Assignment assignment)
    {
        if (_reactors.Prepare(assignment) is { } refusal)
            return refusal;
        ReadKernel(assignment.KernelView);
        Assignment = assignment;
        if (Phase == Phase.Unspecified)
        {
            (Phase, _hostFindings) = (Phase.Prepared, HostNeedCheck.Findings(assignment));
            _builder.NoteBaseRss();
        }

        return null;
    }

    /// <summary>Follows the assignment's schedule.</summary>
    /// <param name="startNanos">CLOCK_BOOTTIME of the start instant; what the first call said holds for the whole run.</param>
    public void Run(long startNanos)
    {
        if (!IsStarted)
        {
            _startNanos = startNanos;
            // Who comes late has nothing to say about the time before.
            _sampledMillis = Math.Max(0, ElapsedMillis / 1000 * 1000);
        }

        _reactors.Pursue(Assignment, _startNanos);
        Phase = Phase.Running;
        TakeStorm();
    }

    /// <summary>Reports about this assignment from now on, without following it: a run that drains stays on its way.</summary>
    public void Note(Assignment assignment) => Assignment = assignment;

    /// <summary>Begins to close everything, as an assignment says; what is reported from now on is about that one.</summary>
    public void Drain(Assignment assignment)
    {
        Drain(assignment.DrainTimeout);
        Assignment = assignment;
    }

    /// <summary>Begins to close everything.</summary>
    public void Drain(TimeSpan timeout)
    {
        if (IsStarted && !IsDraining)
            SampleHold();
        IsDraining = true;
        _reactors.Drain(timeout);
    }

    /// <summary>How long until <see cref="Tick"/> has something to do.</summary>
    public TimeSpan UntilTick()
    {
        if (IsDraining)
            return _drainPoll;
        if (!IsStarted)
            return _reactors.LookEvery ?? Timeout.InfiniteTimeSpan;
        var boundary = _startNanos + (((_sampledMillis / 1000) + 1) * 1000 * NanosPerMilli);
        var untilSample = TimeSpan.FromTicks(Math.Max(0, boundary - Clock.BoottimeNanos + 99) / 100);
        return _reactors.LookEvery is { } look && look < untilSample ? look : untilSample;
    }

    /// <summary>Takes a sample when a second is full; sees whether a drain is done.</summary>
    /// <returns>True once everything is closed: the run is over for this agent.</returns>
    public bool Tick()
    {
        EndInTime();
        var isDue = IsDraining || (IsStarted && ElapsedMillis >= ((_sampledMillis / 1000) + 1) * 1000);
        if (!isDue && _reactors.LookEvery is null)
            return false;
        _reactors.Snapshot(_builder);
        if (!isDue)
            return false;
        var drained = _builder.Drained;
        if (drained)
            _kernelView?.ReadNow();
        var now = ElapsedMillis;
        EmitWholeSeconds(now);
        if (IsStarted && drained)
            Emit(Math.Max(now, _sampledMillis + 1));
        if (drained)
            Phase = Phase.Drained;
        return drained;
    }

    /// <summary>Retiring blocks without a live or resting tuple.</summary>
    public ImmutableArray<BlockRange> EmptyBlocks => _reactors.EmptyBlocks;

    /// <summary>Sources that this host has no more.</summary>
    public ImmutableArray<IpAddress> GoneSources => _reactors.GoneSources;

    /// <summary>What the user should know.</summary>
    public ImmutableArray<AgentFinding> Findings(bool privateTables) =>
        [.. _hostFindings, .. _stormFindings, .. RunFindings.Of(Assignment, _reactors, _builder, _memory.Guard, privateTables)];

    /// <inheritdoc/>
    public void Dispose()
    {
        _kernelView?.Dispose();
        _reactors.Dispose();
        _memory.Dispose();
    }

    private void TakeStorm()
    {
        if (Assignment.Storm is not { } storm || storm.Number <= _newestStorm)
            return;
        _newestStorm = storm.Number;
        var now = TimeSpan.FromMilliseconds(ElapsedMillis);
        if (now <= storm.Latest)
            _reactors.Reconnect(storm, _startNanos);
        else
            _stormFindings = [RunFindings.StormMissed(storm, now)];
    }

    // Reactors that connect look at the clock themselves, before each connect.
    private void EndInTime()
    {
        if (Assignment.Backend is not null && IsStarted && !IsDraining && ElapsedMillis >= Assignment.MaxDuration.TotalMilliseconds)
            Drain(Assignment.DrainTimeout);
    }

    private void ReadKernel(KernelViewScope? scope)
    {
        if (scope is not null && _kernelView is not null)
        {
            _kernelView.Follow(scope);
            return;
        }

        _kernelView?.Dispose();
        _kernelView = scope is null ? null : new KernelViewReader(scope);
    }

    // The last word on the hold: its reading of the kernel was taken before any agent here began to close.
    private void SampleHold()
    {
        _reactors.Snapshot(_builder);
        var now = ElapsedMillis;
        if (now <= _sampledMillis)
            return;
        EmitWholeSeconds(now - 1);
        Emit(now, endsHold: true);
    }

    // A last sample begins where a second does: one that spanned two would leave the first without its gauges.
    private void EmitWholeSeconds(long elapsedMillis)
    {
        if (IsStarted && elapsedMillis / 1000 > _sampledMillis / 1000)
            Emit(elapsedMillis / 1000 * 1000);
    }

    private void Emit(long toMillis, bool endsHold = false)
    {
        // Neither a backend nor who drains opens anything.
        _builder.GrowthStop = Assignment.Backend is null && !IsDraining ? _memory.Guard.GrowthStop : GrowthStop.None;
        var sample = _builder.Build(Assignment.RunId, _sampledMillis, toMillis, Assignment.ExpectGreeting);
        ReadKernelAtRest(sample.Counts);
        if (_kernelView?.Newest is { } reading)
        {
            var news = ReferenceEquals(reading, _sentReading) ? _kernelView.ReadNamespace() : reading;
            _sentReading = reading;
            sample = sample with
            {
                Kernel = news,
                KernelTakenAtMillis = (news.TakenAtNanos - _startNanos) / NanosPerMilli,
                Sockets = SocketsDue(reading, toMillis, endsHold),
            };
        }

        _sampledMillis = toMillis;
        _onSample(sample);
    }

    // The interval grows with the sockets and is longer than many a hold: a goal that has just been reached is read at once.
    private void ReadKernelAtRest(in Counts counts)
    {
        var moved = counts.Opened + counts.Closed + counts.ClosedByPeer > 0;
        if (_moved && !moved)
            _kernelView?.ReadSoon();
        _moved = moved;
    }

    // Changes only, whole at first and once at the end of the hold. Few changes go with every reading, many every 10 s at most. No change is
    // news too: the counts are then as of now.
    private SocketCounts? SocketsDue(KernelReading reading, long toMillis, bool endsHold)
    {
        if (reading.Error.Length > 0 || IsDraining || Assignment.Backend is not null)
            return null;
        var counts = new SocketCounts(true, reading.BySource, reading.ByDestination);
        if (_sentSockets is { } before && !endsHold)
        {
            if (ReferenceEquals(before, reading))
                return null;
            counts = new(false, Changes(before.BySource, reading.BySource), Changes(before.ByDestination, reading.ByDestination));
            if (counts.Sources.Count + counts.Destinations.Count > FewChanges && toMillis - _sentSocketsMillis < _socketsEvery.TotalMilliseconds)
                return null;
        }

        (_sentSockets, _sentSocketsMillis) = (reading, toMillis);
        return counts;
    }

    private static ImmutableDictionary<EndpointAddress, StateCounts> Changes(
        ImmutableDictionary<EndpointAddress, StateCounts> before, ImmutableDictionary<EndpointAddress, StateCounts> now)
    {
        var changes = ImmutableDictionary.CreateBuilder<EndpointAddress, StateCounts>();
        foreach (var (endpoint, states) in now)
        {
            if (!states.Equals(before.GetValueOrDefault(endpoint)))
                changes[endpoint] = states;
        }

        foreach (var endpoint in before.Keys.Where(e => !now.ContainsKey(e)))
            changes[endpoint] = StateCounts.None;
        return changes.ToImmutable();
    }
}
