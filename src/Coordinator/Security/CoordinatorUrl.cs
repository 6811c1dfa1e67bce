using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text;

namespace LoadHarness.Coordinator.Security;

/// <summary>Where users reach a coordinator: over TLS anywhere, over plain HTTP/2 on this host's loopback, or over a Unix socket.</summary>
public sealed record CoordinatorUrl
{
    /// <summary>What may be written.</summary>
    public const string Forms = "https://HOST:PORT, http://127.0.0.1:PORT, unix:/PATH";

    private const string UnixPrefix = "unix:";

    // sun_path of unix(7), less its terminating zero.
    private const int MostPathBytes = 107;

    private readonly string _text;

    private CoordinatorUrl(string text) => _text = text;

    /// <summary>Path of the Unix socket; null for TCP.</summary>
    public string? SocketPath { get; private init; }

    /// <summary>Whether it speaks TLS; then <see cref="Host"/> is what its certificate must be for.</summary>
    public bool IsTls { get; private init; }

    /// <summary>Name or address; empty for a Unix socket.</summary>
    public string Host { get; private init; } = "";

    /// <summary>1 to 65535; 0 for a Unix socket.</summary>
    public int Port { get; private init; }

    /// <summary>Reads what a user wrote.</summary>
    /// <param name="text">One of <see cref="Forms"/>.</param>
    /// <param name="url">Null when there is a problem.</param>
    /// <param name="problem">Continues a sentence that begins with the text; empty when there is none.</param>
    public static bool TryParse(string text, [NotNullWhen(true)] out CoordinatorUrl? url, out string problem)
    {
        (url, problem) = (null, "");
        if (text.StartsWith(UnixPrefix, StringComparison.Ordinal))
            return TryParsePath(text, out url, out problem);
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")
            || uri.Host.Length == 0 || uri.Port < 1)
        {
            problem = "is no coordinator's address";
            return false;
        }

        var isTls = uri.Scheme == "https";
        problem = uri.UserInfo.Length > 0 ? "holds a user or a secret, which belongs into a file"
            : uri.PathAndQuery != "/" || uri.Fragment.Length > 0 ? "has more than a host and a port"
            : !isTls && !IsLoopback(uri.IdnHost) ? "is not loopback, and plain http would show the token to the network"
            : "";
        url = problem.Length > 0
            ? null
            : new($"{uri.Scheme}://{uri.Host}:{uri.Port}") { IsTls = isTls, Host = uri.IdnHost.Trim('[', ']'), Port = uri.Port };
        return url is not null;
    }

    /// <summary>As it can be written again.</summary>
    public override string ToString() => _text;

    private static bool TryParsePath(string text, [NotNullWhen(true)] out CoordinatorUrl? url, out string problem)
    {
        var path = text[UnixPrefix.Length..];
        problem = path.Length == 0 ? "names no socket"
            : Encoding.UTF8.GetByteCount(Path.GetFullPath(path)) <= MostPathBytes ? ""
            : $"is longer than a Unix socket's path may be, {MostPathBytes} bytes";
        url = problem.Length == 0 ? new(UnixPrefix + Path.GetFullPath(path)) { SocketPath = Path.GetFullPath(path) } : null;
        return url is not null;
    }

    private static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
