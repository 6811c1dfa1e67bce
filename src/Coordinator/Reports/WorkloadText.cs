using System.Collections.Immutable;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;
using WorkloadShare = LoadHarness.Coordinator.Specs.WorkloadShare;

namespace LoadHarness.Coordinator.Reports;

/// <summary>What connections do, in lines for people.</summary>
internal static class WorkloadText
{
    /// <summary>Labels with their texts.</summary>
    public static IEnumerable<(string Label, string Text)> Lines(RunSpec spec)
    {
        foreach (var (i, share) in spec.Workload.Index())
            yield return (i == 0 ? "workload" : "", $"{Part(spec, share)}{What(share.Workload)}");
        var asking = spec.Workload.Where(w => w.Workload.Requests is not null).ToList();
        foreach (var (i, share) in asking.Index())
            yield return (i == 0 ? "load" : "", $"{(asking.Count > 1 ? Part(spec, share) : "")}{Load(spec, share, share.Workload.Requests!)}");
    }

    private static string Part(RunSpec spec, WorkloadShare share)
    {
        if (spec.Workload.Length == 1)
            return "";
        var percent = 100.0 * share.Weight / spec.Workload.Sum(w => (long)w.Weight);
        // As the user said it: what has a heartbeat beside other http is what is held.
        var isHeld = share.Workload is WorkloadSpec.Http { Pace.Load: LoadSpec.Heartbeat } && spec.Workload.Count(w => w.Workload is WorkloadSpec.Http) > 1;
        return $"{percent:0.##} % {(isHeld ? SpecWorkload.Hold : share.Workload.Name)}: ";
    }

    private static string What(WorkloadSpec workload) => workload switch
    {
        WorkloadSpec.Churn churn => Churn(churn),
        WorkloadSpec.Http http => Http(http),
        WorkloadSpec.Echo echo => $"each connection sends {echo.Size:N0} bytes and takes them back, one message at a time; the content is checked{Ends(echo.Pace)}",
        _ => "each connection is kept open and sends nothing",
    };

    private static string Churn(WorkloadSpec.Churn churn)
    {
        var lives = churn.Life switch
        {
            null => "each connection stays until the target closes it",
            { Spread: LifetimeSpread.Uniform } life => $"each connection lives {DurationText.Format(life.Length)} to {DurationText.Format(life.Longest)}, every time as likely",
            { Spread: LifetimeSpread.Exponential } life => $"each connection lives {DurationText.Format(life.Length)} on average, exponentially distributed",
            { } life => $"each connection lives {DurationText.Format(life.Length)}",
        };
        return churn.Close switch
        {
            CloseMethod.Rst => $"{lives}, then RST, and another one takes its place",
            CloseMethod.Peer when churn.Life is null => $"{lives}, and another one takes its place",
            CloseMethod.Peer => $"{lives}, then FIN, unless the target closes it before; another one takes its place",
            _ => $"{lives}, then FIN, and another one takes its place",
        };
    }

    private static string Http(WorkloadSpec.Http http)
    {
        var request = http.Request;
        var text = $"{request.Method} {Short(request.Path)} over HTTP/1.1, one request at a time on each connection";
        if (request.Host is { } host)
            text += $"; Host {host}";
        if (request.Fields.Length > 0)
            text += $"; {QuantityWords.Number(request.Fields.Length, "header line")} more";
        if (!request.Body.IsEmpty)
            text += $"; a body of {QuantityWords.Number(request.Body.Length, "byte")}";
        return $"{text}; fine: {Statuses(http.Expected)}; within {DurationText.Format(http.Pace.Timeout)}{Ends(http.Pace)}";
    }

    private static string Load(RunSpec spec, WorkloadShare share, PaceSpec pace) => pace.Load switch
    {
        LoadSpec.Open open => $"open model: {RateText.Format(open.RequestsPerSecond)} over the whole run, whatever the answers; at the goal "
            + $"{RateText.Format(Rounded(open.RequestsPerSecond / LoadForecast.ConnectionsOf(spec, share)))} on each connection, so an answer has {Each(LoadForecast.TimeEach(spec)!.Value)} on average",
        LoadSpec.Heartbeat beat => $"heartbeat: one request per connection every {DurationText.Format(beat.Every)}, spread evenly: "
            + $"{RateText.Format(Rounded(LoadForecast.ConnectionsOf(spec, share) / beat.Every.TotalSeconds))} at the goal",
        LoadSpec.Closed { ThinkTime.Ticks: > 0 } closed => $"closed model: the next request {DurationText.Format(closed.ThinkTime)} after each answer, so the rate follows the target",
        _ => "closed model: the next request as soon as an answer is there, so the rate is the target's",
    };

    private static string Ends(PaceSpec pace) => pace.PerConnection switch
    {
        0 => "",
        1 => "; closed by FIN after one request",
        var most => $"; closed by FIN after {most:N0} requests",
    };

    private static string Each(TimeSpan time) => time.TotalMilliseconds >= 1 ? $"{time.TotalMilliseconds:#,0.#} ms" : $"{time.TotalMicroseconds:0.#} us";

    private static double Rounded(double rate) => rate >= 100 ? Math.Floor(rate) : Math.Round(rate, 2);

    private static string Short(string path) => path.Length <= 60 ? path : path[..60] + "...";

    private static string Statuses(ImmutableArray<PortSpan> expected) => string.Join(", ", expected);
}
