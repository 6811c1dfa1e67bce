namespace LoadHarness.Agent.Safety;

/// <summary>What a host has left for sockets.</summary>
/// <param name="FreeBytes">What can be had at once: MemFree and clean page cache. Not MemAvailable, which counts slab that live sockets pin.</param>
/// <param name="TotalBytes">MemTotal.</param>
/// <param name="TcpPages">The `mem` of /proc/net/sockstat; 0 when it is not known.</param>
/// <param name="TcpHighPages">The high mark of net.ipv4.tcp_mem; 0 when it is not known.</param>
public readonly record struct MemoryReading(long FreeBytes, long TotalBytes, long TcpPages, long TcpHighPages)
{
    /// <summary>
    /// What the kernel sets net.ipv4.tcp_mem's high mark to by itself (tcp_init_mem in net/ipv4/tcp.c): 3/32 of all pages. A network namespace shows
    /// how much TCP memory the host uses, but not this sysctl.
    /// </summary>
    /// <param name="totalBytes">MemTotal.</param>
    /// <param name="pageBytes">Of one page.</param>
    public static long DefaultTcpHighPages(long totalBytes, int pageBytes) => totalBytes / pageBytes * 3 / 32;

    /// <summary>What is to be left: at 50,000 connects/s with both ends here memory goes by 50 MB between two looks.</summary>
    public long ReserveBytes => Math.Max(256L << 20, TotalBytes / 50);
}
