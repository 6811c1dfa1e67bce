using LoadHarness.V1;

namespace LoadHarness.Protos;

/// <summary>The version of the contract in this build, and the names of capabilities.</summary>
public static class Protocol
{
    /// <summary>Peers with another major version do not understand each other.</summary>
    public const uint Major = 1;

    /// <summary>Grows when something is added that an older peer may ignore.</summary>
    public const uint Minor = 3;

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

    /// <summary>Everything that this build can do.</summary>
    public static readonly string[] All =
    [
        WorkloadHold, WorkloadChurn, Retire, Weights, Reconnect,
        TransportTcp,
        Greeting,
        Routes,
        Backend,
        Checks,
        Provision,
    ];
}
