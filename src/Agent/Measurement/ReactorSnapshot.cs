using LoadHarness.Protos;

namespace LoadHarness.Agent.Measurement;

/// <summary>
/// What a reactor hands over when it is asked for a sample. Filled by the reactor, then read by the asking thread: never
/// by both at once. Made once and used again, so that asking costs the reactor no allocation.
/// </summary>
public sealed class ReactorSnapshot
{
    private bool _filled;

    /// <summary>Whether the reactor has filled it since the last <see cref="Clear"/>.</summary>
    public bool IsFilled => Volatile.Read(ref _filled);

    /// <summary>Counters of the interval.</summary>
    public ReactorCounters Counters;

    /// <summary>Failures of the interval.</summary>
    public FailureTable Failures { get; } = new();

    /// <summary>Latencies of the interval; swapped with the reactor's.</summary>
    public Latencies Latencies { get; set; } = new();

    /// <summary>CPU time of the reactor since it started, in nanoseconds.</summary>
    public long CpuNanos { get; set; }

    /// <summary>Managed bytes that the reactor's thread has allocated since it started.</summary>
    public long AllocatedBytes { get; set; }

    /// <summary>Every tuple is live or rests, and more are wanted.</summary>
    public bool EndpointSpaceExhausted { get; set; }

    /// <summary>Retiring blocks without a live or resting tuple.</summary>
    public List<(IpAddress Source, int FirstPort)> EmptyBlocks { get; } = [];

    /// <summary>Source addresses that were found to be gone since the last snapshot.</summary>
    public List<IpAddress> GoneSources { get; } = [];

    /// <summary>The source and port that was given up last; null when none was.</summary>
    public (IpAddress Source, int Port)? DroppedPort { get; set; }

    /// <summary>Nothing is open and nothing will be opened.</summary>
    public bool Drained { get; set; }

    /// <summary>Makes it ready to be filled; for the asking thread.</summary>
    public void Clear()
    {
        Failures.Clear();
        EmptyBlocks.Clear();
        GoneSources.Clear();
        Latencies.Reset();
        Volatile.Write(ref _filled, false);
    }

    /// <summary>Hands it over; for the reactor.</summary>
    public void MarkFilled() => Volatile.Write(ref _filled, true);
}
