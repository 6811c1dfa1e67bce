namespace LoadHarness.Protos;

/// <summary>Consecutive TCP ports, both ends included; 1 to 65535.</summary>
public readonly record struct PortSpan(int First, int Last)
{
    /// <summary>How many ports.</summary>
    public int Count => Last - First + 1;

    /// <summary>Whether a port lies inside.</summary>
    public bool Contains(int port) => port >= First && port <= Last;

    /// <inheritdoc/>
    public override string ToString() => First == Last ? $"{First}" : $"{First}-{Last}";
}
