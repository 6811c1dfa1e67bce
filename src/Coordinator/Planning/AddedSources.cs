using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>Addresses of an agent's slice that a run adds to the agent's host.</summary>
/// <param name="Addresses">Those that the host has already stay untouched.</param>
/// <param name="Device">The interface.</param>
/// <param name="PrefixLength">1 to 32, or to 128.</param>
/// <param name="Owner">True for one agent of each network namespace; the others wait until the addresses are there.</param>
public sealed record AddedSources(ImmutableArray<IpRange> Addresses, string Device, int PrefixLength, bool Owner);
