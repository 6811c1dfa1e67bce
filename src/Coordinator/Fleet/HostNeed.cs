namespace LoadHarness.Coordinator.Fleet;

/// <summary>What a run asks of one host, or of all together; see inventory.proto.</summary>
/// <param name="Connections">At once; 0: unknown.</param>
/// <param name="BothEnds">Whether the other end is on the same host.</param>
/// <param name="ConnectsPerSecond">At most; 0: unknown.</param>
/// <param name="ClosesPerSecond">By our FIN; 0 for a plain hold.</param>
public sealed record HostNeed(long Connections, bool BothEnds, double ConnectsPerSecond, double ClosesPerSecond)
{
    /// <summary>Whether connections are accepted.</summary>
    public bool Accepts { get; init; }

    /// <summary>Tuples that may be used; 0: unknown.</summary>
    public long Tuples { get; init; }

    /// <summary>An even part of it, rounded up.</summary>
    /// <param name="parts">Of how many.</param>
    /// <param name="taken">How many of them one host has.</param>
    public HostNeed Part(int parts, int taken) => this with
    {
        Connections = (long)(((Int128)Connections * taken + parts - 1) / parts),
        ConnectsPerSecond = ConnectsPerSecond * taken / parts,
        ClosesPerSecond = ClosesPerSecond * taken / parts,
        Tuples = (long)((Int128)Tuples * taken / parts),
    };
}
