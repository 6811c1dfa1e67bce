using System.Net;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Planning;

/// <summary>Where one agent lets runs add source addresses: <c>CIDR@DEV</c>.</summary>
public readonly record struct ProvisionRule(AddressPrefix Prefix, string Device)
{
    /// <summary>Reads what an agent says it allows; null when it cannot be understood, and then it allows nothing.</summary>
    public static ProvisionRule? Parse(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        return at > 0 && IPNetwork.TryParse(text[..at], out var network)
            ? new(new AddressPrefix(IpAddress.FromBytes(network.BaseAddress.GetAddressBytes()), network.PrefixLength), text[(at + 1)..])
            : null;
    }

    /// <summary>Whether all of a range may be added to a device.</summary>
    public bool Allows(IpRange range, string device) => device == Device && Prefix.Contains(range.First) && Prefix.Contains(range.Last);
}
