namespace LoadHarness.Agent.Safety;

/// <summary>What a host has left for sockets.</summary>
/// <param name="FreeBytes">What can be had at once: MemFree and clean page cache. Not MemAvailable, which counts slab that live sockets pin.</param>
/// <param name="TotalBytes">MemTotal.</param>
/// <param name="TcpPages">The `mem` of /proc/net/sockstat; 0 when it is not known.</param>
/// <param name="TcpHighPages">The high mark of net.ipv4.tcp_mem; null when it is not known (in a namespace it is not to be seen).</param>
public readonly record struct MemoryReading(long FreeBytes, long TotalBytes, long TcpPages, long? TcpHighPages)
{
    /// <summary>What is to be left: at 50,000 connects/s with both ends here memory goes by 50 MB between two looks.</summary>
    public long ReserveBytes => Math.Max(256L << 20, TotalBytes / 50);
}
