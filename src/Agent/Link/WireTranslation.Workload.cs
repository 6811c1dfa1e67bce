using System.Collections.Immutable;
using System.Security.Cryptography;
using Google.Protobuf;
using LoadHarness.Agent.Workloads;
using LoadHarness.Agent.Workloads.Http;
using LoadHarness.Protos;
using Wire = LoadHarness.V1;

namespace LoadHarness.Agent.Link;

/// <content>What connections do.</content>
internal static partial class WireTranslation
{
    private const int MostKinds = 16;
    private const int LeastKinds = 2;
    private const uint MostShareWeight = 1_000_000;
    private const uint MostEchoBytes = 1 << 20;
    private const int MostStatusRanges = 100;
    private const double MostRequestsPerSecond = 1e9;
    private const long MostRequestBytes = 64 << 20;

    private static readonly ImmutableArray<PortSpan> _expectedUnlessSaid = [new(200, 399)];

    private static ImmutableArray<WorkloadShare> ToShares(Wire.Workload workload, ImmutableArray<Destination> destinations, bool tls)
    {
        if (workload.KindCase != Wire.Workload.KindOneofCase.Mix)
            return [new(1, ToPlan("workload", workload.Hold, workload.Churn, workload.Http, workload.Echo, destinations, tls))];
        var shares = workload.Mix.Shares;
        if (shares.Count is < LeastKinds or > MostKinds)
            throw new WireException("workload.mix.shares", "count", $"{shares.Count} kinds are out of range, {LeastKinds} to {MostKinds} are allowed");
        if (shares.Count(s => LoadOf(s)?.ModelCase == Wire.RequestLoad.ModelOneofCase.RequestsPerSecond) > 1)
            throw new WireException("workload.mix.shares", "count", "one kind at most can have requests per second");
        return Each(shares, "workload.mix.shares", (s, path) => ToShare(s, path, destinations, tls));
    }

    private static WorkloadShare ToShare(Wire.WorkloadShare share, string path, ImmutableArray<Destination> destinations, bool tls) =>
        share.Weight is >= 1 and <= MostShareWeight
            ? new((int)share.Weight, ToPlan(path, share.Hold, share.Churn, share.Http, share.Echo, destinations, tls))
            : throw new WireException(path + ".weight", "range", $"{share.Weight} is out of range, 1 to {MostShareWeight:N0} is allowed");

    // Of a oneof: one of them at most is there.
    private static WorkloadPlan ToPlan(
        string path, Wire.Hold? hold, Wire.Churn? churn, Wire.Http? http, Wire.Echo? echo, ImmutableArray<Destination> destinations, bool tls)
    {
        if (hold is not null)
            return new WorkloadPlan.Hold();
        if (churn is not null)
            return ToChurn(churn, path + ".churn");
        if (http is not null)
            return ToHttp(http, path + ".http", destinations, tls);
        if (echo is not null)
            return ToEcho(echo, path + ".echo");
        throw new WireException(path, "capability", "the kind of workload is missing or unknown to this agent; it can hold, churn, http, echo and mixes of them");
    }

    private static WorkloadPlan.Churn ToChurn(Wire.Churn churn, string path)
    {
        if (churn.Close is not (Wire.CloseMethod.Fin or Wire.CloseMethod.Rst or Wire.CloseMethod.Peer))
            throw new WireException(path + ".close", "range", $"close method {(int)churn.Close} is unknown; FIN, RST or PEER is wanted");
        if (churn.Lifetime is null && churn.Close == Wire.CloseMethod.Peer)
            return new(null, churn.Close);
        var length = ToLife(churn.Lifetime, path + ".lifetime");
        if (churn.Spread != Wire.LifetimeSpread.Uniform)
        {
            return churn.Spread is Wire.LifetimeSpread.Fixed or Wire.LifetimeSpread.Exponential
                ? new(new(churn.Spread, length, length), churn.Close)
                : throw new WireException(path + ".spread", "range", $"spread {(int)churn.Spread} is unknown; FIXED, UNIFORM or EXPONENTIAL is wanted");
        }

        var longest = ToLife(churn.LongestLifetime, path + ".longest_lifetime");
        return longest >= length
            ? new(new(churn.Spread, length, longest), churn.Close)
            : throw new WireException(path + ".longest_lifetime", "order", $"{longest.TotalSeconds:0.###} s is below the lifetime of {length.TotalSeconds:0.###} s");
    }

    private static TimeSpan ToLife(Google.Protobuf.WellKnownTypes.Duration? duration, string path) => Positive(duration, path) is var life && life <= Lifetime.Most
        ? life
        : throw new WireException(path, "range", $"{life.TotalDays:0.#} days is out of range, at most {Lifetime.Most.TotalDays:0} days is allowed");

    private static WorkloadPlan.Http ToHttp(Wire.Http http, string path, ImmutableArray<Destination> destinations, bool tls)
    {
        if (http.Expected.Count > MostStatusRanges)
            throw new WireException(path + ".expected", "count", $"{http.Expected.Count} ranges are too many, at most {MostStatusRanges} are allowed");
        var expected = Each(http.Expected, path + ".expected", ToStatuses);
        var text = new RequestText(http.Method, http.Path, [.. http.Fields.Select(f => (f.Name, f.Value))], http.Body.Memory);
        if (text.Problem is { } problem)
            throw new WireException($"{path}.{problem.Field}", "http", problem.Message);
        var hosts = http.Host.Length > 0
            ? [http.Host]
            : destinations.SelectMany(d => d.Pairs.Select(p => RequestText.HostOf(d.HostName, p.Address, p.Port, tls))).ToList();
        if (hosts.FirstOrDefault(h => !RequestText.IsHost(h)) is { } wrong)
            throw new WireException(path + ".host", "http", $"\"{Cut(Shown(wrong))}\" is no host; visible ASCII characters are wanted");
        // One for each destination, since their hosts differ.
        if ((long)http.CalculateSize() * hosts.Count > MostRequestBytes)
        {
            throw new WireException(path + ".body", "size",
                $"{hosts.Count:N0} destinations with a request of {http.CalculateSize():N0} bytes each take more than {MostRequestBytes >> 20} MB; name one host for all of them, or send less");
        }

        return new([.. hosts.Select(text.For)], http.Method == "HEAD", expected.IsEmpty ? _expectedUnlessSaid : expected, ToPace(http.Load, http.Timeout, http.RequestsPerConnection, path));
    }

    private static PortSpan ToStatuses(Wire.StatusRange range, string path) => range.First >= 100 && range.First <= range.Last && range.Last <= 999
        ? new((int)range.First, (int)range.Last)
        : throw new WireException(path, "range", $"{range.First}-{range.Last} are no statuses, 100 to 999 in order is allowed");

    private static WorkloadPlan.Echo ToEcho(Wire.Echo echo, string path) => echo.Size is >= 1 and <= MostEchoBytes
        ? new((int)echo.Size, ToPace(echo.Load, echo.Timeout, echo.RequestsPerConnection, path))
        : throw new WireException(path + ".size", "range", $"{echo.Size} bytes is out of range, 1 to {MostEchoBytes:N0} is allowed");

    private static RequestPace ToPace(Wire.RequestLoad? load, Google.Protobuf.WellKnownTypes.Duration? timeout, ulong perConnection, string path)
    {
        if (perConnection > uint.MaxValue)
            throw new WireException(path + ".requests_per_connection", "range", $"{perConnection} is out of range, at most {uint.MaxValue:N0} is allowed");
        return new(ToLoad(load, path + ".load"), Positive(timeout, path + ".timeout"), (long)perConnection);
    }

    private static RequestLoad ToLoad(Wire.RequestLoad? load, string path) => load?.ModelCase switch
    {
        Wire.RequestLoad.ModelOneofCase.RequestsPerSecond when load.RequestsPerSecond is >= 0 and <= MostRequestsPerSecond => new RequestLoad.Open(),
        Wire.RequestLoad.ModelOneofCase.RequestsPerSecond =>
            throw new WireException(path + ".requests_per_second", "range", $"{load.RequestsPerSecond} is out of range, 0 to {MostRequestsPerSecond:N0} is allowed"),
        Wire.RequestLoad.ModelOneofCase.ThinkTime => new RequestLoad.Closed(Time(load.ThinkTime, path + ".think_time")),
        Wire.RequestLoad.ModelOneofCase.Every => new RequestLoad.Heartbeat(Positive(load.Every, path + ".every")),
        _ => throw new WireException(path, "required", "requests per second, a think time or a period is wanted"),
    };

    private static double RequestsPerSecondOf(Wire.Workload workload) =>
        LoadsOf(workload).Sum(l => l.ModelCase == Wire.RequestLoad.ModelOneofCase.RequestsPerSecond ? l.RequestsPerSecond : 0);

    private static IEnumerable<Wire.RequestLoad> LoadsOf(Wire.Workload workload) =>
        new[] { workload.Http?.Load, workload.Echo?.Load }.Concat(workload.Mix?.Shares.Select(LoadOf) ?? []).OfType<Wire.RequestLoad>();

    private static Wire.RequestLoad? LoadOf(Wire.WorkloadShare share) => share.Http?.Load ?? share.Echo?.Load;

    // The rate of an open model and the clients of a PROXY header are this agent's part, and change with the number of agents: the rate
    // is followed, and the clients stay those that it began with.
    private static string DigestOf(Wire.Assignment message)
    {
        var part = new Wire.Assignment { Workload = message.Workload.Clone(), Transport = message.Transport?.Clone() };
        if (part.Transport?.ProxyProtocol is { } proxy)
            proxy.Clients = null;
        // Who sends the end of a run need not have its key any more.
        if (part.Transport?.Tls is { } tls)
            (tls.Certificate, tls.Key) = (ByteString.Empty, ByteString.Empty);
        foreach (var load in LoadsOf(part.Workload).Where(l => l.ModelCase == Wire.RequestLoad.ModelOneofCase.RequestsPerSecond))
            load.RequestsPerSecond = 0;
        return Convert.ToHexString(SHA256.HashData(part.ToByteArray()));
    }
}
