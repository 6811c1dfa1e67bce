using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>The arithmetic of a run before anything is opened.</summary>
public sealed record CapacityReport
{
    /// <summary>Name and version of its JSON form.</summary>
    public const string SchemaName = "loadharness/plan/v1";

    /// <summary>What was asked for.</summary>
    public required RunSpec Spec { get; init; }

    /// <summary>What bounds the connections, the lowest first; estimates of the hosts' memory and files among them.</summary>
    public required ImmutableArray<CapacityLimit> Limits { get; init; }

    /// <summary>What stands against the run beside <see cref="Limits"/>: whole sentences.</summary>
    public required ImmutableArray<PlanProblem> Problems { get; init; }

    /// <summary>The endpoint spaces, one for each network namespace.</summary>
    public required ImmutableArray<EndpointRow> Spaces { get; init; }

    /// <summary>The agents and their parts of the goal; when it does not fit, in proportion to their cores.</summary>
    public required ImmutableArray<AgentNeed> Agents { get; init; }

    /// <summary>What the agents take of their hosts.</summary>
    public required ImmutableArray<HostLoad> Hosts { get; init; }

    /// <summary>How the goal is opened.</summary>
    public required Opening Opening { get; init; }

    /// <summary>How often connections can be replaced.</summary>
    public required ChurnCapacity Churn { get; init; }

    /// <summary>What clients would have that leave the port to the kernel.</summary>
    public required KernelChosenPorts KernelChosen { get; init; }

    /// <summary>What an HAProxy in front of the target's servers would take.</summary>
    public required HaproxyEstimate Haproxy { get; init; }

    /// <summary>What weights come to; empty when all destinations have the same, or the goal does not fit.</summary>
    public ImmutableArray<WeightedShare> Weights { get; init; } = [];

    /// <summary>What may not turn out as it is meant: whole sentences without a full stop.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];

    /// <summary>What was assumed of a fleet that does not exist; empty for a real one.</summary>
    public ImmutableArray<string> Assumptions { get; init; } = [];

    /// <summary>Connections that are wanted.</summary>
    public long Goal => Spec.Connections;

    /// <summary>Connections that would fit.</summary>
    public long Holds => Limits.Where(l => l.Binds).Min(l => l.Holds);

    /// <summary>4-tuples that the run may use.</summary>
    public long Tuples => Spaces.Sum(s => s.Free);

    /// <summary>Source addresses.</summary>
    public long Sources => Spaces.Sum(s => s.Sources);

    /// <summary>What comes first: what the run is refused for, else the lowest limit that it would meet.</summary>
    public CapacityLimit First => Limits.FirstOrDefault(l => l is { Binds: true, IsExceeded: true }) ?? Limits[0];

    /// <summary>Whether a run would be started.</summary>
    public bool Fits => Problems.IsEmpty && Limits.All(l => !l.Binds || !l.IsExceeded);

    /// <summary>The request is wrong in itself.</summary>
    public bool IsInvalid => Problems.Any(p => p.Kind == PlanProblemKind.Invalid);

    /// <summary>Why it would be refused, in the words that <c>run</c> uses.</summary>
    public ImmutableArray<string> Refusals =>
        [.. Problems.Select(p => p.Message), .. CapacityLimits.Exceeded(Limits).Select(l => l.Refusal)];
}

/// <summary>One agent's part.</summary>
/// <param name="Agent">What it has.</param>
/// <param name="Share">Its part of the goal.</param>
/// <param name="Reactors">Reactors that it starts for that.</param>
public sealed record AgentNeed(AgentResources Agent, long Share, int Reactors);

/// <summary>What the agents of one host take of it.</summary>
/// <param name="Host">Which.</param>
/// <param name="Agents">How many.</param>
/// <param name="Share">Their connections.</param>
/// <param name="BothEnds">The target is on the same host.</param>
/// <param name="Facts">What the host has.</param>
public sealed record HostLoad(string Host, int Agents, long Share, bool BothEnds, HostFacts Facts)
{
    /// <summary>Kernel memory of one connection, in bytes.</summary>
    public int KernelEach => BothEnds ? MemoryFigures.KernelPair : MemoryFigures.KernelEnd;

    /// <summary>Kernel memory, in bytes.</summary>
    public long KernelBytes => Share * KernelEach;

    /// <summary>User memory of the agents, in bytes.</summary>
    public long UserBytes => BaseBytes + (Share * UserEach);

    /// <summary>User memory of one connection, in bytes.</summary>
    public int UserEach => MemoryFigures.AgentConnection + (KeepsTls ? MemoryFigures.AgentTls : 0);

    /// <summary>Connections keep the state of their TLS.</summary>
    public bool KeepsTls { get; init; }

    /// <summary>User memory that does not depend on the connections, in bytes.</summary>
    public long BaseBytes => (long)Agents * MemoryFigures.AgentBase;

    /// <summary>Descriptors of one connection.</summary>
    public int FilesEach => BothEnds ? 2 : 1;
}

/// <summary>How often connections can be replaced over the whole endpoint space.</summary>
/// <param name="Tuples">The whole space.</param>
/// <param name="Goal">Connections at once.</param>
/// <param name="Spec">What is asked for; null: connections are held.</param>
/// <param name="Rest">How long tuples rest as asked; zero: used again at once.</param>
/// <param name="MaxTimeWaitBuckets">The least of the hosts; null: unknown.</param>
public sealed record ChurnCapacity(long Tuples, long Goal, ChurnSpec? Spec, TimeSpan Rest, long? MaxTimeWaitBuckets)
{
    /// <summary>Lifetime of a connection; zero where none was asked for.</summary>
    public TimeSpan Lifetime => Spec?.Lifetime ?? TimeSpan.Zero;

    /// <summary>Whether connections end by our FIN, after which tuples rest.</summary>
    public bool ByFin => Spec is { Close: CloseMethod.Fin };

    /// <summary>Connections per second that the goal and the lifetime ask for; 0 for a hold.</summary>
    public double Wanted => Spec is null ? 0 : ChurnArithmetic.RateOf(Goal, Lifetime);

    /// <summary>Connections per second that last while tuples rest 60 s, as ordinary clients live with.</summary>
    public double RestCeiling => ChurnArithmetic.Ceiling(Tuples, Lifetime, ChurnArithmetic.TimeWait);

    /// <summary>Tuples that the goal takes, with those that rest.</summary>
    public long TuplesNeeded => ByFin && Rest > TimeSpan.Zero ? ChurnArithmetic.TuplesFor(Goal, Lifetime, Rest) : Goal;

    /// <summary>Whether the tuples last for what is asked.</summary>
    public bool IsSustainable => Spec is null || TuplesNeeded <= Tuples;

    /// <summary>Sockets in TIME-WAIT while the churn goes on, before tcp_max_tw_buckets cuts them.</summary>
    public long TimeWait => ByFin
        ? Math.Min(Tuples, ChurnArithmetic.Resting(Rest > TimeSpan.Zero ? Math.Min(Wanted, RestCeiling) : Wanted, ChurnArithmetic.TimeWait))
        : 0;

    /// <summary>Sockets in TIME-WAIT after the drain, before tcp_max_tw_buckets cuts them: it closes by FIN.</summary>
    public long TimeWaitAfterDrain => Goal;
}

/// <summary>What a client has that leaves the source port to the kernel.</summary>
/// <param name="Range">net.ipv4.ip_local_port_range</param>
/// <param name="Pairs">Pairs of a source address and a destination.</param>
public sealed record KernelChosenPorts(PortSpan Range, long Pairs)
{
    /// <summary>Connections with one source and one destination: the known 28k ceiling.</summary>
    public int PerPair => Range.Count;

    /// <summary>From here on connects get slow (42,000/s become 500/s): the kernel tries odd and even ports apart.</summary>
    public int CheapPerPair => Range.Count / 2;

    /// <summary>Connections per second that can be replaced with one source and one destination.</summary>
    public double ChurnPerPair => ChurnArithmetic.Ceiling(PerPair, TimeSpan.Zero, ChurnArithmetic.TimeWait);

    /// <summary>Connections in all.</summary>
    public long Connections => PerPair * Pairs;

    /// <summary>Connections per second that can be replaced in all.</summary>
    public double Churn => ChurnArithmetic.Ceiling(Connections, TimeSpan.Zero, ChurnArithmetic.TimeWait);
}

/// <summary>What an HAProxy takes that passes the goal on to its servers; estimates, sources in <see cref="MemoryFigures"/>.</summary>
/// <param name="Goal">Connections through it.</param>
public sealed record HaproxyEstimate(long Goal)
{
    private const int KernelChosenPorts = 28_232;

    /// <summary>Kernel memory of its two sockets a connection, in bytes.</summary>
    public long KernelBytes => Goal * MemoryFigures.KernelPair;

    /// <summary>Its own memory in mode tcp, in bytes.</summary>
    public long TcpBytes => Goal * MemoryFigures.HaproxyTcp;

    /// <summary>More for TLS towards the clients, in bytes.</summary>
    public long TlsBytes => Goal * MemoryFigures.HaproxyTls;

    /// <summary>More when data waits in the buffers of all connections at once, in bytes.</summary>
    public long BufferBytes => Goal * MemoryFigures.HaproxyBuffers;

    /// <summary>Descriptors, without those of its own.</summary>
    public long Descriptors => Goal * 2;

    /// <summary>Address and port pairs of servers behind it: it is a client that lets the kernel choose.</summary>
    public long ServerPairs => CapacityLimits.CeilingOf(Goal, KernelChosenPorts);
}
