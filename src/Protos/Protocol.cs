using LoadHarness.V1;

namespace LoadHarness.Protos;

/// <summary>The version of the contract in this build, and the names of capabilities.</summary>
public static class Protocol
{
    /// <summary>Peers with another major version do not understand each other.</summary>
    public const uint Major = 1;

    /// <summary>Grows when something is added that an older peer may ignore.</summary>
    public const uint Minor = 4;

    /// <summary>The version as a message.</summary>
    public static ProtocolVersion Version => new() { Major = Major, Minor = Minor };
}

/// <summary>What an assignment can require of an agent, by name.</summary>
public static class Capabilities
{
    /// <summary>Opens connections and keeps them.</summary>
    public const string WorkloadHold = "workload.hold";

    /// <summary>Closes connections after their lifetime and opens others in their place.</summary>
    public const string WorkloadChurn = "workload.churn";

    /// <summary>Draws lifetimes from a distribution, and leaves the close to the peer.</summary>
    public const string WorkloadLifetimes = "workload.lifetimes";

    /// <summary>Sends HTTP/1.1 requests.</summary>
    public const string WorkloadHttp = "workload.http";

    /// <summary>Sends bytes and wants the same back.</summary>
    public const string WorkloadEcho = "workload.echo";

    /// <summary>Holds connections of several kinds at once.</summary>
    public const string WorkloadMix = "workload.mix";

    /// <summary>TLS.</summary>
    public const string TransportTls = "transport.tls";

    /// <summary>The PROXY protocol ahead of everything else.</summary>
    public const string TransportProxyProtocol = "transport.proxy-protocol";

    /// <summary>Options of TCP sockets.</summary>
    public const string TransportTcpOptions = "transport.tcp-options";

    /// <summary>Gives blocks back: knows `retiring`, and reports them when they are empty.</summary>
    public const string Retire = "retire";

    /// <summary>Adds source addresses to its host while a run lasts.</summary>
    public const string Provision = "provision";

    /// <summary>Closes a part of what it holds and opens it again, all at once.</summary>
    public const string Reconnect = "reconnect";

    /// <summary>Says how its host stands against a need.</summary>
    public const string Checks = "checks";

    /// <summary>Spreads connections over destinations by weight.</summary>
    public const string Weights = "weights";

    /// <summary>Plain TCP.</summary>
    public const string TransportTcp = "transport.tcp";

    /// <summary>Counts connections as confirmed once the target has sent a byte.</summary>
    public const string Greeting = "greeting";

    /// <summary>Says what names mean on its host and where the kernel would connect from.</summary>
    public const string Routes = "routes";

    /// <summary>Accepts connections by assignment.</summary>
    public const string Backend = "backend";

    /// <summary>Answers what it accepts: HTTP, echo.</summary>
    public const string BackendAnswers = "backend.answers";

    /// <summary>Everything that this build can do.</summary>
    public static readonly string[] All =
    [
        WorkloadHold, WorkloadChurn, WorkloadLifetimes, WorkloadHttp, WorkloadEcho, WorkloadMix, Retire, Weights, Reconnect,
        TransportTcp, TransportTls, TransportProxyProtocol, TransportTcpOptions,
        Greeting,
        Routes,
        Backend,
        BackendAnswers,
        Checks,
        Provision,
    ];
}
