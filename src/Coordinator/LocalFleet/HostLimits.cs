using System.Globalization;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>What this machine grants a process, as far as the number of agents depends on it.</summary>
/// <param name="Cores">Processors that this process may use.</param>
/// <param name="Descriptors">RLIMIT_NOFILE, hard.</param>
/// <param name="PrivateDescriptorTables">Linux 5.9 or newer: threads can leave the process's descriptor table.</param>
public sealed record HostLimits(int Cores, long Descriptors, bool PrivateDescriptorTables)
{
    private static readonly Version _closeRangeKernel = new(5, 9);

    /// <summary>Of this machine.</summary>
    public static HostLimits Read() => new(
        Environment.ProcessorCount,
        HardDescriptorLimit(File.ReadLines("/proc/self/limits")),
        Environment.OSVersion.Version >= _closeRangeKernel);

    /// <summary>The hard limit from the lines of /proc/self/limits; 1024 when they do not say.</summary>
    internal static long HardDescriptorLimit(IEnumerable<string> lines)
    {
        const string title = "Max open files";
        var words = lines.FirstOrDefault(l => l.StartsWith(title, StringComparison.Ordinal))?[title.Length..]
            .Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words is not { Length: >= 2 })
            return 1024;
        return words[1] == "unlimited" ? long.MaxValue
            : long.TryParse(words[1], NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : 1024;
    }
}
