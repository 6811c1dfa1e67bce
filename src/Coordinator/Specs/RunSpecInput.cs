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

    /// <summary><c>tcp://HOST:PORTS</c>, <c>tls://</c>, <c>http://HOST:PORTS/PATH</c>, <c>https://</c>, or <c>HOST:PORTS</c>.</summary>
    public ImmutableArray<string> Targets { get; init; } = [];

    /// <summary>The goal of the hold; null: <see cref="ConnectRate"/> is the goal of churn.</summary>
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

    /// <summary><c>hold</c>, <c>churn</c>, <c>http</c> or <c>echo</c>; several with weights: <c>hold=80,http=20</c>.</summary>
    public string? Workload { get; init; }

    /// <summary>How long a connection lives that churns: <c>10s</c>, <c>5s-15s</c>, <c>exp:10s</c>.</summary>
    public LifetimeInput? Lifetime { get; init; }

    /// <summary>How it ends: <c>fin</c>, <c>rst</c> or <c>peer</c>.</summary>
    public string? Close { get; init; }

    /// <summary>Requests per second of the whole run, whatever the answers.</summary>
    public Quantity<double>? RequestsPerSecond { get; init; }

    /// <summary>How long after an answer the next request of a connection comes.</summary>
    public Quantity<TimeSpan>? ThinkTime { get; init; }

    /// <summary>How often each connection sends a request; of a mix with hold against an HTTP target: how often each held one does.</summary>
    public Quantity<TimeSpan>? Heartbeat { get; init; }

    /// <summary>After how many requests a connection is closed.</summary>
    public Quantity<long>? RequestsPerConnection { get; init; }

    /// <summary>How long a request may take.</summary>
    public Quantity<TimeSpan>? RequestTimeout { get; init; }

    /// <summary>Of HTTP requests.</summary>
    public string? Method { get; init; }

    /// <summary>Each as <c>NAME: VALUE</c>.</summary>
    public ImmutableArray<string> Headers { get; init; } = [];

    /// <summary>Of HTTP requests; empty: none.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The host that is asked for, where it is not the target.</summary>
    public string? Host { get; init; }

    /// <summary>Statuses that are fine: <c>200-299,404</c>.</summary>
    public string? ExpectStatus { get; init; }

    /// <summary>Of an echo, in bytes.</summary>
    public Quantity<long>? MessageSize { get; init; }

    /// <summary>What TLS is to be like.</summary>
    public TlsInput Tls { get; init; } = new();

    /// <summary><c>v1</c> or <c>v2</c>.</summary>
    public string? ProxyProtocol { get; init; }

    /// <summary>Who is said to connect, as a CIDR.</summary>
    public string? ProxyClients { get; init; }

    /// <summary><c>on</c> or <c>off</c>.</summary>
    public string? NoDelay { get; init; }

    /// <summary>How often the kernel probes an idle connection.</summary>
    public Quantity<TimeSpan>? KeepAlive { get; init; }

    /// <summary>SO_SNDBUF.</summary>
    public Quantity<long>? SendBuffer { get; init; }

    /// <summary>SO_RCVBUF.</summary>
    public Quantity<long>? ReceiveBuffer { get; init; }

    /// <summary>TCP_USER_TIMEOUT.</summary>
    public Quantity<TimeSpan>? UserTimeout { get; init; }

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

/// <summary>A lifetime as it arrived: typed by a person, or already a value. Both convert implicitly.</summary>
/// <param name="Text">As typed; null when <paramref name="Value"/> is meant.</param>
/// <param name="Value">Null when there is a text.</param>
public readonly record struct LifetimeInput(string? Text, LifetimeSpec? Value)
{
    /// <summary>Typed by a person.</summary>
    public static implicit operator LifetimeInput(string text) => new(text, null);

    /// <summary>Already a value.</summary>
    public static implicit operator LifetimeInput(LifetimeSpec value) => new(null, value);
}
