using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>net.ipv4.tcp_max_orphans: connections whose process has gone and whose peer has not answered yet. Above it they are reset.</summary>
internal static class OrphansCheck
{
    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        const string purpose = "connections that outlive their process until the peer answers";
        if (host.Number(Sysctl.MaxOrphans) is not { } most)
            return Sysctl.Unknown(host, Sysctl.MaxOrphans, purpose);
        var wanted = need?.Connections ?? 0;
        if (wanted <= most)
            return new(Sysctl.MaxOrphans, Amount.Count(most), Verdict.Ok) { Needed = wanted > 0 ? $"{Amount.Count(wanted)}, when an agent is killed" : purpose };
        return new HostCheck(Sysctl.MaxOrphans, Amount.Count(most), Verdict.Warning)
        {
            Needed = $"{Amount.Count(wanted)}: when an agent is killed, those above it are reset by the kernel, and the target sees resets that nobody sent",
            Risk = "an orphan keeps its buffers, at worst 64 KB, while its peer is silent",
        }.SetTo(host, Sysctl.MaxOrphans, $"{Sysctl.WithRoom(wanted)}");
    }
}
