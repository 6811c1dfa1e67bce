namespace LoadHarness.Protos;

/// <summary>Consecutive addresses of one family.</summary>
/// <param name="First">The lowest.</param>
/// <param name="Count">How many, at least 1.</param>
public readonly record struct IpRange(IpAddress First, long Count)
{
    /// <summary>The highest.</summary>
    public IpAddress Last => First.Plus(Count - 1);

    /// <summary>Whether an address lies inside.</summary>
    public bool Contains(IpAddress address) =>
        address.IsV6 == First.IsV6 && address.Value >= First.Value && address.Value - First.Value < (UInt128)Count;

    /// <summary>Whether two ranges have an address in common.</summary>
    public bool Overlaps(IpRange other) => Contains(other.First) || other.Contains(First);

    /// <inheritdoc/>
    public override string ToString() => Count == 1 ? $"{First}" : $"{First}-{Last}";
}
