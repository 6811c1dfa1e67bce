using System.Collections.Immutable;
using System.Globalization;
using LoadHarness.Protos;

namespace LoadHarness.Coordinator.Specs;

/// <summary>A target taken apart, its host not yet resolved.</summary>
/// <param name="Host">A name or an address, without brackets.</param>
/// <param name="Ports">Ascending, without overlaps; never empty.</param>
/// <param name="Weight">Connections that each address and port pair gets beside those of other targets: 1 to 1,000.</param>
public sealed record TargetParts(string Host, ImmutableArray<PortSpan> Ports, int Weight = 1)
{
    /// <summary>How it is spoken to.</summary>
    public TargetScheme Scheme { get; init; }

    /// <summary>What is asked for, in origin form with its query.</summary>
    public string Path { get; init; } = "/";
}

/// <summary>
/// Targets as people write them: <c>tcp://HOST:PORTS</c>, <c>tls://HOST:PORTS</c>, <c>http://HOST:PORTS/PATH</c>, <c>https://</c> or
/// <c>HOST:PORTS</c>, IPv6 in brackets: <c>[::1]:80</c>; a weight stands at the end: <c>HOST:PORTS,weight=3</c>. The ports of an HTTP
/// target may be left out.
/// </summary>
public static class TargetText
{
    /// <summary>Largest weight.</summary>
    public const int LargestWeight = 1000;

    private const string WeightMark = ",weight=";
    private const string Allowed = "HOST:PORTS, as in 10.0.0.5:443,8443-8450 or [::1]:80, with tcp://, tls://, http:// or https:// ahead of it, and behind the latter two with a path";

    private static readonly (string Name, TargetScheme Scheme)[] _schemes =
        [("tcp", TargetScheme.Tcp), ("tls", TargetScheme.Tls), ("http", TargetScheme.Http), ("https", TargetScheme.Https)];

    /// <summary>Reads a target.</summary>
    public static Parsed<TargetParts> Parse(string text)
    {
        var rest = text.Trim();
        var weight = 1;
        if (rest.IndexOf(WeightMark, StringComparison.OrdinalIgnoreCase) is var mark and >= 0)
        {
            var given = rest[(mark + WeightMark.Length)..].Trim();
            if (!int.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out weight) || weight is < 1 or > LargestWeight)
            {
                return new ParseProblem($"has a weight '{given}'", $"a whole number, 1 to {LargestWeight:N0}, at the end of the target",
                    $"Write {rest[..mark]},weight=3");
            }

            rest = rest[..mark].TrimEnd();
        }

        var parts = ParseEndpoint(rest);
        return parts.Ok ? parts.Value with { Weight = weight } : parts;
    }

    /// <summary>Writes a target as <see cref="Parse"/> reads it.</summary>
    public static string Format(TargetParts parts)
    {
        var host = parts.Host.Contains(':', StringComparison.Ordinal) ? $"[{parts.Host}]" : parts.Host;
        return $"{parts.Scheme.ToString().ToLowerInvariant()}://{host}:{PortText.Format(parts.Ports)}{(parts.Path == "/" ? "" : parts.Path)}"
            + $"{(parts.Weight == 1 ? "" : $"{WeightMark}{parts.Weight}")}";
    }

    private static Parsed<TargetParts> ParseEndpoint(string rest)
    {
        var scheme = TargetScheme.Tcp;
        if (rest.IndexOf("://", StringComparison.Ordinal) is >= 0 and var mark)
        {
            var named = _schemes.FirstOrDefault(s => rest.AsSpan(0, mark).Equals(s.Name, StringComparison.OrdinalIgnoreCase));
            if (named.Name is null)
                return new ParseProblem($"has the scheme '{rest[..mark]}', which is not supported", Allowed, "Write tcp://, tls://, http:// or https://");
            (scheme, rest) = (named.Scheme, rest[(mark + 3)..]);
        }

        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var (endpoint, path) = slash < 0 ? (rest, "/") : (rest[..slash], rest[slash..]);
        if (path != "/" && !scheme.IsHttp())
            return new ParseProblem($"has a path '{path}', and only http:// and https:// have one", Allowed, $"Write http://{endpoint}{path}, or leave the path out");
        if (!HttpText.IsPath(path))
            return new ParseProblem($"has a path '{path}' that cannot be sent", "visible ASCII characters without #", "Write others as %XX");
        var parts = ParseHostAndPorts(endpoint, scheme);
        return parts.Ok ? parts.Value with { Scheme = scheme, Path = path } : parts;
    }

    private static Parsed<TargetParts> ParseHostAndPorts(string rest, TargetScheme scheme)
    {
        if (rest.StartsWith('['))
            return ParseBracketed(rest.EndsWith(']') ? rest + DefaultPort(scheme) : rest);
        if (rest.Length > 0 && !rest.Contains(':', StringComparison.Ordinal))
            rest += DefaultPort(scheme);
        var colon = rest.IndexOf(':');
        if (colon < 0)
            return new ParseProblem("has no port", Allowed, $"Name the port: {(rest.Length == 0 ? "HOST" : rest)}:443");
        if (rest.IndexOf(':', colon + 1) >= 0)
            return new ParseProblem("has more than one colon", Allowed, "Write an IPv6 address in brackets: [2001:db8::1]:443");
        return Combine(rest[..colon], rest[(colon + 1)..]);
    }

    private static string DefaultPort(TargetScheme scheme) => scheme switch
    {
        TargetScheme.Http => ":80",
        TargetScheme.Https => ":443",
        _ => "",
    };

    private static Parsed<TargetParts> ParseBracketed(string rest)
    {
        var close = rest.IndexOf(']');
        if (close < 0)
            return new ParseProblem("has an opening bracket without a closing one", Allowed, "Write [2001:db8::1]:443");
        var host = rest[1..close];
        if (!host.Contains(':', StringComparison.Ordinal) || !AddressText.TryParse(host, out _))
            return new ParseProblem($"has '{host}' in brackets, which is not an IPv6 address", Allowed, "Write [2001:db8::1]:443");
        if (close + 1 >= rest.Length || rest[close + 1] != ':')
            return new ParseProblem("has no port", Allowed, $"Name the port: {rest[..(close + 1)]}:443");
        return Combine(host, rest[(close + 2)..]);
    }

    private static Parsed<TargetParts> Combine(string host, string ports)
    {
        host = host.Trim();
        if (host.Length == 0)
            return new ParseProblem("has no host", Allowed, "Name the host: 127.0.0.1:443");
        if (!AddressText.TryParse(host, out _) && WhyNoName(host) is { } reason)
            return new ParseProblem($"has a host '{host}' that {reason}", Allowed, "Give a host name or an address");
        var list = PortText.ParseList(ports);
        return list.Problem is { } problem ? problem : new TargetParts(host, list.Value);
    }

    /// <summary>RFC 1123 names, with the underscore that container networks use.</summary>
    private static string? WhyNoName(string host)
    {
        if (host.Length > 253)
            return "is longer than 253 characters";
        if (host.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_')))
            return "has characters that no host name has";
        if (host.TrimEnd('.').Split('.').Any(label => label.Length is 0 or > 63))
            return "has an empty part, or one longer than 63 characters";
        return host.All(c => char.IsAsciiDigit(c) || c == '.') ? "is not an IPv4 address" : null;
    }
}
