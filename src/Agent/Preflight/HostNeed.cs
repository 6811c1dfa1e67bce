namespace LoadHarness.Agent.Preflight;

/// <summary>What a run asks of this host; see inventory.proto.</summary>
public sealed record HostNeed
{
    /// <summary>Largest number that is taken at its word, so that sums and products fit; what is above it is this much.</summary>
    public const long Most = 1_000_000_000_000;

    private readonly long _connections;
    private readonly double _connectsPerSecond;
    private readonly double _closesPerSecond;
    private readonly long _tuples;

    /// <summary>Connections at once; 0: unknown.</summary>
    public long Connections
    {
        get => _connections;
        init => _connections = Math.Clamp(value, 0, Most);
    }

    /// <summary>Whether the other end is on this host too: then sockets, files and memory count twice.</summary>
    public bool BothEnds { get; init; }

    /// <summary>Connects per second at most; 0: unknown.</summary>
    public double ConnectsPerSecond
    {
        get => _connectsPerSecond;
        init => _connectsPerSecond = Rate(value);
    }

    /// <summary>Connections that end per second by our FIN; 0 for a plain hold.</summary>
    public double ClosesPerSecond
    {
        get => _closesPerSecond;
        init => _closesPerSecond = Rate(value);
    }

    /// <summary>Whether connections are accepted here: then accept queue and SYN backlog matter.</summary>
    public bool Accepts { get; init; }

    /// <summary>Tuples that may be used; 0: unknown.</summary>
    public long Tuples
    {
        get => _tuples;
        init => _tuples = Math.Clamp(value, 0, Most);
    }

    /// <summary>Sockets on this host.</summary>
    public long Sockets => BothEnds ? 2 * Connections : Connections;

    /// <summary>Whether a listener of the run is on this host.</summary>
    public bool Listens => Accepts || BothEnds;

    /// <summary>Connections that rest in TIME-WAIT at once: those that churn for its 60 s, and those that a drain of all closes meanwhile.</summary>
    public long TimeWaits => (long)(ClosesPerSecond * TimeWaitSeconds) + Math.Min(Connections, DrainPerSecond * TimeWaitSeconds);

    /// <summary>TCP_TIMEWAIT_LEN of Linux (include/net/tcp.h).</summary>
    public const long TimeWaitSeconds = 60;

    // A drain's deadline counts on this many closes per second.
    private const long DrainPerSecond = 40_000;

    // Whatever is no number asks for nothing.
    private static double Rate(double value) => value > 0 ? Math.Min(value, Most / TimeWaitSeconds) : 0;
}
