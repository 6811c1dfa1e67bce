using LoadHarness.Coordinator.Planning;
using LoadHarness.Protos;

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
    private long _lastHeardNanos;

    internal AgentState(AgentSession session, CoordinatorClock clock, FleetOptions options)
    {
        (_clock, _options, _hello) = (clock, options, session.Hello);
        Id = session.Hello.AgentId;
        Attach(session);
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

    /// <summary>Which samples of its present process life were kept.</summary>
    internal SampleIntake Intake { get; } = new();

    /// <summary>How long nothing was heard of it.</summary>
    public TimeSpan Silence => CoordinatorClock.Between(LastHeardNanos, _clock.Nanos);

    /// <summary>When it was heard last.</summary>
    public DateTimeOffset LastSeen => _clock.Time.GetUtcNow() - Silence;

    /// <summary>Attached, not known to have gone, and heard within the last three heartbeats.</summary>
    public bool Answers => Session is not null && Departure is null && Silence <= 3 * _options.HeartbeatInterval;

    /// <summary>Answers, works for no run and holds no connection.</summary>
    public bool IsIdle => Answers && Run is null && Status is null or { Held: 0 };

    /// <summary>
    /// Whether its connections are gone for certain: on proof, or when it has been silent for longer than
    /// lease, drain and margin together, after which it has drained by itself.
    /// </summary>
    /// <param name="drainTimeout">The drain deadline of its assignment.</param>
    public bool IsLost(TimeSpan drainTimeout) =>
        Departure is not null || Silence > _options.Lease + drainTimeout + _options.LossMargin;

    /// <summary>Gives it its newest desired state; it is sent whole, now or when the agent attaches again.</summary>
    public void Assign(AgentAssignment assignment)
    {
        AgentSession? session;
        lock (_lock)
        {
            _assignment = assignment;
            session = _session;
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
            return true;
        }
    }

    internal void Release(IRunLink run)
    {
        lock (_lock)
        {
            if (ReferenceEquals(_run, run))
                _run = null;
        }
    }

    internal void Attach(AgentSession session)
    {
        AgentAssignment? assignment;
        lock (_lock)
        {
            if (_hello.Incarnation != session.Hello.Incarnation)
                _status = null;
            _session?.End("the agent attached again");
            (_session, _hello, _departure) = (session, session.Hello, null);
            _status = session.Hello.Held ?? _status;
            // An agent that comes back gets its newest assignment, even after the run ended if it still holds connections of it.
            assignment = _run is not null || session.Hello.Held?.RunId == _assignment?.RunId ? _assignment : null;
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

    internal void Depart(string how)
    {
        AgentSession? session;
        lock (_lock)
        {
            _departure ??= how;
            session = _session;
        }

        session?.End(how);
    }

    private T Read<T>(Func<T> read)
    {
        lock (_lock)
            return read();
    }
}
