using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Safety;

/// <summary>
/// Addresses and ports as people write them on this program's command line. Strict: nothing reads otherwise than it acts.
/// </summary>
internal static class EndpointText
{
    /// <summary>Splits `A/N:P`, `A:P`, `[A]/N:P`, `[A/N]:P`, `[A]:P`; an IPv6 address without brackets has no ports.</summary>
    /// <param name="text">What was written.</param>
    /// <param name="cidr">The part before the ports, without brackets.</param>
    /// <param name="ports">The part behind the colon; null when there is none.</param>
    /// <returns>False when brackets do not match, or hold no IPv6 address.</returns>
    public static bool TrySplit(string text, out string cidr, out string? ports)
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

    /// <summary>
    /// One address; null when it is none. The framework also takes 0x7f.1, 010.0.0.1 (octal) and zones, which read otherwise than
    /// they act.
    /// </summary>
    public static IpAddress? ParseAddress(string text)
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

    /// <summary>Ports as `443,8443-8450`, in the order written; empty when they are none.</summary>
    public static ImmutableArray<PortSpan> ParsePorts(string text)
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

    /// <summary>Decimal digits and nothing else.</summary>
    public static bool TryParseNumber(string text, int mostDigits, out int number)
    {
        number = 0;
        return text.Length <= mostDigits && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }
}
