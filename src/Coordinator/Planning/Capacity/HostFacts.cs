namespace LoadHarness.Coordinator.Planning.Capacity;

/// <summary>Limits of one host that are no endpoint space; null is unknown.</summary>
public sealed record HostFacts
{
    /// <summary>Nothing is known.</summary>
    public static HostFacts Unknown { get; } = new();

    /// <summary>MemFree, in bytes: MemAvailable counts what cannot be had at these sizes.</summary>
    public long? MemoryFreeBytes { get; init; }

    /// <summary>True: the user said how much memory there is, so that more than that does not fit. False: a warning is enough.</summary>
    public bool MemoryBinds { get; init; }

    /// <summary>Descriptors that the host can still open: fs.file-max less those open.</summary>
    public long? FreeFiles { get; init; }

    /// <summary>net.ipv4.tcp_max_tw_buckets</summary>
    public long? MaxTimeWaitBuckets { get; init; }

    /// <summary>net.ipv4.tcp_timestamps; without them no tuple can be used again before TIME-WAIT is over.</summary>
    public bool TcpTimestamps { get; init; } = true;
}
