using System.Globalization;
using System.Net;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Specs;

/// <summary>Addresses as people write them: IPv4 in four decimal parts, IPv6 without brackets and zone.</summary>
public static class AddressText
{
    /// <summary>
    /// Reads an address. The short and octal forms that some programs take (<c>127.1</c>, <c>010.0.0.1</c>) are not addresses
    /// here.
    /// </summary>
    public static bool TryParse(string text, out IpAddress address)
    {
        address = default;
        if (text.Contains(':', StringComparison.Ordinal))
        {
            if (text.Length > 45 || text.AsSpan().IndexOfAny("%[]/") >= 0 || !IPAddress.TryParse(text, out var parsed))
                return false;
            address = IpAddress.From(parsed);
            return true;
        }

        var parts = text.Split('.');
        if (parts.Length != 4)
            return false;
        var value = 0u;
        foreach (var part in parts)
        {
            if (part.Length is 0 or > 3 || (part.Length > 1 && part[0] == '0')
                || !byte.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out var octet))
            {
                return false;
            }

            value = (value << 8) | octet;
        }

        address = new IpAddress(false, value);
        return true;
    }

    /// <summary>Why no connection can start from or lead to an address; null when one can.</summary>
    public static string? WhyUnusable(IpAddress address)
    {
        if (address.Value == 0)
            return "is the unspecified address";
        if (!address.IsV6)
        {
            return (uint)address.Value switch
            {
                uint.MaxValue => "is the broadcast address",
                >= 0xE0000000 and < 0xF0000000 => "is a multicast address",
                < 0x01000000 => "lies in 0.0.0.0/8, which means this network and no host",
                _ => null,
            };
        }

        var high = (ushort)(address.Value >> 112);
        return high switch
        {
            >= 0xFF00 => "is a multicast address",
            >= 0xFE80 and < 0xFEC0 => "is a link-local IPv6 address, which needs an interface beside it",
            _ => null,
        };
    }
}
