using LoadHarness.TestKit.Networks;

namespace LoadHarness.TestKit.Proxies;

/// <summary>How HAProxy is set up: one frontend and one backend in mode tcp.</summary>
/// <param name="Bind">Where it listens: <c>127.0.0.1:8443</c>. Several processes share the port by SO_REUSEPORT.</param>
/// <param name="Servers">Where it forwards to, in turn: <c>127.0.0.1:9000</c>.</param>
public sealed record HaProxyOptions(string Bind, params IReadOnlyList<string> Servers)
{
    /// <summary>Where it runs; null is the namespace of the tests.</summary>
    public NetworkNamespace? Namespace { get; init; }

    /// <summary>Connections that one process accepts at a time; each takes two descriptors.</summary>
    public int MaxConnections { get; init; } = 9_500;

    /// <summary>One master that keeps a worker: it can be told to reload. Old workers end after this time; null: no master.</summary>
    public TimeSpan? HardStopAfter { get; init; }

    /// <summary>How many processes.</summary>
    public int Processes { get; init; } = 1;

    /// <summary>Threads of each.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>
    /// Frontends, backends and lists in HAProxy's own words, instead of the one frontend and the one backend; each frontend binds and logs
    /// as it says itself.
    /// </summary>
    public string? Sections { get; init; }
}
