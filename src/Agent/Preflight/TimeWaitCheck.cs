using LoadHarness.V1;

namespace LoadHarness.Agent.Preflight;

/// <summary>net.ipv4.tcp_max_tw_buckets: above it the kernel skips TIME-WAIT without a word.</summary>
internal static class TimeWaitCheck
{
    private const long Comfortable = 1_000_000;

    /// <summary>Whether a large drain will be cut off.</summary>
    /// <param name="buckets">The limit; null when it is not known.</param>
    public static AgentFinding? Check(long? buckets) => buckets is not { } most || most >= Comfortable ? null : new(
        Finding.Types.Severity.Info,
        "net.ipv4.tcp_max_tw_buckets",
        $"net.ipv4.tcp_max_tw_buckets is {most}: when more connections rest in TIME-WAIT the kernel skips that state, "
        + $"and a count of {most} is the cap and not the truth; sysctl -w net.ipv4.tcp_max_tw_buckets={2 * Comfortable}");
}
