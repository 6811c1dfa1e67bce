using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>net.ipv4.ip_local_port_range: where the kernel chooses ports. Agents bind theirs themselves, inside and outside of it alike.</summary>
internal static class PortRangeCheck
{
    // What agents leave alone at its top, so that other programs on the host still connect.
    private const int LeftAlone = 4_096;

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        if (host.Number(Sysctl.PortRange) is not (>= 1 and <= 65535 and { } first) || host.Number(Sysctl.PortRange, 1) is not (<= 65535 and { } last) || last < first)
            return Sysctl.Unknown(host, Sysctl.PortRange, "ports that the kernel chooses from for other programs");
        var ports = last - first + 1;
        var value = $"{first}-{last} ({Amount.Of(ports, "port")})";
        return ports > LeftAlone
            ? new(Sysctl.PortRange, value, Verdict.Ok) { Needed = "nothing of agents: they choose their ports, and leave its top 4,096 to other programs" }
            : new HostCheck(Sysctl.PortRange, value, Verdict.Note)
            {
                Needed = $"more than {LeftAlone:N0}: agents leave so many at its top to other programs, and these have no others",
                Risk = "a service that starts later may find its port taken; list it in net.ipv4.ip_local_reserved_ports",
            }.SetTo(host, Sysctl.PortRange, "32768 60999");
    }
}
