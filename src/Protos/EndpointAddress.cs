namespace LoadHarness.Protos;

/// <summary>One end of connections.</summary>
/// <param name="Address">The address.</param>
/// <param name="Port">The port; 0 for all ports of the address together.</param>
public readonly record struct EndpointAddress(IpAddress Address, int Port = 0) : IComparable<EndpointAddress>
{
    /// <inheritdoc/>
    public int CompareTo(EndpointAddress other)
    {
        var byAddress = Address.CompareTo(other.Address);
        return byAddress != 0 ? byAddress : Port.CompareTo(other.Port);
    }

    /// <summary>As people write it: <c>10.0.0.5</c>, <c>10.0.0.5:443</c>, <c>[::1]:443</c>.</summary>
    public override string ToString()
    {
        if (Port == 0)
            return Address.ToString();
        return Address.IsV6 ? $"[{Address}]:{Port}" : $"{Address}:{Port}";
    }
}
