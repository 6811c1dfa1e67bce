using LoadHarness.V1;

namespace LoadHarness.Agent.Preflight;

/// <summary>net.netfilter.nf_conntrack_max: where connections are tracked, those beyond it are dropped.</summary>
internal static class ConnectionTrackingCheck
{
    /// <summary>Whether it leaves room for what this agent could hold.</summary>
    /// <param name="most">The limit; null where connections are not tracked.</param>
    /// <param name="capacity">Connections that the agent's own limits allow.</param>
    public static AgentFinding? Check(long? most, long capacity) => most is not { } limit || limit >= capacity ? null : new(
        Finding.Types.Severity.Warning,
        "net.netfilter.nf_conntrack_max",
        $"net.netfilter.nf_conntrack_max is {limit}, fewer than the {capacity} connections that this agent could hold: "
        + $"packets of those beyond it are dropped; sysctl -w net.netfilter.nf_conntrack_max={2 * capacity}, "
        + "or exempt the target (iptables -t raw -j NOTRACK)");
}
