using System.Collections.Immutable;
using System.Text;
using CsCheck;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;
using HttpField = LoadHarness.Coordinator.Specs.HttpField;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;
using WorkloadShare = LoadHarness.Coordinator.Specs.WorkloadShare;

namespace LoadHarness.Coordinator.Tests.Specs;

/// <summary>Workloads and transports that a spec may have, in every combination that it allows.</summary>
internal static class SpecGenerators
{
    private static readonly Gen<string> _tokens = Gen.Char["abcXYZ019-_.!"].Array[1, 12].Select(c => new string(c));

    private static readonly Gen<string> _values = Gen.Char["a:;= ,\u00e9/*\"9"].Array[0, 20].Select(c => new string(c).Trim());

    private static readonly Gen<TimeSpan> _times = Gen.Long[10, 86_400_000].Select(ms => TimeSpan.FromMilliseconds(ms));

    /// <summary>A time that a connection may live.</summary>
    public static Gen<LifetimeSpec> Lives { get; } = Gen.Select(Gen.Int[0, 2], Gen.Long[1, 1_000_000_000], Gen.Long[0, 1_000_000_000], (kind, length, more) =>
    {
        var (first, last) = (TimeSpan.FromMilliseconds(length), TimeSpan.FromMilliseconds(length + more));
        return kind switch
        {
            0 => new LifetimeSpec(LifetimeSpread.Fixed, first, first),
            1 => new LifetimeSpec(LifetimeSpread.Exponential, first, first),
            _ => new LifetimeSpec(LifetimeSpread.Uniform, first, last),
        };
    });

    private static readonly Gen<LoadSpec> _loads = Gen.OneOf(
        Gen.Double[0.001, 1e9].Select(r => (LoadSpec)new LoadSpec.Open(r)),
        _times.Select(t => (LoadSpec)new LoadSpec.Heartbeat(t)),
        Gen.Long[0, 86_400_000].Select(ms => (LoadSpec)new LoadSpec.Closed(TimeSpan.FromMilliseconds(ms))));

    private static readonly Gen<PaceSpec> _paces = Gen.Select(_loads, _times, Gen.Long[0, uint.MaxValue], (load, timeout, most) => new PaceSpec(load, timeout, most));

    private static readonly Gen<HttpRequestSpec> _requests = Gen.Select(
        Gen.OneOf("GET", "HEAD", "POST", "M-SEARCH"), Gen.OneOf<string?>(null, "www.example.com", "[2001:db8::1]:8080"),
        Gen.Select(_tokens.Select(n => "X-" + n), _values, (name, value) => new HttpField(name, value)).Array[0, 4], Gen.Byte.Array[0, 40],
        (method, host, fields, body) => new HttpRequestSpec(method, "/", host, [.. fields], body));

    private static readonly Gen<ImmutableArray<PortSpan>> _statuses = Gen.Select(Gen.Int[100, 999], Gen.Int[0, 200])
        .Select((first, more) => new PortSpan(first, Math.Min(999, first + more))).Array[1, 4].Select(a => a.ToImmutableArray());

    /// <summary>The kinds of a run against HTTP servers, or against others.</summary>
    public static Gen<ImmutableArray<WorkloadShare>> Workloads(bool isHttp) => Gen.Select(
        Gen.Int[1, 7], Gen.Int[1, SpecWorkload.LargestWeight].Array[3], _paces, Gen.Select(Lives, Gen.Bool, Gen.OneOf(CloseMethod.Fin, CloseMethod.Rst, CloseMethod.Peer)),
        Gen.Select(_requests, _statuses, Gen.Int[1, 1 << 20]), (which, weights, pace, churn, request) =>
        {
            var kinds = new List<WorkloadSpec>();
            // Beside others with requests it is the held ones that have the heartbeat.
            var heldApart = isHttp && (which & 5) == 5 && pace.Load is LoadSpec.Heartbeat;
            if (heldApart)
            {
                kinds.Add(new WorkloadSpec.Http(request.Item1, request.Item2, pace with { PerConnection = 0 }));
                pace = pace with { Load = new LoadSpec.Closed(pace.Timeout) };
            }
            else if ((which & 1) != 0)
            {
                kinds.Add(new WorkloadSpec.Hold());
            }

            if ((which & 2) != 0)
                kinds.Add(new WorkloadSpec.Churn(churn is { Item2: false, Item3: CloseMethod.Peer } ? null : churn.Item1, churn.Item3));
            if ((which & 4) != 0)
                kinds.Add(isHttp ? new WorkloadSpec.Http(request.Item1, request.Item2, pace) : new WorkloadSpec.Echo(request.Item3, pace));
            return kinds.Select((k, i) => new WorkloadShare(kinds.Count == 1 ? 1 : weights[i], k)).ToImmutableArray();
        });

    private static readonly Gen<ReadOnlyMemory<byte>> _pems = Gen.String[0, 40].Select(s => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes($"# {s}\n-----BEGIN X-----\n"));

    private static readonly Gen<TlsSpec> _tls = Gen.Select(
        Gen.Int[0, 2], Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool), _pems.Array[3], Gen.Double[0, 1], Gen.OneOf("", "www.example.com"),
        (versions, flags, pems, resume, name) => new TlsSpec
        {
            Lowest = versions == 2 ? TlsVersion.V13 : versions == 1 ? TlsVersion.V12 : TlsVersion.Unspecified,
            Highest = versions == 2 ? TlsVersion.Unspecified : versions == 1 ? TlsVersion.V12 : TlsVersion.V13,
            Insecure = flags.Item1,
            Authorities = flags.Item1 ? default : pems[0],
            Certificate = flags.Item2 ? pems[1] : default,
            Key = flags.Item2 ? pems[2] : default,
            Alpn = flags.Item3 ? ["h2", "http/1.1"] : [],
            Groups = flags.Item4 ? "X25519:P-256" : "",
            Ciphers = versions != 2 && flags.Item4 ? "ECDHE+AESGCM" : "",
            CipherSuites = versions != 1 && flags.Item3 ? "TLS_AES_128_GCM_SHA256" : "",
            Resume = resume < 0.001 ? 0 : Math.Round(resume, 4),
            ShutsDownQuietly = flags.Item5,
            ServerName = name,
        });

    private static readonly Gen<ProxySpec?> _proxies = Gen.Select(Gen.Int[0, 3], Gen.Int[1, 32], Gen.UInt, (version, length, address) =>
    {
        if (version is 0 or 3)
            return version == 0 ? null : new ProxySpec(2, null);
        var mask = (1UL << (32 - length)) - 1;
        return new ProxySpec(version, new CidrPrefix(new IpAddress(false, address & ~mask), length, (long)mask + 1).Usable);
    });

    private static readonly Gen<SocketSpec> _sockets = Gen.Select(Gen.Int[0, 2], Gen.Int[0, 32_767], Gen.Int[0, 1 << 30], Gen.Int[0, 3_600_000], (noDelay, keepAlive, buffer, timeout) => new SocketSpec(
        noDelay == 2 ? null : noDelay == 1, keepAlive == 0 ? null : TimeSpan.FromSeconds(keepAlive), buffer == 0 ? null : buffer, buffer < 2 ? null : buffer / 2,
        timeout == 0 ? null : TimeSpan.FromMilliseconds(timeout)));

    /// <summary>What may carry connections.</summary>
    public static Gen<TransportSpec> Transports(bool isTls) => Gen.Select(_tls, _proxies, _sockets, (tls, proxy, socket) => new TransportSpec(isTls ? tls : null, proxy, socket));

    /// <summary>Runs against each kind of target.</summary>
    public static Gen<RunSpec> Specs { get; } = Gen.OneOf(TargetScheme.Tcp, TargetScheme.Tls, TargetScheme.Http, TargetScheme.Https).SelectMany(scheme => Gen.Select(
        Workloads(scheme.IsHttp()), Transports(scheme.IsTls()), Gen.Bool, Gen.Bool, (workload, transport, isReused, release) => new RunSpec
        {
            Targets = [new($"{scheme.ToString().ToLowerInvariant()}://10.0.0.5:443", "10.0.0.5", [Address("10.0.0.5")], [new(443, 443)]) { Scheme = scheme }],
            Connections = 1000,
            Workload = workload,
            Transport = transport with
            {
                Tls = transport.Tls is { } tls ? tls with { ReleasesIdle = release && workload.All(w => w.Workload.Requests is null) } : null,
            },
            Rest = isReused ? TimeSpan.Zero : TimeSpan.FromSeconds(60),
        }));

    private static IpAddress Address(string text) => AddressText.TryParse(text, out var address) ? address : throw new ArgumentException(text, nameof(text));
}
