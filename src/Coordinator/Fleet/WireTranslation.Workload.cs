using System.Collections.Immutable;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;
using HttpField = LoadHarness.Coordinator.Specs.HttpField;
using WorkloadShare = LoadHarness.Coordinator.Specs.WorkloadShare;

namespace LoadHarness.Coordinator.Fleet;

/// <content>What connections do: the same messages in specs and in assignments.</content>
internal static partial class WireTranslation
{
    /// <summary>Rates as they stand in the shares: of the run, or of one agent.</summary>
    public static Workload ToMessage(ImmutableArray<WorkloadShare> shares)
    {
        var message = new Workload();
        if (shares.Length == 1)
        {
            SetKind(message, ToMessage(shares[0]));
        }
        else
        {
            message.Mix = new() { Shares = { shares.Select(ToMessage) } };
        }

        return message;
    }

    /// <summary>Reads what <see cref="ToMessage(ImmutableArray{WorkloadShare})"/> wrote; a hold when there is no kind.</summary>
    public static ImmutableArray<WorkloadShare> ToWorkload(Workload message) => message.Mix is { } mix
        ? [.. mix.Shares.Select(s => new WorkloadShare((int)s.Weight, ToWorkload(s.Churn, s.Http, s.Echo)))]
        : [new(1, ToWorkload(message.Churn, message.Http, message.Echo))];

    private static void SetKind(Workload message, V1.WorkloadShare single)
    {
        switch (single.KindCase)
        {
            case V1.WorkloadShare.KindOneofCase.Churn:
                message.Churn = single.Churn;
                break;
            case V1.WorkloadShare.KindOneofCase.Http:
                message.Http = single.Http;
                break;
            case V1.WorkloadShare.KindOneofCase.Echo:
                message.Echo = single.Echo;
                break;
            default:
                message.Hold = single.Hold;
                break;
        }
    }

    private static V1.WorkloadShare ToMessage(WorkloadShare share) => share.Workload switch
    {
        WorkloadSpec.Churn churn => new() { Weight = (uint)share.Weight, Churn = ToMessage(churn) },
        WorkloadSpec.Http http => new() { Weight = (uint)share.Weight, Http = ToMessage(http) },
        WorkloadSpec.Echo echo => new()
        {
            Weight = (uint)share.Weight,
            Echo = new()
            {
                Size = (uint)echo.Size,
                Load = ToMessage(echo.Pace.Load),
                Timeout = echo.Pace.Timeout.ToDuration(),
                RequestsPerConnection = (ulong)echo.Pace.PerConnection,
            },
        },
        _ => new() { Weight = (uint)share.Weight, Hold = new() },
    };

    private static Churn ToMessage(WorkloadSpec.Churn churn)
    {
        var message = new Churn { Close = churn.Close };
        if (churn.Life is { } life)
            (message.Lifetime, message.Spread) = (life.Length.ToDuration(), life.Spread);
        if (churn.Life is { Spread: LifetimeSpread.Uniform } spread)
            message.LongestLifetime = spread.Longest.ToDuration();
        return message;
    }

    private static Http ToMessage(WorkloadSpec.Http http) => new()
    {
        Method = http.Request.Method,
        Path = http.Request.Path,
        Host = http.Request.Host ?? "",
        Fields = { http.Request.Fields.Select(f => new V1.HttpField { Name = f.Name, Value = f.Value }) },
        Body = ByteString.CopyFrom(http.Request.Body.Span),
        Expected = { http.Expected.Select(r => new StatusRange { First = (uint)r.First, Last = (uint)r.Last }) },
        RequestsPerConnection = (ulong)http.Pace.PerConnection,
        Load = ToMessage(http.Pace.Load),
        Timeout = http.Pace.Timeout.ToDuration(),
    };

    private static RequestLoad ToMessage(LoadSpec load) => load switch
    {
        LoadSpec.Open open => new() { RequestsPerSecond = open.RequestsPerSecond },
        LoadSpec.Heartbeat heartbeat => new() { Every = heartbeat.Every.ToDuration() },
        LoadSpec.Closed closed => new() { ThinkTime = closed.ThinkTime.ToDuration() },
        _ => throw new InvalidOperationException($"a load model {load} that has no message"),
    };

    private static WorkloadSpec ToWorkload(Churn? churn, Http? http, Echo? echo)
    {
        if (churn is not null)
            return new WorkloadSpec.Churn(ToLife(churn), churn.Close);
        if (http is not null)
        {
            return new WorkloadSpec.Http(
                new(http.Method, http.Path, http.Host.Length > 0 ? http.Host : null, [.. http.Fields.Select(f => new HttpField(f.Name, f.Value))], http.Body.Memory),
                [.. http.Expected.Select(r => new PortSpan((int)r.First, (int)r.Last))],
                ToPace(http.Load, http.Timeout, http.RequestsPerConnection));
        }

        return echo is null ? new WorkloadSpec.Hold() : new WorkloadSpec.Echo((int)echo.Size, ToPace(echo.Load, echo.Timeout, echo.RequestsPerConnection));
    }

    private static LifetimeSpec? ToLife(Churn churn) => churn.Lifetime is { } length
        ? new(churn.Spread, length.ToTimeSpan(), (churn.LongestLifetime ?? length).ToTimeSpan())
        : null;

    private static PaceSpec ToPace(RequestLoad? load, Duration? timeout, ulong perConnection) => new(
        load?.ModelCase switch
        {
            RequestLoad.ModelOneofCase.RequestsPerSecond => new LoadSpec.Open(load.RequestsPerSecond),
            RequestLoad.ModelOneofCase.Every => new LoadSpec.Heartbeat(load.Every.ToTimeSpan()),
            _ => new LoadSpec.Closed(load?.ThinkTime?.ToTimeSpan() ?? TimeSpan.Zero),
        },
        timeout?.ToTimeSpan() ?? TimeSpan.Zero,
        (long)perConnection);
}
