using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>net.ipv4.tcp_timestamps: with them connect() may take over a tuple in TIME-WAIT at once.</summary>
internal static class TimestampsCheck
{
    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        if (host.Number(Sysctl.Timestamps) is not { } value)
            return Sysctl.Unknown(host, Sysctl.Timestamps, "connecting over TIME-WAIT");
        if (value > 0)
            return new(Sysctl.Timestamps, $"{value} (on)", Verdict.Ok) { Needed = "on: a tuple in TIME-WAIT can be connected again at once" };
        var ceiling = (need?.Tuples ?? 0) / (double)HostNeed.TimeWaitSeconds;
        var verdict = need switch
        {
            null => Verdict.Warning,
            { Tuples: > 0 } when need.ClosesPerSecond > ceiling => Verdict.Error,
            { ClosesPerSecond: > 0 } => Verdict.Warning,
            _ => Verdict.Note,
        };
        return new HostCheck(Sysctl.Timestamps, "0 (off)", verdict)
        {
            Needed = $"on: without, a tuple in TIME-WAIT cannot be connected for {HostNeed.TimeWaitSeconds} s (EADDRNOTAVAIL), whatever the run says about reuse"
                + (verdict == Verdict.Error ? $"; {Amount.Count(need!.Tuples)} tuples allow {Amount.Rate(ceiling)} closes, {Amount.Rate(need.ClosesPerSecond)} are wanted" : ""),
            Risk = "12 bytes in each segment; peers can tell roughly how long the host is up",
        }.SetTo(host, Sysctl.Timestamps, "1");
    }
}
