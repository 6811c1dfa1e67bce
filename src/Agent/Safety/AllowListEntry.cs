using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Safety;

/// <summary>One entry of an allow-list: addresses of one prefix, on all or some ports.</summary>
/// <param name="Prefix">In the family that is really reached: IPv4-mapped and NAT64 forms are unwrapped.</param>
/// <param name="Ports">Not empty; all ports when the entry names none.</param>
/// <param name="Text">As it was written.</param>
internal sealed record AllowListEntry(AddressPrefix Prefix, ImmutableArray<PortSpan> Ports, string Text)
{
    private static readonly ImmutableArray<PortSpan> s_allPorts = [new(1, 65535)];

    /// <summary>Parses `CIDR[:PORTS]`: `10.0.0.0/24`, `10.0.0.5:443,8443-8450`, `2001:db8::/32`, `[2001:db8::]/32:443`.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="error">What is wrong and what would be right; empty when nothing is.</param>
    public static AllowListEntry? Parse(string text, out string error)
    {
        if (!SplitPorts(text, out var cidr, out var portsText))
            return Fail(text, "wants CIDR[:PORTS], as in 10.0.0.0/24, 10.0.0.5:443,8443-8450 or [2001:db8::]/32:443", out error);
        var slash = cidr.IndexOf('/', StringComparison.Ordinal);
        if (ParseAddress(slash < 0 ? cidr : cidr[..slash]) is not { } address)
            return Fail(text, $"\"{(slash < 0 ? cidr : cidr[..slash])}\" is not an address: write four decimal numbers or an IPv6 address, no name and no zone", out error);
        var width = address.IsV6 ? 128 : 32;
        var length = width;
        if (slash >= 0 && (!TryParseNumber(cidr[(slash + 1)..], 3, out length) || length > width))
            return Fail(text, $"the prefix length \"{cidr[(slash + 1)..]}\" must be a number from 0 to {width}", out error);
        var prefix = AddressPrefix.Of(address, length);
        if (prefix.Address != address)
            return Fail(text, $"{address} has bits beyond the prefix of {length}: write {prefix}, or {address} for this one address", out error);
        if (portsText is not null && ParsePorts(portsText).IsEmpty)
            return Fail(text, $"the ports \"{portsText}\" must be numbers from 1 to 65535, as in 443 or 443,8443-8450", out error);
        error = "";
        return new(AddressForms.Unwrap(prefix), portsText is null ? s_allPorts : ParsePorts(portsText), text);
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    private static AllowListEntry? Fail(string text, string reason, out string error)
    {
        error = $"--allow {text}: {reason}";
        return null;
    }

    /// <summary>`A/N:P`, `A/N`, `[A]/N:P`, `[A/N]:P`; an IPv6 address without brackets has no ports.</summary>
    private static bool SplitPorts(string text, out string cidr, out string? ports)
    {
        (cidr, ports) = (text, null);
        if (text.StartsWith('['))
        {
            var end = text.IndexOf(']', StringComparison.Ordinal);
            if (end < 0)
                return false;
            var rest = text[(end + 1)..];
            var colon = rest.IndexOf(':', StringComparison.Ordinal);
            ports = colon < 0 ? null : rest[(colon + 1)..];
            var length = colon < 0 ? rest : rest[..colon];
            cidr = text[1..end] + length;
            return text[1..end].Contains(':', StringComparison.Ordinal) && (length.Length == 0 || length[0] == '/');
        }

        var first = text.IndexOf(':', StringComparison.Ordinal);
        if (first >= 0 && first == text.LastIndexOf(':'))
            (cidr, ports) = (text[..first], text[(first + 1)..]);
        return true;
    }

    /// <summary>Strict: the framework also takes 0x7f.1, 010.0.0.1 (octal) and zones, which read otherwise than they act.</summary>
    private static IpAddress? ParseAddress(string text)
    {
        if (text.Contains(':', StringComparison.Ordinal))
        {
            return !text.Contains('%', StringComparison.Ordinal) && IPAddress.TryParse(text, out var v6)
                ? IpAddress.FromBytes(v6.GetAddressBytes())
                : null;
        }

        var parts = text.Split('.');
        if (parts.Length != 4)
            return null;
        UInt128 value = 0;
        foreach (var part in parts)
        {
            if (!TryParseNumber(part, 3, out var number) || number > 255 || (part.Length > 1 && part[0] == '0'))
                return null;
            value = (value << 8) | (UInt128)number;
        }

        return new(false, value);
    }

    private static ImmutableArray<PortSpan> ParsePorts(string text)
    {
        var spans = ImmutableArray.CreateBuilder<PortSpan>();
        foreach (var part in text.Split(','))
        {
            var ends = part.Split('-');
            if (ends.Length > 2 || !TryParseNumber(ends[0], 5, out var first) || !TryParseNumber(ends[^1], 5, out var last))
                return [];
            if (first < 1 || last > 65535 || last < first)
                return [];
            spans.Add(new(first, last));
        }

        return spans.DrainToImmutable();
    }

    private static bool TryParseNumber(string text, int mostDigits, out int number)
    {
        number = 0;
        return text.Length <= mostDigits && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
