using LoadHarness.Agent.Interop.Libc;

namespace LoadHarness.Agent.Preflight;

public sealed partial record HostInventory
{
    /// <summary>Descriptors of a process that are no connections: the runtime, the link, epoll sets, logs.</summary>
    public const int OwnDescriptors = 200;

    /// <summary>Looks at the host; some milliseconds. Raises this process's RLIMIT_NOFILE to its hard limit.</summary>
    public static HostInventory Read()
    {
        var limit = ResourceUsage.RaiseDescriptorLimit();
        var privateTables = DescriptorTable.UnshareErrno == 0;
        var maxTimeWait = ProcFile.ReadNumber("/proc/sys/net/ipv4/tcp_max_tw_buckets");
        var timestamps = ProcFile.ReadNumber("/proc/sys/net/ipv4/tcp_timestamps") != 0;
        var capacity = privateTables ? (long)Environment.ProcessorCount * limit : limit;
        return new()
        {
            Hostname = ProcFile.ReadText("/proc/sys/kernel/hostname") ?? Environment.MachineName,
            NetworkNamespace = NamespaceIdentity.Read(),
            KernelRelease = ProcFile.ReadText("/proc/sys/kernel/osrelease") ?? "",
            Cores = Environment.ProcessorCount,
            MemoryFreeBytes = ProcFile.ParseMeminfo(ProcFile.ReadText("/proc/meminfo") ?? "", "MemFree") ?? 0,
            DescriptorLimit = limit,
            PrivateDescriptorTables = privateTables,
            Addresses = InterfaceAddresses.Read(),
            EphemeralPorts = ProcFile.ReadPortRange("/proc/sys/net/ipv4/ip_local_port_range"),
            ReservedPorts = ProcFile.ParsePortList(ProcFile.ReadText("/proc/sys/net/ipv4/ip_local_reserved_ports") ?? ""),
            ListeningPorts = Preflight.ListeningPorts.Read(),
            MaxTimeWaitBuckets = maxTimeWait ?? 0,
            TcpTimestamps = timestamps,
            Findings =
            [
                .. new[]
                {
                    DescriptorTableCheck.Check(DescriptorTable.UnshareErrno, limit),
                    FileMaxCheck.Check(ProcFile.ReadNumber("/proc/sys/fs/file-max"), ProcFile.ReadNumber("/proc/sys/fs/file-nr"), capacity),
                    TimeWaitCheck.Check(maxTimeWait),
                    TimestampsCheck.Check(timestamps),
                    BacklogCheck.Check(ProcFile.ReadNumber("/proc/sys/net/core/somaxconn")),
                    ConnectionTrackingCheck.Check(ProcFile.ReadNumber("/proc/sys/net/netfilter/nf_conntrack_max"), capacity),
                }.OfType<AgentFinding>(),
            ],
        };
    }
}
