using System.Buffers;
using System.Text;
using LoadHarness.Protos;

namespace LoadHarness.Agent.Workloads.Http;

/// <summary>What an HTTP/1.1 request looks like on the wire (RFC 9112, 2.1 and 3), but for its host.</summary>
internal sealed class RequestText
{
    private const int HttpPort = 80;
    private const int HttpsPort = 443;

    private static readonly SearchValues<char> _tokenChars =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    // What says where the request ends, and for whom it is, is written here.
    private static readonly string[] _ours = ["Host", "Content-Length", "Transfer-Encoding", "Connection"];

    private readonly string _method;
    private readonly string _path;
    private readonly IReadOnlyList<(string Name, string Value)> _fields;
    private readonly ReadOnlyMemory<byte> _body;

    /// <summary>Takes what a request is made of.</summary>
    /// <param name="method">A token (RFC 9110, 9.1).</param>
    /// <param name="path">In origin form, with its query (RFC 9112, 3.2.1).</param>
    /// <param name="fields">Beside those that are written here.</param>
    /// <param name="body">Empty: none.</param>
    public RequestText(string method, string path, IReadOnlyList<(string Name, string Value)> fields, ReadOnlyMemory<byte> body)
    {
        (_method, _path, _fields, _body) = (method, path, fields, body);
        Problem = FindProblem();
    }

    /// <summary>What is wrong with them: the field of the message, and what is allowed. Null: nothing.</summary>
    public (string Field, string Message)? Problem { get; }

    /// <summary>The host that a target is asked for, with its port unless that is the scheme's (RFC 9110, 4.2).</summary>
    /// <param name="name">Null: the address.</param>
    /// <param name="address">Of the target.</param>
    /// <param name="port">Of the target.</param>
    /// <param name="tls">The scheme is https.</param>
    public static string HostOf(string? name, IpAddress address, int port, bool tls)
    {
        var host = name ?? (address.IsV6 ? $"[{address}]" : $"{address}");
        return port == (tls ? HttpsPort : HttpPort) ? host : $"{host}:{port}";
    }

    /// <summary>Whether a text can be sent as a host.</summary>
    public static bool IsHost(string text) => text.Length is > 0 and <= 255 + 6 && text.All(IsVisible);

    /// <summary>The bytes of a request.</summary>
    /// <param name="host">See <see cref="IsHost"/>.</param>
    public byte[] For(string host)
    {
        var head = new StringBuilder($"{_method} {_path} HTTP/1.1\r\nHost: {host}\r\n");
        foreach (var (name, value) in _fields)
            head.Append($"{name}: {value}\r\n");
        // A method that usually has a body says that it has none (RFC 9110, 8.6).
        if (!_body.IsEmpty || _method is "POST" or "PUT" or "PATCH")
            head.Append($"Content-Length: {_body.Length}\r\n");
        head.Append("\r\n");
        return [.. Encoding.Latin1.GetBytes(head.ToString()), .. _body.Span];
    }

    private static bool IsVisible(char c) => c is > ' ' and < '\u007f';

    private (string Field, string Message)? FindProblem()
    {
        if (!IsToken(_method) || _method == "CONNECT")
            return ("method", $"{(_method.Length <= 32 && _method.All(IsVisible) ? $"\"{_method}\"" : "that")} is no method; a token such as GET is wanted, and CONNECT has another meaning");
        if (_path.Length == 0 || (_path[0] != '/' && _path != "*") || !_path.All(IsVisible))
            return ("path", "a path that begins with / is wanted, without white space or control characters; write others as %XX");
        foreach (var (i, (name, value)) in _fields.Index())
        {
            if (!IsToken(name))
                return ($"fields[{i}].name", "a token is wanted: letters, digits and !#$%&'*+-.^_`|~");
            if (_ours.Contains(name, StringComparer.OrdinalIgnoreCase))
                return ($"fields[{i}].name", $"{name} is set by the agent itself; for the host there is a field of its own");
            if (value.Any(c => c is < ' ' and not '\t' or '\u007f' or > '\u00ff'))
                return ($"fields[{i}].value", "a value without control characters is wanted, Latin-1 at most");
        }

        return null;
    }

    private static bool IsToken(string text) => text.Length > 0 && text.AsSpan().IndexOfAnyExcept(_tokenChars) < 0;
}
