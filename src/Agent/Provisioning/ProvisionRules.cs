using LoadHarness.Agent.Safety;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Provisioning;

/// <summary>Which addresses may be added to this host. Pure.</summary>
internal static class ProvisionRules
{
    /// <summary>Most addresses that one run may have a host add.</summary>
    public const int MostAddresses = 65_536;

    private const int MostNamed = 5;

    /// <summary>Checks what an owner is to add.</summary>
    /// <param name="wanted">One range.</param>
    /// <param name="allowed">What this agent's user lets it add.</param>
    /// <param name="host">What there is.</param>
    /// <param name="missing">Takes the addresses that the host does not have yet.</param>
    /// <returns>Null, or the refusal.</returns>
    public static ProvisionRefusal? Check(ProvisionWork wanted, AllowProvision allowed, HostNetwork host, List<IpAddress> missing)
    {
        if (wanted.Count > MostAddresses)
            return new("range", $"{wanted.Count:N0} addresses to add to {wanted.Device} are too many, at most {MostAddresses:N0} are allowed; name a smaller range");
        if (wanted.Each().Where(a => !allowed.Allows(a, wanted.Device)).Select(a => (IpAddress?)a).FirstOrDefault() is { } outside)
            return NotAllowed(outside, wanted, allowed);
        if (WhyNot(wanted.Device, host) is { } unfit)
            return new("address", unfit);
        var problems = new List<string>();
        foreach (var address in wanted.Each())
        {
            if (host.On(address, wanted.Device) is not null)
                continue;
            if (WhyNot(address, wanted, host) is { } why)
                problems.Add($"{address} {why}");
            else
                missing.Add(address);
        }

        return problems.Count == 0 ? null : new("address", Join(problems, wanted));
    }

    /// <summary>Names the first few of many problems.</summary>
    public static string Join(IReadOnlyCollection<string> problems, ProvisionWork wanted)
    {
        var more = problems.Count > MostNamed ? $"; and {problems.Count - MostNamed:N0} more" : "";
        return $"nothing was added to {wanted.Device}: {string.Join("; ", problems.Take(MostNamed))}{more}. Name a range without them";
    }

    private static ProvisionRefusal NotAllowed(IpAddress address, ProvisionWork wanted, AllowProvision allowed) => new(
        "allow-provision",
        $"{address} may not be added to {wanted.Device} by this agent (--allow-provision: {allowed}); to allow it start the agent with "
        + $"--allow-provision {AddressPrefix.Of(address, wanted.PrefixLength)}@{wanted.Device}");

    private static string? WhyNot(string device, HostNetwork host) => host.Links.GetValueOrDefault(device) switch
    {
        null => $"this host has no device {device}; it has {string.Join(", ", host.Links.Keys.Order(StringComparer.Ordinal))}",
        { IsUp: false } => $"device {device} is down; ip link set {device} up",
        _ => null,
    };

    private static string? WhyNot(IpAddress address, ProvisionWork wanted, HostNetwork host)
    {
        if (host.Addresses.Contains(address))
            return $"is this host's already, on {host.NameOf(host.Addresses[address].First())}";
        if (host.Gateways.Contains(address))
            return "is a gateway of this host's routes";
        if (host.IsReserved(address) || IsEdge(address, wanted.PrefixLength))
            return "is the network or broadcast address of its network";
        return IsHostAddress(address) ? null : "is no address of a single host (multicast, link-local, or reserved)";
    }

    // An IPv6 range is no network of its own as long as no host is told so.
    private static bool IsEdge(IpAddress address, int prefixLength)
    {
        if (address.IsV6 || prefixLength >= 31)
            return false;
        var prefix = AddressPrefix.Of(address, prefixLength);
        return address == prefix.Address || address.Value == prefix.Last;
    }

    // Outside 0/8 and 224/3; outside ::/96, IPv4-mapped, fe80::/10 and ff00::/8.
    private static bool IsHostAddress(IpAddress address) => address.IsV6
        ? address.Value >> 32 != 0 && address.Value >> 32 != 0xffff && address.Value >> 118 != 0x3fa && address.Value >> 120 != 0xff
        : address.Value >> 24 is var first && first > 0 && first < 224;
}
