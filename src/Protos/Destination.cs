namespace LoadHarness.Protos;

/// <summary>Addresses with ports: the cross product is meant.</summary>
public sealed record Destination(IpRange Addresses, PortSpan Ports, string Name)
{
    /// <summary>Address and port pairs.</summary>
    public long Count => Addresses.Count * Ports.Count;
}
