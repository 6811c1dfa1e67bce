using LoadHarness.Agent.Preflight.Checks;

namespace LoadHarness.Agent.Preflight;

public sealed partial record HostInventory
{
    /// <summary>Descriptors of a process that are no connections: the runtime, the link, epoll sets, logs.</summary>
    public const int OwnDescriptors = 200;

    /// <summary>Looks at the host; some milliseconds. Raises this process's RLIMIT_NOFILE to its hard limit.</summary>
    public static HostInventory Read()
    {
        var host = HostFacts.Read();
        return new()
        {
            Hostname = ProcFile.ReadText("/proc/sys/kernel/hostname") ?? Environment.MachineName,
            NetworkNamespace = NamespaceIdentity.Read(),
            KernelRelease = host.KernelRelease,
            Cores = host.Cores,
            MemoryFreeBytes = host.MemoryFree ?? 0,
            DescriptorLimit = host.DescriptorLimit,
            PrivateDescriptorTables = host.UnshareErrno == 0,
            Addresses = InterfaceAddresses.Read(),
            EphemeralPorts = ProcFile.ReadPortRange(Sysctl.PathOf(Sysctl.PortRange)),
            ReservedPorts = ProcFile.ParsePortList(host.Sysctls.GetValueOrDefault(Sysctl.ReservedPorts, "")),
            ListeningPorts = host.ListeningPorts,
            MaxTimeWaitBuckets = host.Number(Sysctl.TimeWaitBuckets) ?? 0,
            TcpTimestamps = host.Number(Sysctl.Timestamps) != 0,
            FileMax = host.Number(Sysctl.FileMax) ?? 0,
            OpenFiles = host.Number(Sysctl.FileNr) ?? 0,
            TcpMemoryPages = [.. Enumerable.Range(0, 3).Select(i => host.Number(Sysctl.TcpMemory, i)).OfType<long>()],
            PageBytes = host.PageBytes,
            MaxOrphans = host.Number(Sysctl.MaxOrphans) ?? 0,
            Checks = HostChecks.Of(host, need: null),
        };
    }
}
