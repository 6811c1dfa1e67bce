using System.Collections.Immutable;
using System.Globalization;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Interop.Netlink;
using LoadHarness.V1;

namespace LoadHarness.Agent.Preflight.Checks;

internal sealed partial record HostFacts
{
    private const string ClockSourceFile = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

    /// <summary>Looks at this host and the calling thread's network namespace; some milliseconds.</summary>
    public static HostFacts Read()
    {
        var listening = default(Nobody);
        return Read(ProcFile.ReadText) with
        {
            Fixed = [.. Sysctl.All.Where(Sysctl.IsFixed)],
            DescriptorLimit = ResourceUsage.RaiseDescriptorLimit(),
            UnshareErrno = DescriptorTable.UnshareErrno,
            SocketDiagErrno = SockDiagDump.Run(1u << (int)TcpState.Listen, [], ref listening).Errno,
            Cores = Environment.ProcessorCount,
            PageBytes = Environment.SystemPageSize,
            ClockSynchronised = ClockState.Synchronised,
            Tracking = TrackingProbe.Run(),
            ListeningPorts = Preflight.ListeningPorts.Read(),
        };
    }

    /// <summary>What small files say.</summary>
    /// <param name="text">The text of a file; null when it is not there.</param>
    public static HostFacts Read(Func<string, string?> text)
    {
        var memory = text("/proc/meminfo") ?? "";
        return new()
        {
            Sysctls = Sysctl.All.Select(name => (name, Text: text(Sysctl.PathOf(name)))).Where(s => s.Text is not null)
                .ToImmutableDictionary(s => s.name, s => s.Text!, StringComparer.Ordinal),
            KernelRelease = text("/proc/sys/kernel/osrelease") ?? "",
            MemoryFree = ProcFile.ParseMeminfo(memory, "MemFree"),
            MemoryAvailable = ProcFile.ParseMeminfo(memory, "MemAvailable"),
            MemoryTotal = ProcFile.ParseMeminfo(memory, "MemTotal"),
            GroupMemoryLeft = GroupMemory(text),
            TcpPages = SocketPages(text("/proc/thread-self/net/sockstat") ?? ""),
            BacklogDrops = Drops(text("/proc/net/softnet_stat") ?? ""),
            ClockSource = text(ClockSourceFile) ?? "",
        };
    }

    // Control groups of version 2: `0::/path`.
    private static long? GroupMemory(Func<string, string?> text)
    {
        var group = (text("/proc/self/cgroup") ?? "").Split('\n').FirstOrDefault(l => l.StartsWith("0::/", StringComparison.Ordinal));
        if (group is null)
            return null;
        var folder = $"/sys/fs/cgroup{group[3..].TrimEnd('/')}";
        return ProcFile.ParseNumber(text($"{folder}/memory.max") ?? "") is { } most
            ? Math.Max(0, most - (ProcFile.ParseNumber(text($"{folder}/memory.current") ?? "") ?? 0))
            : null;
    }

    private static long? SocketPages(string sockstat)
    {
        var words = sockstat.Split('\n').FirstOrDefault(l => l.StartsWith("TCP:", StringComparison.Ordinal))?.Split(' ') ?? [];
        var at = Array.IndexOf(words, "mem");
        return at >= 0 && at + 1 < words.Length ? ProcFile.ParseNumber(words[at + 1]) : null;
    }

    // A line for each processor, hexadecimal: packets, dropped, ...
    private static long? Drops(string softnet)
    {
        var drops = softnet.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Select(w => w.Length > 1 && uint.TryParse(w[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var n) ? n : (long?)null)
            .ToArray();
        return drops.Length == 0 || drops.Contains(null) ? null : drops.Sum();
    }

    private struct Nobody : ISocketVisitor
    {
        public readonly void Visit(in InetDiagMessage socket)
        {
        }
    }
}
