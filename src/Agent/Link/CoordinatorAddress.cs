using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace LoadHarness.Agent.Link;

/// <summary>Where a coordinator listens: a Unix socket, or a TCP port of this host.</summary>
public sealed record CoordinatorAddress
{
    private const string UnixPrefix = "unix:";

    // sun_path of unix(7), less its terminating zero.
    private const int MostPathBytes = 107;

    private readonly string _text;

    private CoordinatorAddress(string text) => _text = text;

    /// <summary>Path of the Unix socket; null for TCP.</summary>
    public string? SocketPath { get; private init; }

    /// <summary>The loopback addresses to try, in this order; empty for a Unix socket.</summary>
    public IReadOnlyList<IPEndPoint> Endpoints { get; private init; } = [];

    /// <summary>Parses `unix:/path/to.sock` or `http://127.0.0.1:PORT`.</summary>
    /// <param name="text">What the user wrote.</param>
    /// <param name="address">Null when there is an error.</param>
    /// <param name="error">What is wrong and what would be right; empty when nothing is.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out CoordinatorAddress? address, out string error)
    {
        address = null;
        error = "";
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
            return TryParsePath(text, out address, out error);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            error = $"\"{text}\" is no coordinator: unix:/path/to/coordinator.sock or http://127.0.0.1:PORT is wanted";
        else if (uri.Scheme == "https")
            error = $"{text}: this release joins over a Unix socket or loopback; https needs certificates, which it does not have yet";
        else if (uri.PathAndQuery != "/" || uri.UserInfo.Length > 0 || uri.Fragment.Length > 0)
            error = $"{text}: only a host and a port are wanted, as in http://127.0.0.1:{uri.Port}";
        else if (LoopbackOf(uri.DnsSafeHost) is not { Length: > 0 } hosts)
        {
            error = $"{text}: {uri.DnsSafeHost} is not loopback, and plain http would show the credential to the network; "
                + "this release joins over a Unix socket or loopback";
        }
        else
            address = new(text) { Endpoints = [.. hosts.Select(h => new IPEndPoint(h, uri.Port))] };
        return address is not null;
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
