using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Preflight;

/// <summary>What a name means on this host now.</summary>
/// <param name="Name">As it was asked for.</param>
/// <param name="Addresses">Of both families, each once, IPv4 first, in rising order; empty when there are none.</param>
/// <param name="Error">Why there are none; empty when there are.</param>
public sealed record ResolvedName(string Name, ImmutableArray<IpAddress> Addresses, string Error)
{
    /// <summary>A name that means nothing.</summary>
    public static ResolvedName Unknown(string name, string error) => new(name, [], error);
}
