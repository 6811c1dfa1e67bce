using System.Globalization;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Specs;

/// <summary>A network.</summary>
/// <param name="First">Its first address.</param>
/// <param name="Length">Of the prefix: 0 to 32, or to 128.</param>
/// <param name="Count">Its addresses.</param>
public readonly record struct CidrPrefix(IpAddress First, int Length, long Count)
{
    /// <summary>
    /// Addresses that a host can have: for IPv4 prefixes shorter than /31 (RFC 3021) not the network's own address and not its
    /// broadcast address; for IPv6 all.
    /// </summary>
    public IpRange Usable => First.IsV6 || Length >= 31 ? new(First, Count) : new(First.Plus(1), Count - 2);

    /// <summary>Why no connection can start from its first or last usable address; null when one can.</summary>
    internal string? WhyUnusable()
    {
        foreach (var end in new[] { Usable.First, Usable.Last })
        {
            if (AddressText.WhyUnusable(end) is { } reason)
                return $"names {end}, which {reason}";
        }

        return null;
    }
}

/// <summary>Networks as people write them: <c>10.0.1.0/24</c>, <c>2001:db8::/120</c>.</summary>
public static class CidrText
{
    private const string Allowed = "a CIDR, as in 10.0.1.0/24";

    /// <summary>Reads a network whose address is its first one.</summary>
    /// <param name="text">Anything.</param>
    /// <param name="most">Most addresses: a power of two.</param>
    public static Parsed<CidrPrefix> Parse(string text, long most)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
            return Wrong($"has '{text}', which has no prefix length", "Write it as 10.0.1.0/24");
        if (!AddressText.TryParse(text[..slash].Trim(), out var address))
            return Wrong($"has '{text[..slash]}', which is not an address", "Write it as 10.0.1.0/24");
        var bits = address.IsV6 ? 128 : 32;
        if (!int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var length) || length > bits)
            return Wrong($"has a prefix length that is not 0 to {bits}", $"Write it as {address}/{bits} for one address");
        var hostBits = bits - length;
        var mask = hostBits == 128 ? UInt128.MaxValue : (UInt128.One << hostBits) - 1;
        if ((address.Value & mask) != 0)
        {
            return Wrong($"has host bits set: {address} is not the first address of its /{length}",
                $"Write {address with { Value = address.Value & ~mask }}/{length} for the network or {address} for the address");
        }

        var mostBits = long.Log2(most);
        return hostBits > mostBits
            ? Wrong($"holds {HowMany(hostBits)} addresses, more than {most:N0}", $"Give at most a /{bits - mostBits} at a time")
            : new CidrPrefix(address, length, 1L << hostBits);
    }

    private static string HowMany(int hostBits) => hostBits < 50 ? (1L << hostBits).ToString("N0", CultureInfo.InvariantCulture) : $"2^{hostBits}";

    private static ParseProblem Wrong(string problem, string remedy) => new(problem, Allowed, remedy);
}
