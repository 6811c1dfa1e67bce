using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Specs;

/// <summary>What a user asks for, validated and with every default filled in.</summary>
public sealed record RunSpec
{
    /// <summary>For people; empty when none was given.</summary>
    public string Name { get; init; } = "";

    /// <summary>What to load: at least one address with at least one port.</summary>
    public required ImmutableArray<TargetSpec> Targets { get; init; }

    /// <summary>The goal of the hold, in connections; 1 to 100,000,000.</summary>
    public required long Connections { get; init; }

    /// <summary>Time from nothing to the goal; null when <see cref="ConnectRate"/> says how fast.</summary>
    public TimeSpan? Ramp { get; init; }

    /// <summary>
    /// Connections per second over the whole run; null when neither it nor a ramp was given (the gentle default applies).
    /// </summary>
    public double? ConnectRate { get; init; }

    /// <summary>How long the goal is held, counted from the end of the ramp.</summary>
    public TimeSpan Hold { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Where to connect from; empty means the address that the route chooses.</summary>
    public ImmutableArray<SourceSpec> Sources { get; init; } = [];

    /// <summary>The source ports to use; null means the safe default range.</summary>
    public PortSpan? SourcePorts { get; init; }

    /// <summary>Agents to wait for; null means those that are there.</summary>
    public int? Agents { get; init; }

    /// <summary>How long agents may take to get ready.</summary>
    public TimeSpan ReadyTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long one connect may take.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The run drains by itself when it has lasted this long.</summary>
    public TimeSpan MaxDuration { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Count connections as confirmed once the target has sent a byte.</summary>
    public bool ExpectGreeting { get; init; }

    /// <summary>Labels that an agent must carry to take part, each with this value; empty: every idle client may.</summary>
    public ImmutableSortedDictionary<string, string> Select { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Backend agents to wait for and to start with the run; 0: none.</summary>
    public int Backends { get; init; }

    /// <summary>Ports on which each backend listens; empty when there is none.</summary>
    public ImmutableArray<PortSpan> BackendListen { get; init; } = [];

    /// <summary>As <see cref="Select"/>, for the backends.</summary>
    public ImmutableSortedDictionary<string, string> BackendSelect { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>What connections do once they are open, by kind; at least one.</summary>
    public ImmutableArray<WorkloadShare> Workload { get; init; } = [new(1, new WorkloadSpec.Hold())];

    /// <summary>What carries connections.</summary>
    public TransportSpec Transport { get; init; } = TransportSpec.Plain;

    /// <summary>How fast connections end by plan and are replaced while the goal is kept; null: they are held, as far as is known.</summary>
    public ChurnSpec? Churn => ChurnSpec.Of(this);

    /// <summary>
    /// Whether connections end by plan at times that nobody knows beforehand: after a number of requests that follow the target's answers,
    /// or when the peer likes.
    /// </summary>
    public bool EndsAreUnforeseen => Workload.Any(w => w.Workload is WorkloadSpec.Churn { Life: null } || w.Workload.Requests is { PerConnection: > 0, Load: LoadSpec.Closed });

    /// <summary>How long a tuple rests after its connection ended by our FIN; zero: it is used again at once.</summary>
    public TimeSpan Rest { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Start although not everything fits: the goal is then what fits.</summary>
    public bool Force { get; init; }

    /// <summary>Source addresses to add to the agents' hosts while the run lasts.</summary>
    public ImmutableArray<ProvisionSpec> Provision { get; init; } = [];

    /// <summary>What becomes of the share of an agent that was lost.</summary>
    public AgentLossPolicy OnAgentLoss { get; init; } = AgentLossPolicy.Rebalance;

    /// <summary>What becomes of an idle agent that attaches while the run is under load.</summary>
    public AgentJoinPolicy OnAgentJoin { get; init; } = AgentJoinPolicy.Fill;
}

/// <summary>One target as the user typed it.</summary>
/// <param name="Text">As typed: <c>tcp://10.0.0.5:443,8443-8450</c>.</param>
/// <param name="Host">Its host part: a name or an address.</param>
/// <param name="Addresses">What the host part means wherever it is used; empty: a name that each agent asks its own host for.</param>
/// <param name="Ports">In ascending order, without overlaps; never empty.</param>
public sealed record TargetSpec(string Text, string Host, ImmutableArray<IpAddress> Addresses, ImmutableArray<PortSpan> Ports)
{
    /// <summary>Connections that each of its address and port pairs gets beside those of other targets: 1 to 1,000.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>How it is spoken to.</summary>
    public TargetScheme Scheme { get; init; }

    /// <summary>What is asked for, in origin form with its query; <c>/</c> when none was given.</summary>
    public string Path { get; init; } = "/";

    /// <summary>Whether the agents say what the host part means.</summary>
    public bool IsAskedOfAgents => Addresses.IsEmpty;
}

/// <summary>Sources as the user typed them.</summary>
/// <param name="Text">As typed.</param>
/// <param name="Range">The addresses; null for those that are found on each host.</param>
public sealed record SourceSpec(string Text, IpRange? Range)
{
    /// <summary>The interface whose addresses are meant, on each host its own; null when none is named.</summary>
    public string? Device { get; init; }

    /// <summary>Whether every usable address of the host that routes to the target is meant.</summary>
    public bool IsAuto => Range is null && Device is null;
}

/// <summary>Source addresses to add.</summary>
/// <param name="Text">As typed: <c>10.0.1.0/24@eth0</c>.</param>
/// <param name="Range">The usable addresses of the prefix: for IPv4 without its first and last.</param>
/// <param name="PrefixLength">1 to 32, or to 128.</param>
/// <param name="Device">The interface.</param>
public sealed record ProvisionSpec(string Text, IpRange Range, int PrefixLength, string Device)
{
    /// <summary>As an agent that allows it is to be started with: <c>10.0.1.0/24@eth0</c>.</summary>
    public string Cidr => $"{AddressPrefix.Of(Range.First, PrefixLength)}@{Device}";
}
