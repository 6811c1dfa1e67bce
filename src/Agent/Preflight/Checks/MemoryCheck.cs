using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>
/// MemFree against what the kernel takes for sockets: 5.1 KB an end, measured on kernel 6.18. MemAvailable counts what cannot be had at
/// these sizes (pinned dentries), so it is only a bound from above.
/// </summary>
internal static class MemoryCheck
{
    private const string Name = "memory";
    private const long BytesPerSocket = 5_100;

    public static HostCheck Check(HostFacts host, HostNeed? need)
    {
        if (host.MemoryFree is not { } free)
            return new(Name, "/proc/meminfo cannot be read", Verdict.Unknown) { Needed = "5.1 KB for each socket" };
        var usable = Math.Min(free, host.GroupMemoryLeft ?? free);
        var value = $"{Amount.Bytes(free)} free"
            + (usable < free ? $", the control group leaves {Amount.Bytes(usable)}" : "")
            + $": good for {Amount.Count(usable / BytesPerSocket)} sockets";
        var wanted = (need?.Sockets ?? 0) * BytesPerSocket;
        if (wanted <= usable)
            return new(Name, value, Verdict.Ok) { Needed = wanted > 0 ? Needed(need!, wanted) : "5.1 KB for each socket" };
        var reclaimable = Math.Min(host.MemoryAvailable ?? free, host.GroupMemoryLeft ?? long.MaxValue);
        return wanted > reclaimable
            ? new(Name, value, Verdict.Error)
            {
                Needed = Needed(need!, wanted),
                Remedy = $"fewer connections on this host: at most {Amount.Count(usable / BytesPerSocket / (need!.BothEnds ? 2 : 1))}; or more hosts",
                Risk = "a host that swaps measures itself",
            }
            : new(Name, value, Verdict.Warning)
            {
                Needed = $"{Needed(need!, wanted)}; {Amount.Bytes(reclaimable)} can be made free, slowly",
                Remedy = "sync; echo 1 > /proc/sys/vm/drop_caches",
                Risk = "files are read from disk again",
            };
    }

    private static string Needed(HostNeed need, long wanted) =>
        $"{Amount.Bytes(wanted)}: 5.1 KB for each of {Amount.Count(need.Sockets)} sockets{(need.BothEnds ? ", both ends" : "")}";
}
