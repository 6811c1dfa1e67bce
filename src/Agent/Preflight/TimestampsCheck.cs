using LoadHarness.V1;

namespace LoadHarness.Agent.Preflight;

/// <summary>net.ipv4.tcp_timestamps: with them connect() may take over a tuple in TIME-WAIT at once.</summary>
internal static class TimestampsCheck
{
    /// <summary>What it costs when they are off.</summary>
    public static AgentFinding? Check(bool timestamps) => timestamps ? null : new(
        Finding.Types.Severity.Warning,
        "net.ipv4.tcp_timestamps",
        "net.ipv4.tcp_timestamps is 0: a tuple in TIME-WAIT cannot be connected again for 60 s (EADDRNOTAVAIL), "
        + "whatever the run says about reuse; sysctl -w net.ipv4.tcp_timestamps=1");
}
