using System.Collections.Immutable;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Preflight.Checks;

namespace LoadHarness.Agent.Tests.Preflight.Checks;

/// <summary>Hosts as their kernels describe them.</summary>
internal static class Hosts
{
    /// <summary>Two cores and 24 GB with what a distribution sets.</summary>
    public static HostFacts Usual { get; } = new()
    {
        DescriptorLimit = 20_000,
        KernelRelease = "6.18.44-generic",
        Cores = 2,
        MemoryFree = 20_000_000_000,
        MemoryAvailable = 21_000_000_000,
        MemoryTotal = 24_000_000_000,
        TcpPages = 161,
        BacklogDrops = 0,
        ClockSource = "tsc",
        ClockSynchronised = true,
        Tracking = false,
        Sysctls = new Dictionary<string, string>
        {
            [Sysctl.NrOpen] = "1048576",
            [Sysctl.FileMax] = "2466177",
            [Sysctl.FileNr] = "1172\t0\t2466177",
            [Sysctl.PortRange] = "32768\t60999",
            [Sysctl.ReservedPorts] = "",
            [Sysctl.TimeWaitReuse] = "2",
            [Sysctl.TimeWaitBuckets] = "131072",
            [Sysctl.FinTimeout] = "60",
            [Sysctl.Timestamps] = "1",
            [Sysctl.TcpMemory] = "287901\t383868\t575802",
            [Sysctl.MaxOrphans] = "131072",
            [Sysctl.SynBacklog] = "2048",
            [Sysctl.SynCookies] = "1",
            [Sysctl.MaxConnections] = "4096",
            [Sysctl.DeviceBacklog] = "1000",
            [Sysctl.TrackedMost] = "262144",
            [Sysctl.TrackedCount] = "0",
            [Sysctl.TrackedBuckets] = "262144",
        }.ToImmutableDictionary(),
    };

    /// <summary>A million connections to elsewhere.</summary>
    public static HostNeed Million { get; } = new() { Connections = 1_000_000, ConnectsPerSecond = 20_000 };

    /// <summary>A million connections with both ends here.</summary>
    public static HostNeed BothEnds { get; } = Million with { BothEnds = true };

    public static HostFacts With(string sysctl, string text, HostFacts? host = null) =>
        (host ?? Usual) with { Sysctls = (host ?? Usual).Sysctls.SetItem(sysctl, text) };

    public static HostFacts Without(string sysctl) => Usual with { Sysctls = Usual.Sysctls.Remove(sysctl) };
}
