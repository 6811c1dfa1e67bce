namespace LoadHarness.Agent.Preflight.Checks;

/// <summary>Names of sysctls, their files, and the lines that set them.</summary>
internal static class Sysctl
{
    public const string NrOpen = "fs.nr_open";
    public const string FileMax = "fs.file-max";
    public const string FileNr = "fs.file-nr";
    public const string PortRange = "net.ipv4.ip_local_port_range";
    public const string ReservedPorts = "net.ipv4.ip_local_reserved_ports";
    public const string TimeWaitReuse = "net.ipv4.tcp_tw_reuse";
    public const string TimeWaitBuckets = "net.ipv4.tcp_max_tw_buckets";
    public const string FinTimeout = "net.ipv4.tcp_fin_timeout";
    public const string Timestamps = "net.ipv4.tcp_timestamps";
    public const string TcpMemory = "net.ipv4.tcp_mem";
    public const string MaxOrphans = "net.ipv4.tcp_max_orphans";
    public const string SynBacklog = "net.ipv4.tcp_max_syn_backlog";
    public const string SynCookies = "net.ipv4.tcp_syncookies";
    public const string MaxConnections = "net.core.somaxconn";
    public const string DeviceBacklog = "net.core.netdev_max_backlog";
    public const string TrackedMost = "net.netfilter.nf_conntrack_max";
    public const string TrackedCount = "net.netfilter.nf_conntrack_count";
    public const string TrackedBuckets = "net.netfilter.nf_conntrack_buckets";

    /// <summary>Every one that a check reads.</summary>
    public static readonly string[] All =
    [
        NrOpen, FileMax, FileNr, PortRange, ReservedPorts, TimeWaitReuse, TimeWaitBuckets, FinTimeout, Timestamps, TcpMemory, MaxOrphans,
        SynBacklog, SynCookies, MaxConnections, DeviceBacklog, TrackedMost, TrackedCount, TrackedBuckets,
    ];

    /// <summary>The file of a sysctl: of the calling thread's network namespace where it has one there, else of the host.</summary>
    public static string PathOf(string name) => $"/proc/sys/{name.Replace('.', '/')}";

    /// <summary>Whether it is there and not even root can set it from here, as in most containers. Unprivileged, nobody can tell: false.</summary>
    public static bool IsFixed(string name)
    {
        if (!Environment.IsPrivilegedProcess || !File.Exists(PathOf(name)))
            return false;
        try
        {
            using var file = File.OpenHandle(PathOf(name), FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            return false;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return true;
        }
    }

    /// <summary>A check of a sysctl whose value is not there, or is none.</summary>
    public static HostCheck Unknown(HostFacts host, string name, string purpose)
    {
        var text = host.Sysctls.GetValueOrDefault(name);
        var isHosts = name is TcpMemory or MaxOrphans or DeviceBacklog;
        return new(name, text is not null ? $"not understood: \"{Clip(text)}\"" : isHosts ? "not to be seen in this network namespace" : "cannot be read",
            V1.HostCheck.Types.Verdict.Unknown)
        {
            Needed = purpose,
            Remedy = text is null && isHosts ? $"on the host: sysctl {name}" : "",
        };
    }

    /// <summary>Adds what sets a sysctl to a check: the line to type, and the value for `--fix`.</summary>
    public static HostCheck SetTo(this HostCheck check, HostFacts host, string name, string value)
    {
        var quoted = value.Contains(' ', StringComparison.Ordinal) ? $"\"{value}\"" : value;
        return check with
        {
            Remedy = $"{(host.Fixed.Contains(name) ? "on the host: " : "")}sysctl -w {name}={quoted}",
            Sysctls = check.Sysctls.SetItem(name, value),
        };
    }

    /// <summary>A need with a tenth to spare, rounded up to ten thousands.</summary>
    public static long WithRoom(long need) => ((need + (need / 10)) / 10_000 * 10_000) + 10_000;

    private static string Clip(string text) => text.Length <= 40 ? text : text[..40] + "...";
}
