using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>A network namespace as far as adding addresses to it is concerned.</summary>
/// <param name="NetworkNamespace">Identifies it.</param>
/// <param name="Host">For people.</param>
/// <param name="Allowed">What its agents may add, each agent's entries apart.</param>
/// <param name="Addresses">What it has, by device.</param>
public sealed record ProvisionHost(
    string NetworkNamespace, string Host, ImmutableArray<ProvisionRule> Allowed, ImmutableArray<(IpAddress Address, string Device)> Addresses);
