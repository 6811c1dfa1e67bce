using System.Collections.Immutable;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Specs;

/// <summary>The fields of a spec that say what carries connections.</summary>
internal static class SpecTransport
{
    /// <summary>Idle connections keep their TLS state.</summary>
    public const string Keep = "keep";

    /// <summary>Idle connections give their TLS state back.</summary>
    public const string Release = "release";

    /// <summary>No close_notify at the end.</summary>
    public const string Quiet = "quiet";

    private const long MostClients = 1L << 32;
    private const int LongestPem = 1 << 20;
    private const int LargestBuffer = 1 << 30;
    private const string ProxyField = "--proxy-protocol";
    private const string ClientsField = "--proxy-clients";

    private static readonly TimeSpan _longestKeepAlive = TimeSpan.FromSeconds(32_767);
    private static readonly TimeSpan _longestUserTimeout = TimeSpan.FromHours(1);

    /// <summary>The spec with its transport.</summary>
    public static RunSpec Read(RunSpec spec, RunSpecInput input, FieldReader fields, List<SpecError> errors)
    {
        var tls = ReadTls(input.Tls, fields, errors);
        var isTls = spec.Targets.Any(t => t.Scheme.IsTls());
        if (!isTls && !spec.Targets.IsEmpty)
        {
            foreach (var field in input.Tls.Given)
                errors.Add(new SpecError(field, "", "is for TLS, and no target is tls:// or https://", "", $"Write --target {(spec.Targets[0].Scheme.IsHttp() ? "https" : "tls")}://{spec.Targets[0].Host}:{PortText.Format(spec.Targets[0].Ports)}, or leave it out"));
        }

        if (tls.ReleasesIdle && !spec.Workload.All(w => w.Workload is WorkloadSpec.Hold or WorkloadSpec.Churn))
        {
            errors.Add(new SpecError("--tls-idle", Release, "gives back what requests need", "", "Keep it: --tls-idle keep; or send no requests: --workload hold"));
        }

        var proxy = ReadProxy(input, fields, errors);
        // Both addresses of a header are of one family.
        if (proxy?.Clients is { First.IsV6: var isV6 } && spec.Targets.FirstOrDefault(t => t.Addresses is [var first, ..] && first.IsV6 != isV6) is { } other)
        {
            errors.Add(new SpecError(ClientsField, input.ProxyClients ?? "", $"are {(isV6 ? "IPv6" : "IPv4")}, and {other.Text} is not", "addresses of the target's family",
                isV6 ? $"Write {ClientsField} 10.128.0.0/11" : $"Write {ClientsField} 2001:db8::/96"));
        }

        return spec with { Transport = new(isTls ? tls : null, proxy, ReadSocket(input, fields, errors)) };
    }

    /// <summary>The network whose usable addresses a range is, as it is written; null when it is none.</summary>
    public static string? FormatClients(IpRange range)
    {
        var bits = range.First.IsV6 ? 128 : 32;
        for (var length = bits; length >= bits - 32 && length > 0; length--)
        {
            var mask = (UInt128.One << (bits - length)) - 1;
            var network = range.First with { Value = range.First.Value & ~mask };
            if (new CidrPrefix(network, length, 1L << (bits - length)).Usable == range)
                return $"{network}/{length}";
        }

        return null;
    }

    private static TlsSpec ReadTls(TlsInput input, FieldReader fields, List<SpecError> errors)
    {
        var tls = new TlsSpec
        {
            Lowest = VersionOf(fields.Word("--tls-min", input.Min, "1.2", "1.3")),
            Highest = VersionOf(fields.Word("--tls-max", input.Max, "1.2", "1.3")),
            ServerName = input.ServerName?.Trim() ?? "",
            Insecure = input.Insecure,
            Authorities = Pem("--tls-ca", input.Authorities, errors),
            Certificate = Pem("--tls-cert", input.Certificate, errors),
            Key = Pem("--tls-key", input.Key, errors),
            Alpn = Alpn(input.Alpn, errors),
            Ciphers = List("--tls-ciphers", input.Ciphers, errors),
            CipherSuites = List("--tls-suites", input.CipherSuites, errors),
            Groups = List("--tls-groups", input.Groups, errors),
            Resume = Resume(input.Resume, fields),
            ReleasesIdle = fields.Word("--tls-idle", input.Idle, Keep, Release) == Release,
            ShutsDownQuietly = fields.Word("--tls-shutdown", input.Shutdown, "proper", Quiet) == Quiet,
        };
        if (tls is { Lowest: TlsVersion.V13, Ciphers.Length: > 0 })
            errors.Add(new SpecError("--tls-ciphers", tls.Ciphers, "are of TLS 1.2, and --tls-min 1.3 leaves it out", "", "Write --tls-suites for TLS 1.3, or leave --tls-min out"));
        if (tls is { Highest: TlsVersion.V12, CipherSuites.Length: > 0 })
            errors.Add(new SpecError("--tls-suites", tls.CipherSuites, "are of TLS 1.3, and --tls-max 1.2 leaves it out", "", "Write --tls-ciphers for TLS 1.2, or leave --tls-max out"));
        if (tls is { Lowest: TlsVersion.V13, Highest: TlsVersion.V12 })
            errors.Add(new SpecError("--tls-min", "1.3", "is above --tls-max 1.2", "", "Leave one of them out"));
        if (tls.Certificate.IsEmpty != tls.Key.IsEmpty)
            errors.Add(new SpecError(tls.Key.IsEmpty ? "--tls-key" : "--tls-cert", "", "is missing: a certificate and its key belong together", "", "Give --tls-cert FILE and --tls-key FILE"));
        if (tls.Insecure && !tls.Authorities.IsEmpty)
            errors.Add(new SpecError("--tls-insecure", "", "takes any certificate, so --tls-ca says nothing", "", "Leave one of them out"));
        if (tls.ServerName.Length > 253 || tls.ServerName.Any(c => c is <= ' ' or >= '\u007f'))
            errors.Add(new SpecError("--tls-sni", tls.ServerName, "is no name of a server", "a host name", "Write --tls-sni www.example.com"));
        return tls;
    }

    private static TlsVersion VersionOf(string? word) => word switch
    {
        "1.2" => TlsVersion.V12,
        "1.3" => TlsVersion.V13,
        _ => TlsVersion.Unspecified,
    };

    // `never` and `always` are what most people want.
    private static double Resume(Quantity<double>? given, FieldReader fields) => given?.Text?.Trim().ToLowerInvariant() switch
    {
        "never" or "0" or "0%" => 0,
        "always" => 1,
        null when given is { Value: 0 } => 0,
        _ => fields.Fraction("--tls-resume", given) ?? 0,
    };

    private static ReadOnlyMemory<byte> Pem(string field, ReadOnlyMemory<byte> pem, List<SpecError> errors)
    {
        if (pem.IsEmpty || (pem.Length <= LongestPem && pem.Span.IndexOf("-----BEGIN "u8) >= 0))
            return pem;
        errors.Add(new SpecError(field, "", pem.Length > LongestPem ? $"has {pem.Length:N0} bytes" : "has nothing in PEM form",
            $"PEM, at most {LongestPem:N0} bytes", $"Convert it: openssl {(field == "--tls-key" ? "pkey" : "x509")} -inform der -in FILE -out FILE.pem"));
        return default;
    }

    private static ImmutableArray<string> Alpn(string? text, List<SpecError> errors)
    {
        if (text is null)
            return [];
        ImmutableArray<string> protocols = [.. text.Split(',').Select(p => p.Trim())];
        if (protocols.Length <= 16 && protocols.All(p => p.Length is > 0 and <= 255 && p.All(c => c is > ' ' and < '\u007f')))
            return protocols;
        errors.Add(new SpecError("--tls-alpn", text, "is no list of protocols", "at most 16 names, as in h2,http/1.1", "Write --tls-alpn http/1.1"));
        return [];
    }

    private static string List(string field, string? text, List<SpecError> errors)
    {
        var list = text?.Trim() ?? "";
        if (list.Length <= 4096 && list.All(c => c is > ' ' and < '\u007f'))
            return list;
        errors.Add(new SpecError(field, list, "is no list of names", "names with colons between, as OpenSSL knows them", "See 'openssl ciphers' and 'openssl list -groups'"));
        return "";
    }

    private static ProxySpec? ReadProxy(RunSpecInput input, FieldReader fields, List<SpecError> errors)
    {
        var version = fields.Word(ProxyField, input.ProxyProtocol, "v1", "v2");
        if (input.ProxyClients is not { } text)
            return version is null ? null : new(version == "v1" ? 1 : 2, null);
        if (input.ProxyProtocol is null)
            errors.Add(new SpecError(ClientsField, text, "are said by a PROXY header, and there is none", "", $"Add {ProxyField} v2"));
        var clients = CidrText.Parse(text, MostClients);
        if (clients.Problem is { } problem)
            errors.Add(problem.At(ClientsField, text));
        return version is null || !clients.Ok ? null : new(version == "v1" ? 1 : 2, clients.Value.Usable);
    }

    private static SocketSpec ReadSocket(RunSpecInput input, FieldReader fields, List<SpecError> errors) => new(
        fields.Word("--nodelay", input.NoDelay, "on", "off") switch { "on" => true, "off" => false, _ => null },
        Whole("--keepalive", fields.Duration("--keepalive", input.KeepAlive, TimeSpan.FromSeconds(1), _longestKeepAlive), TimeSpan.FromSeconds(1), errors),
        Buffer("--send-buffer", input.SendBuffer, errors),
        Buffer("--receive-buffer", input.ReceiveBuffer, errors),
        Whole("--tcp-user-timeout", fields.Duration("--tcp-user-timeout", input.UserTimeout, TimeSpan.FromMilliseconds(1), _longestUserTimeout), TimeSpan.FromMilliseconds(1), errors));

    // The kernel takes nothing finer, and what is shown is what is set.
    private static TimeSpan? Whole(string field, TimeSpan? time, TimeSpan step, List<SpecError> errors)
    {
        if (time is not { } given || given.Ticks % step.Ticks == 0)
            return time;
        var unit = DurationText.Format(step)[1..];
        errors.Add(new SpecError(field, DurationText.Format(given), $"has a part of {(unit == "s" ? "a second" : "a millisecond")}, and the kernel takes whole ones",
            $"a whole number of {unit}", $"Write {field} {DurationText.Format(TimeSpan.FromTicks((given.Ticks + step.Ticks - 1) / step.Ticks * step.Ticks))}"));
        return null;
    }

    private static int? Buffer(string field, Quantity<long>? given, List<SpecError> errors)
    {
        if (given is not { } quantity)
            return null;
        var parsed = quantity.Text is { } text ? SizeText.Parse(text) : quantity.Value;
        if (parsed.Problem is { } problem)
            errors.Add(problem.At(field, quantity.Text ?? ""));
        else if (parsed.Value is < 1 or > LargestBuffer)
            errors.Add(new SpecError(field, quantity.Text ?? $"{quantity.Value}", "is out of range", "1 byte to 1G", $"Write {field} 256k"));
        else
            return (int)parsed.Value;
        return null;
    }
}
