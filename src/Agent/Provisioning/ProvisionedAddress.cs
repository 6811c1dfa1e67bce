using LoadHarness.Protos;

namespace LoadHarness.Agent.Provisioning;

/// <summary>One address on one device.</summary>
internal readonly record struct ProvisionedAddress(IpAddress Address, string Device);
