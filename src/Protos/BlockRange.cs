namespace LoadHarness.Protos;

/// <summary>Each of the sources with each of <paramref name="PortBlocks"/> groups of 256 ports from <paramref name="FirstPort"/> on.</summary>
/// <param name="Sources">Consecutive addresses.</param>
/// <param name="FirstPort">Multiple of 256.</param>
/// <param name="PortBlocks">At least 1.</param>
/// <param name="Retiring">Nothing new is opened in it.</param>
public sealed record BlockRange(IpRange Sources, int FirstPort, int PortBlocks, bool Retiring = false)
{
    /// <summary>Ports of one source in one block.</summary>
    public const int PortsPerBlock = 256;

    /// <summary>Blocks in all.</summary>
    public long Count => Sources.Count * PortBlocks;
}
