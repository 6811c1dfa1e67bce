using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using static LoadHarness.Coordinator.Planning.Capacity.CapacityLimits;

namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>What the memory and the files of the agents' hosts allow: the goal at which the first host has no more.</summary>
internal static class HostLimits
{
    /// <summary>One limit for each thing that is known.</summary>
    public static IEnumerable<CapacityLimit> Of(long goal, ImmutableArray<HostLoad> hosts)
    {
        if (Scarcest(goal, hosts, ByMemory) is { } memory)
            yield return Memory(goal, memory.Holds, memory.Host);
        if (Scarcest(goal, hosts, h => h.Facts.FreeFiles / h.FilesEach) is { } files)
            yield return Files(goal, files.Holds, files.Host);
    }

    private static long? ByMemory(HostLoad host) =>
        host.Facts.MemoryFreeBytes is { } free ? Math.Max(0, free - host.BaseBytes) / (host.KernelEach + host.UserEach) : null;

    private static (long Holds, HostLoad Host)? Scarcest(long goal, ImmutableArray<HostLoad> hosts, Func<HostLoad, long?> most) => hosts
        .Where(h => h.Share > 0 && most(h) is not null)
        .Select(h => ((long, HostLoad)?)((long)(most(h)!.Value * (decimal)goal / h.Share), h))
        .MinBy(h => h!.Value.Item1);

    private static CapacityLimit Memory(long goal, long holds, HostLoad host)
    {
        var wanted = Math.Max(goal, holds + 1);
        var share = (long)Math.Ceiling(host.Share * (decimal)wanted / goal);
        var need = host.BaseBytes + (share * (host.KernelEach + host.UserEach));
        return new(CapacityLimitKind.Memory, holds, goal,
            $"host {host.Host} has {SizeText.Format(host.Facts.MemoryFreeBytes!.Value)} free, and a connection takes {host.KernelEach:N0} bytes in the kernel "
                + $"({(host.BothEnds ? "both ends are here" : "one end")}) and {host.UserEach:N0} in the agent, so {holds:N0} in all",
            [
                new(RemedyKind.Memory, need - host.Facts.MemoryFreeBytes.Value, need, $"{SizeText.Format(need)} of free memory on host {host.Host}"),
                new(RemedyKind.Agents, 0, 0, "agents on more hosts"),
                new(RemedyKind.Goal, 0, holds, $"a goal of {holds:N0}"),
            ])
        {
            Binds = host.Facts.MemoryBinds,
        };
    }

    private static CapacityLimit Files(long goal, long holds, HostLoad host)
    {
        var wanted = (long)Math.Ceiling(host.Share * (decimal)Math.Max(goal, holds + 1) / goal) * host.FilesEach;
        var missing = Math.Max(1, wanted - host.Facts.FreeFiles!.Value);
        return new(CapacityLimitKind.FileMax, holds, goal,
            $"fs.file-max of host {host.Host} leaves {host.Facts.FreeFiles:N0} files, {host.FilesEach} for a connection, so {holds:N0} in all",
            [
                new(RemedyKind.Sysctl, missing, wanted, $"an fs.file-max that is {missing:N0} higher on host {host.Host}"),
                new(RemedyKind.Goal, 0, holds, $"a goal of {holds:N0}"),
            ])
        {
            Binds = false,
        };
    }
}
