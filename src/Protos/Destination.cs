namespace LoadHarness.Protos;

/// <summary>Addresses with ports: the cross product is meant.</summary>
/// <param name="Addresses">Where to.</param>
/// <param name="Ports">Where to.</param>
/// <param name="Name">As the user typed it.</param>
/// <param name="LookUp">The addresses are what an agent's host said that the name means; that agent asks again before it uses them.</param>
/// <param name="Weight">Connections that each pair gets beside those of other destinations: 1 to 1,000.</param>
public sealed record Destination(IpRange Addresses, PortSpan Ports, string Name, bool LookUp = false, int Weight = 1)
{
    /// <summary>Address and port pairs.</summary>
    public long Count => Addresses.Count * Ports.Count;

    /// <summary>The name that the target goes by; null when the user gave addresses.</summary>
    public string? HostName => Uri.CheckHostName(Name) == UriHostNameType.Dns ? Name : null;

    /// <summary>The pairs, in the order of their numbers: addresses fastest.</summary>
    public IEnumerable<(IpAddress Address, int Port)> Pairs
    {
        get
        {
            for (var port = Ports.First; port <= Ports.Last; port++)
            {
                for (var i = 0L; i < Addresses.Count; i++)
                    yield return (Addresses.First.Plus(i), port);
            }
        }
    }
}
