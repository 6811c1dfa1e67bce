using LoadHarness.Coordinator.Planning;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Fleet;

/// <summary>One agent as it is now, through all its attachments. Members may be called from any thread.</summary>
public sealed class AgentState
{
    private readonly Lock _lock = new();
    private readonly CoordinatorClock _clock;
    private readonly FleetOptions _options;
    private AgentHello _hello;
    private AgentSession? _session;
    private AgentStatus? _status;
    private AgentAssignment? _assignment;
    private IRunLink? _run;
    private string? _departure;
    private Predecessor? _predecessor;
    private long _lastHeardNanos;

    internal AgentState(AgentSession session, CoordinatorClock clock, FleetOptions options)
    {
        (_clock, _options, _hello) = (clock, options, session.Hello);
        Conduct = new AgentConduct(clock, options.Allowance);
        Id = session.Hello.AgentId;
        Attach(session);
    }

    /// <summary>An agent of an earlier life of the coordinator, that has not attached to this one: it is waited for from now on.</summary>
    /// <param name="hello">As it introduced itself then.</param>
    /// <param name="run">The run that it works for; null: none.</param>
    /// <param name="clock">The registry's.</param>
    /// <param name="options">The demands on links.</param>
    internal AgentState(AgentHello hello, IRunLink? run, CoordinatorClock clock, FleetOptions options)
    {
        (_clock, _options, _hello, _run, _lastHeardNanos) = (clock, options, hello, run, clock.Nanos);
        Conduct = new AgentConduct(clock, options.Allowance);
        Id = hello.AgentId;
    }

    /// <summary>Identity.</summary>
    public string Id { get; }

    /// <summary>How it introduced itself last.</summary>
    public AgentHello Hello => Read(() => _hello);

    /// <summary>Its present attachment; null when it has none.</summary>
    public AgentSession? Session => Read(() => _session);

    /// <summary>Its newest status in this process life.</summary>
    public AgentStatus? Status => Read(() => _status);

    /// <summary>What it was assigned last.</summary>
    public AgentAssignment? Assignment => Read(() => _assignment);

    /// <summary>The run that it works for; null when idle.</summary>
    public IRunLink? Run => Read(() => _run);

    /// <summary>How it is known to have gone: it said goodbye, or its process was seen to end. Null while it may live.</summary>
    public string? Departure => Read(() => _departure);

    /// <summary>Its parent saw its process end, and starts no other.</summary>
    public bool IsGoneForGood { get; private set; }

    /// <summary>The start instant by what it said when it attached holding work, and of which run; null when it said nothing.</summary>
    internal (string RunId, long StartNanos)? HeldStart { get; private set; }

    /// <summary>Which samples of its present process life were kept.</summary>
    internal SampleIntake Intake { get; } = new();

    /// <summary>How it behaves.</summary>
    internal AgentConduct Conduct { get; }

    /// <summary>How long nothing was heard of it.</summary>
    public TimeSpan Silence => CoordinatorClock.Between(LastHeardNanos, _clock.Nanos);

    /// <summary>When it was heard last.</summary>
    public DateTimeOffset LastSeen => _clock.Time.GetUtcNow() - Silence;

    /// <summary>Attached, not known to have gone, and heard within the last three heartbeats.</summary>
    public bool Answers => Session is not null && Departure is null && Silence <= 3 * _options.HeartbeatInterval;

    /// <summary>Answers, works for no run and holds no connection.</summary>
    public bool IsIdle => Answers && Run is null && Status is null or { Held: 0, Phase: not (Phase.Prepared or Phase.Running) };

    /// <summary>
    /// Whether its connections are gone for certain: on proof, or when it has been silent for longer than
    /// lease, drain and margin together, after which it has drained by itself. Of an earlier process life when that was given the work.
    /// </summary>
    /// <param name="drainTime">The drain deadline of its assignment and the time that it takes to reset what is left then.</param>
    public bool IsLost(TimeSpan drainTime)
    {
        var (departure, silence) = Read(() => _predecessor is { } worker
            ? (worker.Departure, CoordinatorClock.Between(worker.LastHeardNanos, _clock.Nanos))
            : (_departure, Silence));
        return departure is not null || silence > _options.Lease + drainTime + _options.LossMargin;
    }

    /// <summary>How it was lost, in words; of use when it <see cref="IsLost"/>.</summary>
    public string LossReason => Read(() => _predecessor is { } worker
        ? worker.Departure ?? $"not heard for {CoordinatorClock.Between(worker.LastHeardNanos, _clock.Nanos).TotalSeconds:0} s, and another process of it is there"
        : _departure ?? $"not heard for {Silence.TotalSeconds:0} s");

    /// <summary>Whether it is known that the process which was given the work has ended: its sockets are closed.</summary>
    public bool HasEnded => Read(() => _predecessor is { } worker ? worker.Departure : _departure) is not null;

    /// <summary>The process life that was given the work: an earlier one while another process waits for its connections to be gone.</summary>
    public string WorkerIncarnation => Read(() => _predecessor?.Incarnation ?? _hello.Incarnation);

    /// <summary>Gives it its newest desired state; it is sent whole, now or when the agent attaches again.</summary>
    public void Assign(AgentAssignment assignment)
    {
        AgentSession? session;
        lock (_lock)
        {
            _assignment = assignment;
            session = _predecessor is null || assignment.Phase == Phase.Drained ? _session : null;
        }

        session?.Offer(assignment);
    }

    /// <summary>What planning needs to know about it.</summary>
    public AgentResources ToResources()
    {
        var hello = Hello;
        var inventory = hello.Inventory;
        var resources = new AgentResources
        {
            AgentId = Id,
            Host = inventory.Hostname,
            NetworkNamespace = inventory.NetworkNamespace,
            Cores = inventory.Cores,
            ConnectionsPerReactor = inventory.ConnectionsPerReactor,
            PrivateDescriptorTables = inventory.PrivateDescriptorTables,
            CanRetire = hello.Capabilities.Contains(Capabilities.Retire),
            Addresses = [.. inventory.Addresses.Select(a => a.Address)],
            MaxConnections = inventory.MaxConnections > 0 ? inventory.MaxConnections : null,
            MaxConnectsPerSecond = inventory.MaxConnectsPerSecond > 0 ? inventory.MaxConnectsPerSecond : null,
            UnusablePorts = [.. inventory.ReservedPorts, .. inventory.ListeningPorts],
        };
        return inventory.EphemeralPorts is { } ephemeral ? resources with { EphemeralPorts = ephemeral } : resources;
    }

    internal long LastHeardNanos => Read(() => Math.Max(_lastHeardNanos, _session?.LastHeardNanos ?? 0));

    internal bool TryReserve(IRunLink run)
    {
        lock (_lock)
        {
            if (_run is not null || _session is null)
                return false;
            _run = run;
            _status = null;
            _assignment = null;
            _predecessor = null;
            return true;
        }
    }

    internal void Release(IRunLink run)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(_run, run))
                return;
            _run = null;
            _predecessor = null;
        }
    }

    /// <summary>The process that is there takes the work of an earlier one, whose connections are gone.</summary>
    internal void Succeed()
    {
        lock (_lock)
            _predecessor = null;
    }

    internal void Attach(AgentSession session)
    {
        AgentAssignment? assignment;
        lock (_lock)
        {
            if (_hello.Incarnation != session.Hello.Incarnation)
            {
                _status = null;
                // Another process that takes the work up while the connections of the first may live would exceed the goal.
                if (_run is not null && _assignment?.Phase == Phase.Running)
                    _predecessor ??= new(_hello.Incarnation, _departure, LastHeardNanos);
            }

            _session?.End("the agent attached again");
            (_session, _hello, _departure, IsGoneForGood) = (session, session.Hello, null, false);
            _status = session.Hello.Held ?? _status;
            if (session.Hello.Held is { Elapsed: { } elapsed } held)
                HeldStart = (held.RunId, _clock.Nanos - CoordinatorClock.ToNanos(elapsed));
            // An agent that comes back gets its newest assignment, even after the run ended if it still holds connections of it.
            assignment = _predecessor is null && (_run is not null || session.Hello.Held?.RunId == _assignment?.RunId) ? _assignment : null;
        }

        if (assignment is not null)
            session.Offer(assignment);
    }

    internal void Detach(AgentSession session)
    {
        lock (_lock)
        {
            if (!ReferenceEquals(_session, session))
                return;
            _lastHeardNanos = session.LastHeardNanos;
            _session = null;
        }
    }

    internal void TakeStatus(AgentSession session, AgentStatus status)
    {
        lock (_lock)
        {
            if (ReferenceEquals(_session, session))
                _status = status;
        }
    }

    internal void Depart(string how, bool forGood = false)
    {
        AgentSession? session;
        lock (_lock)
        {
            _departure ??= how;
            IsGoneForGood |= forGood;
            session = _session;
        }

        session?.End(how);
    }

    private T Read<T>(Func<T> read)
    {
        lock (_lock)
            return read();
    }

    /// <summary>A process life that was given work and that another one has followed.</summary>
    private sealed record Predecessor(string Incarnation, string? Departure, long LastHeardNanos);
}
