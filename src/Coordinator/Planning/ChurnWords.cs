using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Planning;

/// <summary>Why connections of a run end, and what changes how often they do, for people.</summary>
internal static class ChurnWords
{
    /// <summary>How long connections live: <c>live 10s each</c>, or why they do so on average.</summary>
    /// <param name="spec">With a churn.</param>
    public static string Live(RunSpec spec)
    {
        var lifetime = spec.Churn?.Lifetime ?? TimeSpan.Zero;
        if (spec.Workload is [{ Workload: WorkloadSpec.Churn { Life.Spread: LifetimeSpread.Fixed } }])
            return $"live {DurationText.Format(lifetime)} each";
        var causes = spec.Workload.Select(w => Cause(w.Workload)).Where(c => c.Length > 0).ToList();
        var why = causes.Count == 0 ? "" : $" ({string.Join("; ", causes)})";
        return $"live {Rounded(lifetime)} on average{why}";
    }

    /// <summary>What makes connections of a run end less often, or leave less behind, the cheapest first.</summary>
    public static IEnumerable<string> Remedies(RunSpec spec)
    {
        var ending = spec.Workload.Select(w => w.Workload).Where(w => w is WorkloadSpec.Churn { Life: not null } or { Requests.PerConnection: > 0 }).ToList();
        // What requests end is ended by FIN.
        if (ending.Count > 0 && ending.TrueForAll(w => w is WorkloadSpec.Churn))
            yield return "--close rst";
        if (ending.Exists(w => w is WorkloadSpec.Churn))
            yield return "a longer --lifetime";
        if (ending.Exists(w => w.Requests is not null))
            yield return "more --requests-per-connection";
        if (ending.Exists(w => w.Requests is { Load: LoadSpec.Open }))
            yield return "fewer --requests-per-second";
        if (ending.Exists(w => w.Requests is { Load: LoadSpec.Heartbeat }))
            yield return "a longer --heartbeat";
    }

    private static string Cause(WorkloadSpec workload) => workload.Requests switch
    {
        { PerConnection: > 0 and var most, Load: LoadSpec.Open open } => $"{RateText.Format(open.RequestsPerSecond)} of requests, {most:N0} a connection, end {RateText.Format(Math.Round(open.RequestsPerSecond / most, 1))}",
        { PerConnection: > 0 and var most, Load: LoadSpec.Heartbeat beat } => $"a request every {DurationText.Format(beat.Every)}, {most:N0} a connection",
        _ => "",
    };

    // Computed times come with fractions that nobody wants to read.
    private static string Rounded(TimeSpan time)
    {
        var step = time >= TimeSpan.FromSeconds(10) ? TimeSpan.TicksPerSecond / 10 : time >= TimeSpan.FromMilliseconds(10) ? TimeSpan.TicksPerMillisecond : 1;
        return DurationText.Format(TimeSpan.FromTicks((time.Ticks + (step / 2)) / step * step));
    }
}
