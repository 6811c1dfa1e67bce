using System.Collections.Immutable;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Safety;

/// <summary>One entry of an allow-list: addresses of one prefix, on all or some ports.</summary>
/// <param name="Prefix">In the family that is really reached: IPv4-mapped and NAT64 forms are unwrapped.</param>
/// <param name="Ports">Not empty; all ports when the entry names none.</param>
/// <param name="Text">As it was written.</param>
internal sealed record AllowListEntry(AddressPrefix Prefix, ImmutableArray<PortSpan> Ports, string Text)
{
    private static readonly ImmutableArray<PortSpan> _allPorts = [new(1, 65535)];

    /// <summary>Parses `CIDR[:PORTS]`: `10.0.0.0/24`, `10.0.0.5:443,8443-8450`, `2001:db8::/32`, `[2001:db8::]/32:443`.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="error">What is wrong and what would be right; empty when nothing is.</param>
    public static AllowListEntry? Parse(string text, out string error)
    {
        if (!EndpointText.TrySplit(text, out var cidr, out var portsText))
            return Fail(text, "wants CIDR[:PORTS], as in 10.0.0.0/24, 10.0.0.5:443,8443-8450 or [2001:db8::]/32:443", out error);
        var slash = cidr.IndexOf('/', StringComparison.Ordinal);
        var addressText = slash < 0 ? cidr : cidr[..slash];
        if (EndpointText.ParseAddress(addressText) is not { } address)
            return Fail(text, $"\"{addressText}\" is not an address: four decimal numbers or IPv6, no name, no zone", out error);
        var width = address.IsV6 ? 128 : 32;
        var length = width;
        if (slash >= 0 && (!EndpointText.TryParseNumber(cidr[(slash + 1)..], 3, out length) || length > width))
            return Fail(text, $"the prefix length \"{cidr[(slash + 1)..]}\" must be a number from 0 to {width}", out error);
        var prefix = AddressPrefix.Of(address, length);
        if (prefix.Address != address)
            return Fail(text, $"{address} has bits beyond the prefix of {length}: write {prefix}, or {address} alone", out error);
        if (portsText is not null && EndpointText.ParsePorts(portsText).IsEmpty)
            return Fail(text, $"the ports \"{portsText}\" must be numbers from 1 to 65535, as in 443 or 443,8443-8450", out error);
        error = "";
        return new(AddressForms.Unwrap(prefix), portsText is null ? _allPorts : EndpointText.ParsePorts(portsText), text);
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static AllowListEntry? Fail(string text, string reason, out string error)
    {
        error = $"--allow {text}: {reason}";
        return null;
    }
}
