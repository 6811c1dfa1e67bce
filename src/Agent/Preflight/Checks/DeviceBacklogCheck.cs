using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>net.core.netdev_max_backlog: packets that wait for one processor; on loopback and veth all of a burst goes through it.</summary>
internal static class DeviceBacklogCheck
{
    // Packets of a handshake and its close, for a tick of the scheduler (10 ms) that a processor is busy elsewhere.
    private const double PacketsWaiting = 3 * 0.01;
    private const long Least = 1_000;
    private const long Generous = 16_384;

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        const string purpose = "packets that wait for one processor";
        if (host.Number(Sysctl.DeviceBacklog) is not { } most)
            return Sysctl.Unknown(host, Sysctl.DeviceBacklog, purpose);
        var value = Amount.Count(most) + (host.BacklogDrops is { } drops ? $", {Amount.Count(drops)} dropped since boot" : "");
        var wanted = need is { BothEnds: true } ? Math.Clamp((long)(need.ConnectsPerSecond * PacketsWaiting), Least, Generous) : Least;
        if (most >= wanted)
            return new(Sysctl.DeviceBacklog, value, Verdict.Ok) { Needed = $"{Amount.Count(wanted)}: {purpose}" };
        return new HostCheck(Sysctl.DeviceBacklog, value, need is null ? Verdict.Note : Verdict.Warning)
        {
            Needed = $"{Amount.Count(wanted)}: {purpose}; a drop costs a connect one second",
            Risk = "bursts wait longer instead of being dropped",
        }.SetTo(host, Sysctl.DeviceBacklog, $"{Generous}");
    }
}
