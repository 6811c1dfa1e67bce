using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>net.ipv4.tcp_max_syn_backlog: half-open connections that are remembered while SYN cookies are off.</summary>
internal static class SynBacklogCheck
{
    private const double RoundTrip = 0.1;
    private const long Least = 1_024;
    private const long Most = 65_535;

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        const string purpose = "half-open connections of a listener here, while SYN cookies are off";
        if (host.Number(Sysctl.SynBacklog) is not { } most)
            return Sysctl.Unknown(host, Sysctl.SynBacklog, purpose);
        var wanted = Math.Clamp((long)((need?.ConnectsPerSecond ?? 0) * RoundTrip), Least, Most);
        if (need is not { Listens: true } || host.Number(Sysctl.SynCookies) is not 0 || most >= wanted)
            return new(Sysctl.SynBacklog, Amount.Count(most), Verdict.Ok) { Needed = need is { Listens: true } ? purpose : "nothing: no listener of the run is on this host" };
        return new HostCheck(Sysctl.SynBacklog, Amount.Count(most), Verdict.Warning)
        {
            Needed = $"{Amount.Count(wanted)}: {purpose}; SYNs above three quarters of it are dropped",
            Risk = "about 0.3 KB of kernel memory for each during a flood",
        }.SetTo(host, Sysctl.SynBacklog, $"{Most}");
    }
}
