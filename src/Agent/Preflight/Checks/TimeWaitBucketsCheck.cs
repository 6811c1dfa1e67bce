using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>net.ipv4.tcp_max_tw_buckets: above it the kernel skips TIME-WAIT without a word (TCPTimeWaitOverflow).</summary>
internal static class TimeWaitBucketsCheck
{
    private const long Comfortable = 1_000_000;

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        if (host.Number(Sysctl.TimeWaitBuckets) is not { } most)
            return Sysctl.Unknown(host, Sysctl.TimeWaitBuckets, "connections in TIME-WAIT at once");
        var wanted = need?.TimeWaits ?? 0;
        var enough = need is null ? most >= Comfortable : most >= wanted;
        var check = new HostCheck(Sysctl.TimeWaitBuckets, Amount.Count(most), enough ? Verdict.Ok : need is null ? Verdict.Note : Verdict.Warning)
        {
            Needed = Needed(need, wanted) + (enough ? "" : "; above the limit TIME-WAIT is skipped in silence, and its count is the cap"),
        };
        return enough ? check : (check with { Risk = "about 0.3 KB of kernel memory for each that rests" })
            .SetTo(host, Sysctl.TimeWaitBuckets, $"{Sysctl.WithRoom(Math.Max(wanted, need is null ? Comfortable : 0))}");
    }

    private static string Needed(HostNeed? need, long wanted) => need switch
    {
        null => $"each connection closed by FIN rests {HostNeed.TimeWaitSeconds} s",
        { ClosesPerSecond: > 0 } => $"{Amount.Count(wanted)}: {Amount.Rate(need.ClosesPerSecond)} closes for {HostNeed.TimeWaitSeconds} s, and a drain of all",
        _ => $"{Amount.Count(wanted)}: a drain of all within {HostNeed.TimeWaitSeconds} s",
    };
}
