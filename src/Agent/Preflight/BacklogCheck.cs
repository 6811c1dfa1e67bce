using LoadHarness.V1;

namespace LoadHarness.Agent.Preflight;

/// <summary>net.core.somaxconn: bounds the accept queue of every listener, so of a target on this host.</summary>
internal static class BacklogCheck
{
    private const long Comfortable = 4096;

    /// <summary>Whether a steep ramp will overflow accept queues.</summary>
    /// <param name="somaxconn">The limit; null when it is not known.</param>
    public static AgentFinding? Check(long? somaxconn) => somaxconn is not { } most || most >= Comfortable ? null : new(
        Finding.Types.Severity.Info,
        "net.core.somaxconn",
        $"net.core.somaxconn is {most}: a target on this host drops SYNs when that many connections wait to be accepted, and connects then "
        + $"take 1 s, 3 s, 7 s longer; sysctl -w net.core.somaxconn={Comfortable}");
}
