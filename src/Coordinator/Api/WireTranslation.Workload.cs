using System.Collections.Immutable;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Coordinator.Api;

/// <content>
/// What connections do and what carries them, into the fields that the command line fills too: one validator has all the rules. What
/// those fields cannot say is refused here.
/// </content>
internal static partial class WireTranslation
{
    private static RunSpecInput AddWorkload(RunSpecInput input, Wire.RunSpec spec)
    {
        if (spec.Workload is null)
            return spec.Churn is null ? input : AddChurn(input, spec.Churn) with { Workload = SpecWorkload.Churn };
        if (spec.Churn is not null)
            throw ControlErrors.BadRequest([("churn", "churn: it cannot stand beside workload, which can be churn itself")]);
        if (spec.Workload.Mix is not { } mix)
            return AddKind(input, spec.Workload.Hold, spec.Workload.Churn, spec.Workload.Http, spec.Workload.Echo);
        var held = HeldOf(mix);
        foreach (var share in mix.Shares.Where(s => !ReferenceEquals(s, held)))
            input = AddKind(input, share.Hold, share.Churn, share.Http, share.Echo);
        CheckPaces(mix, held);
        if (held is not null)
            input = input with { Heartbeat = Quantity(held.Http.Load.Every, "workload.mix.shares.http.load.every") };
        // A kind that is not known here is refused by its name.
        return input with { Workload = string.Join(',', mix.Shares.Select(s => $"{(ReferenceEquals(s, held) ? SpecWorkload.Hold : s.KindCase)}={s.Weight}")) };
    }

    private static RunSpecInput AddKind(RunSpecInput input, Wire.Hold? hold, Wire.Churn? churn, Wire.Http? http, Wire.Echo? echo)
    {
        if (hold is not null)
            return input with { Workload = SpecWorkload.Hold };
        if (churn is not null)
            return AddChurn(input, churn) with { Workload = SpecWorkload.Churn };
        if (http is not null)
            return AddHttp(input, http) with { Workload = SpecWorkload.Http };
        return echo is null
            ? throw ControlErrors.BadRequest([("workload", "workload: its kind is missing or unknown; hold, churn, http, echo or a mix of them is wanted")])
            : AddPace(input, echo.Load, echo.Timeout, echo.RequestsPerConnection, "workload.echo") with { Workload = SpecWorkload.Echo, MessageSize = (long)echo.Size };
    }

    private static RunSpecInput AddChurn(RunSpecInput input, Wire.Churn churn)
    {
        var length = ToTime(churn.Lifetime, "churn.lifetime");
        var longest = ToTime(churn.LongestLifetime, "churn.longest_lifetime") ?? length;
        if (churn.Spread is not (Wire.LifetimeSpread.Fixed or Wire.LifetimeSpread.Uniform or Wire.LifetimeSpread.Exponential))
            throw ControlErrors.BadRequest([("churn.spread", $"churn.spread: {(int)churn.Spread} is unknown")]);
        return input with
        {
            Lifetime = length is { } time ? new LifetimeSpec(churn.Spread, time, churn.Spread == Wire.LifetimeSpread.Uniform ? longest!.Value : time) : (LifetimeInput?)null,
            Close = CloseOf(churn.Close),
        };
    }

    private static RunSpecInput AddHttp(RunSpecInput input, Wire.Http http)
    {
        if (http.Path.Length > 0 && input.Targets.Any(t => !TargetText.Parse(t).Ok || TargetText.Parse(t).Value.Path != http.Path))
            throw ControlErrors.BadRequest([("workload.http.path", "workload.http.path: the path is the targets', as in http://HOST:PORT/path; leave it out here")]);
        return AddPace(input, http.Load, http.Timeout, http.RequestsPerConnection, "workload.http") with
        {
            Method = http.Method.Length > 0 ? http.Method : null,
            Host = http.Host.Length > 0 ? http.Host : null,
            Headers = [.. http.Fields.Select(f => $"{f.Name}: {f.Value}")],
            Body = http.Body.Memory,
            ExpectStatus = http.Expected.Count > 0 ? string.Join(',', http.Expected.Select(r => $"{r.First}-{r.Last}")) : null,
        };
    }

    private static RunSpecInput AddPace(
        RunSpecInput input, Wire.RequestLoad? load, Google.Protobuf.WellKnownTypes.Duration? timeout, ulong perConnection, string path)
    {
        var isOpen = load?.ModelCase == Wire.RequestLoad.ModelOneofCase.RequestsPerSecond;
        return input with
        {
            RequestsPerSecond = isOpen ? load!.RequestsPerSecond : (Quantity<double>?)null,
            ThinkTime = Quantity(load?.ThinkTime, path + ".load.think_time"),
            Heartbeat = Quantity(load?.Every, path + ".load.every"),
            RequestTimeout = Quantity(timeout, path + ".timeout"),
            RequestsPerConnection = perConnection > 0 ? (long)Math.Min(perConnection, long.MaxValue) : (Quantity<long>?)null,
        };
    }

    // The words of the command line know one kind of http, and a heartbeat of those that are held.
    private static Wire.WorkloadShare? HeldOf(Wire.Mix mix)
    {
        var http = mix.Shares.Where(s => s.Http is not null).ToList();
        var beating = http.Where(s => s.Http.Load?.ModelCase == Wire.RequestLoad.ModelOneofCase.Every).ToList();
        if (beating.Count > 0 && mix.Shares.Any(s => s.Hold is not null))
            throw ControlErrors.BadRequest([("workload.mix", "workload.mix: hold cannot stand beside http with load.every, which is what held connections do that have a heartbeat; leave one of them out")]);
        if (http.Count != 2 || beating is not [var held])
            return null;
        var other = http.Single(s => !ReferenceEquals(s, held)).Http.Clone();
        (other.Load, other.RequestsPerConnection) = (held.Http.Load, 0);
        return other.Equals(held.Http)
            ? held
            : throw ControlErrors.BadRequest([("workload.mix", "workload.mix: http with load.every differs from the http beside it in more than its load; give it the same request, statuses and timeout, and no requests_per_connection")]);
    }

    private static void CheckPaces(Wire.Mix mix, Wire.WorkloadShare? held)
    {
        var http = mix.Shares.Where(s => s.Http is not null && !ReferenceEquals(s, held)).Select(s => (s.Http.Load, s.Http.Timeout, s.Http.RequestsPerConnection));
        var echo = mix.Shares.Where(s => s.Echo is not null).Select(s => (s.Echo.Load, s.Echo.Timeout, s.Echo.RequestsPerConnection));
        if (http.Concat(echo).Distinct().Skip(1).Any())
            throw ControlErrors.BadRequest([("workload.mix", "workload.mix: http and echo of one run have one load, one timeout and one number of requests per connection")]);
    }

    private static RunSpecInput AddTransport(RunSpecInput input, Wire.Transport? transport)
    {
        if (transport is null)
            return input;
        if (transport.Tls is { } tls)
            input = input with { Tls = ToInput(tls) };
        if (transport.ProxyProtocol is { } proxy)
            input = input with { ProxyProtocol = $"v{proxy.Version}", ProxyClients = ClientsOf(proxy.Clients) };
        return transport.Tcp is not { } tcp ? input : input with
        {
            NoDelay = tcp.HasNodelay ? tcp.Nodelay ? "on" : "off" : null,
            KeepAlive = Quantity(tcp.Keepalive, "transport.tcp.keepalive"),
            SendBuffer = tcp.SendBuffer > 0 ? tcp.SendBuffer : (Quantity<long>?)null,
            ReceiveBuffer = tcp.ReceiveBuffer > 0 ? tcp.ReceiveBuffer : (Quantity<long>?)null,
            UserTimeout = Quantity(tcp.UserTimeout, "transport.tcp.user_timeout"),
        };
    }

    private static TlsInput ToInput(Wire.Tls tls) => new()
    {
        Min = VersionOf(tls.Lowest),
        Max = VersionOf(tls.Highest),
        ServerName = tls.ServerName.Length > 0 ? tls.ServerName : null,
        Insecure = tls.Insecure,
        Authorities = tls.Ca.Memory,
        Certificate = tls.Certificate.Memory,
        Key = tls.Key.Memory,
        Alpn = tls.Alpn.Count > 0 ? string.Join(',', tls.Alpn) : null,
        Ciphers = tls.Ciphers.Length > 0 ? tls.Ciphers : null,
        CipherSuites = tls.CipherSuites.Length > 0 ? tls.CipherSuites : null,
        Groups = tls.Groups.Length > 0 ? tls.Groups : null,
        Resume = tls.Resume,
        Idle = tls.ReleaseIdle ? SpecTransport.Release : null,
        Shutdown = tls.QuietShutdown ? SpecTransport.Quiet : null,
    };

    private static string? VersionOf(Wire.TlsVersion version) => version switch
    {
        Wire.TlsVersion.Unspecified => null,
        Wire.TlsVersion.V12 => "1.2",
        Wire.TlsVersion.V13 => "1.3",
        _ => version.ToString(),
    };

    // As the command line says it: one network.
    private static string? ClientsOf(Wire.AddressRange? clients)
    {
        if (clients is null)
            return null;
        if (clients.First.Length is not (4 or 16) || clients.Count <= 0)
            throw ControlErrors.BadRequest([("transport.proxy_protocol.clients", "transport.proxy_protocol.clients: addresses of 4 or 16 bytes are wanted, at least one")]);
        var range = new IpRange(IpAddress.FromBytes(clients.First.Span), clients.Count);
        return SpecTransport.FormatClients(range)
            ?? throw ControlErrors.BadRequest([("transport.proxy_protocol.clients", $"transport.proxy_protocol.clients: {range} are not all the clients of one network")]);
    }
}
