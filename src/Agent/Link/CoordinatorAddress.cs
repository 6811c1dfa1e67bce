using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoadHarness.Agent.Link;

/// <summary>Where a coordinator listens: a Unix socket, a TCP port of this host, or one behind TLS anywhere.</summary>
public sealed record CoordinatorAddress
{
    private const string UnixPrefix = "unix:";

    // sun_path of unix(7), less its terminating zero.
    private const int MostPathBytes = 107;

    private readonly string _text;

    private CoordinatorAddress(string text) => _text = text;

    /// <summary>Path of the Unix socket; null for TCP.</summary>
    public string? SocketPath { get; private init; }

    /// <summary>Whether it speaks TLS; then <see cref="Host"/> is what its certificate must be for.</summary>
    public bool IsTls { get; private init; }

    /// <summary>Name or address; empty for a Unix socket.</summary>
    public string Host { get; private init; } = "";

    /// <summary>1 to 65535; 0 for a Unix socket.</summary>
    public int Port { get; private init; }

    /// <summary>Parses `https://HOST:PORT`, `unix:/path/to.sock` or `http://127.0.0.1:PORT`.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="address">Null when there is an error.</param>
    /// <param name="error">What is wrong and what would be right; empty when nothing is.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out CoordinatorAddress? address, out string error)
    {
        address = null;
        error = "";
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
            return TryParsePath(text, out address, out error);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https") || uri.Port is < 1 or > 65535)
            error = $"\"{text}\" is no coordinator: https://HOST:PORT, unix:/path/to/coordinator.sock or http://127.0.0.1:PORT is wanted";
        else if (uri.PathAndQuery != "/" || uri.UserInfo.Length > 0 || uri.Fragment.Length > 0)
            error = $"{text}: only a host and a port are wanted, as in {uri.Scheme}://{uri.Host}:{uri.Port}";
        else if (uri.Scheme == "http" && LoopbackOf(uri.IdnHost).Length == 0)
        {
            error = $"{text}: {uri.IdnHost} is not loopback, and plain http would show secrets to the network; "
                + $"join https://{uri.Authority} instead (what the coordinator needs for it: loadharness certs init)";
        }
        else
            address = new(text) { IsTls = uri.Scheme == "https", Host = uri.IdnHost, Port = uri.Port };
        return address is not null;
    }

    /// <summary>The endpoints to try, in this order; none for a Unix socket.</summary>
    /// <exception cref="SocketException">The name is not known.</exception>
    public async Task<IPEndPoint[]> ResolveAsync(CancellationToken cancel)
    {
        var addresses = IPAddress.TryParse(Host, out var literal) ? [literal]
            : IsTls ? await Dns.GetHostAddressesAsync(Host, cancel).ConfigureAwait(false)
            : LoopbackOf(Host);
        addresses = [.. addresses.Select(a => a.IsIPv4MappedToIPv6 ? a.MapToIPv4() : a).Distinct()];
        return [.. addresses.OrderBy(a => a.AddressFamily != AddressFamily.InterNetwork).Select(a => new IPEndPoint(a, Port))];
    }

    /// <inheritdoc/>
    public override string ToString() => _text;

    private static bool TryParsePath(string text, [NotNullWhen(true)] out CoordinatorAddress? address, out string error)
    {
        var path = text[UnixPrefix.Length..];
        var bytes = Encoding.UTF8.GetByteCount(path);
        error = !path.StartsWith('/') ? $"{text}: an absolute path is wanted, as in unix:/run/user/1000/loadharness/coordinator.sock"
            : bytes > MostPathBytes ? $"{text}: the path of a Unix socket takes at most {MostPathBytes} bytes, this one has {bytes}"
            : "";
        address = error.Length == 0 ? new(text) { SocketPath = path } : null;
        return address is not null;
    }

    private static IPAddress[] LoopbackOf(string host)
    {
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
            return Socket.OSSupportsIPv6 ? [IPAddress.Loopback, IPAddress.IPv6Loopback] : [IPAddress.Loopback];
        return IPAddress.TryParse(host, out var address) && IPAddress.IsLoopback(address) ? [address] : [];
    }
}
