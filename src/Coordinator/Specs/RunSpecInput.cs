using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Specs;

/// <summary>
/// What a user asks for, as it arrived from the command line (texts) or the control API (values). Nothing is checked yet; null
/// means not given.
/// </summary>
public sealed record RunSpecInput
{
    /// <summary>For people.</summary>
    public string Name { get; init; } = "";

    /// <summary><c>tcp://HOST:PORTS</c> or <c>HOST:PORTS</c>.</summary>
    public ImmutableArray<string> Targets { get; init; } = [];

    /// <summary>The goal of the hold.</summary>
    public Quantity<long>? Connections { get; init; }

    /// <summary>Time from nothing to the goal.</summary>
    public Quantity<TimeSpan>? Ramp { get; init; }

    /// <summary>Connections per second.</summary>
    public Quantity<double>? ConnectRate { get; init; }

    /// <summary>How long the goal is held.</summary>
    public Quantity<TimeSpan>? Hold { get; init; }

    /// <summary>Addresses, ranges <c>A-B</c>, CIDRs or <c>auto</c>; each text may hold several, separated by commas.</summary>
    public ImmutableArray<string> Sources { get; init; } = [];

    /// <summary><c>1024-65535</c>.</summary>
    public string? SourcePorts { get; init; }

    /// <summary>Agents to wait for.</summary>
    public Quantity<long>? Agents { get; init; }

    /// <summary>How long agents may take to get ready.</summary>
    public Quantity<TimeSpan>? ReadyTimeout { get; init; }

    /// <summary>How long one connect may take.</summary>
    public Quantity<TimeSpan>? ConnectTimeout { get; init; }

    /// <summary>When the run drains by itself.</summary>
    public Quantity<TimeSpan>? MaxDuration { get; init; }

    /// <summary>Count connections as confirmed once the target has sent a byte.</summary>
    public bool ExpectGreeting { get; init; }

    /// <summary>Labels that an agent must carry, each as <c>LABEL=VALUE</c>.</summary>
    public ImmutableArray<string> Select { get; init; } = [];

    /// <summary>Backend agents to start with the run.</summary>
    public Quantity<long>? Backends { get; init; }

    /// <summary>Where each of them listens: <c>9000-9009</c>.</summary>
    public string? BackendListen { get; init; }

    /// <summary>Labels that a backend must carry, each as <c>LABEL=VALUE</c>.</summary>
    public ImmutableArray<string> BackendSelect { get; init; } = [];

    /// <summary><c>hold</c> or <c>churn</c>.</summary>
    public string? Workload { get; init; }

    /// <summary>How long a connection lives that churns.</summary>
    public Quantity<TimeSpan>? Lifetime { get; init; }

    /// <summary>How it ends: <c>fin</c> or <c>rst</c>.</summary>
    public string? Close { get; init; }

    /// <summary>What becomes of its tuple: <c>rest</c> or <c>immediate</c>.</summary>
    public string? Reuse { get; init; }

    /// <summary>Start although not everything fits.</summary>
    public bool Force { get; init; }

    /// <summary>Source addresses to add, as in <c>10.0.1.0/24@eth0</c>; each text may hold several, separated by commas.</summary>
    public ImmutableArray<string> ProvisionSources { get; init; } = [];

    /// <summary>What becomes of the share of a lost agent: <c>rebalance</c>, <c>hold</c> or <c>fail</c>.</summary>
    public string? OnAgentLoss { get; init; }

    /// <summary>What becomes of an idle agent that attaches under load: <c>fill</c> or <c>ignore</c>.</summary>
    public string? OnAgentJoin { get; init; }

    /// <summary>Host names that were resolved already, with their addresses; whatever case they are written in.</summary>
    public ImmutableDictionary<string, ImmutableArray<IpAddress>> Names { get; init; } =
        ImmutableDictionary.Create<string, ImmutableArray<IpAddress>>(StringComparer.OrdinalIgnoreCase);
}
