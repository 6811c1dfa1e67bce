using System.Globalization;
using System.Net;

namespace LoadHarness.Coordinator.Security;

/// <summary>Where a coordinator listens for TCP connections.</summary>
/// <param name="Endpoint">Address and port; port 0: one that is free.</param>
/// <param name="Host">As the user wrote it, for messages.</param>
public sealed record ListenAddress(IPEndPoint Endpoint, string Host)
{
    private const string Any = "*";

    /// <summary>Whether only this host can reach it.</summary>
    public bool IsLoopback => IPAddress.IsLoopback(Endpoint.Address);

    /// <summary>Whether it stands for every address of this host.</summary>
    public bool IsAny => Endpoint.Address.Equals(IPAddress.Any) || Endpoint.Address.Equals(IPAddress.IPv6Any);

    /// <summary>Reads <c>HOST:PORT</c>: HOST is an address (IPv6 in brackets), a name of this host, or <c>*</c> for every address.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="resolve">Addresses of a name; none when it has none.</param>
    /// <exception cref="FormatException">It is none; the message continues a sentence that begins with it.</exception>
    public static IReadOnlyList<ListenAddress> Parse(string text, Func<string, IReadOnlyList<IPAddress>> resolve)
    {
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            throw new FormatException("is not HOST:PORT");
        var host = text[..colon];
        if (host == Any)
            return [new(new(IPAddress.IPv6Any, port), host)];
        var bare = host is ['[', .., ']'] ? host[1..^1] : host;
        if (IPAddress.TryParse(bare, out var address))
        {
            // Else the last group of an IPv6 address would pass for a port.
            if (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && bare.Length == host.Length)
                throw new FormatException("is not HOST:PORT: an IPv6 address stands in brackets");
            return [new(new(address, port), bare)];
        }

        var addresses = bare.Length == host.Length ? resolve(host) : [];
        return addresses.Count > 0
            ? [.. addresses.Select(a => new ListenAddress(new(a, port), host))]
            : throw new FormatException($"names no host: {host} has no address here");
    }

    /// <summary>As it is dialled: <c>10.0.0.5:7443</c>, <c>[::1]:7443</c>.</summary>
    public override string ToString() =>
        Endpoint.Address.Equals(IPAddress.IPv6Any) && Host == Any ? $"*:{Endpoint.Port}" : Endpoint.ToString();
}
