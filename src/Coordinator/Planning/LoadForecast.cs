using System.Collections.Immutable;
using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Specs;

namespace LoadHarness.Coordinator.Planning;

/// <summary>
/// What requests may come to, as far as arithmetic knows it beforehand. How long the target takes is not known; what it would have to keep to is.
/// </summary>
public static class LoadForecast
{
    /// <summary>
    /// CPU time of one request of plain HTTP in an agent, in seconds: 4.6 us, measured against a target on loopback; see docs/design/workloads.md. TLS
    /// and large bodies take more.
    /// </summary>
    public const double RequestCpuSeconds = 5e-6;

    // Between two hosts of one rack an answer takes about as long, whatever the target does for it.
    private static readonly TimeSpan _shortestRoundTrip = TimeSpan.FromMicroseconds(100);

    /// <summary>Requests per second at the goal; null where they follow the target's answers, or none are sent.</summary>
    public static double? RequestsPerSecond(RunSpec spec)
    {
        var known = spec.Workload.Select(w => w.Workload.Requests?.Load switch
        {
            LoadSpec.Open open => open.RequestsPerSecond,
            LoadSpec.Heartbeat beat => ConnectionsOf(spec, w) / beat.Every.TotalSeconds,
            LoadSpec.Closed => double.NaN,
            _ => (double?)null,
        }).Where(r => r is not null).ToList();
        return known.Count > 0 && known.Sum() is { } sum && double.IsFinite(sum) ? sum : null;
    }

    /// <summary>How long an open model leaves each request and its answer on average, at the goal; null for other models.</summary>
    public static TimeSpan? TimeEach(RunSpec spec)
    {
        foreach (var share in spec.Workload)
        {
            if (share.Workload.Requests?.Load is LoadSpec.Open open)
                return TimeSpan.FromSeconds(Math.Min(ConnectionsOf(spec, share) / open.RequestsPerSecond, DurationText.Longest.TotalSeconds));
        }

        return null;
    }

    /// <summary>Connections of one kind at the goal.</summary>
    public static double ConnectionsOf(RunSpec spec, WorkloadShare share) =>
        (double)spec.Connections * share.Weight / spec.Workload.Sum(w => (long)w.Weight);

    /// <summary>What may not turn out as it is meant: whole sentences without a full stop.</summary>
    /// <param name="spec">With the goal as it was planned.</param>
    /// <param name="agents">Those that share the load.</param>
    /// <param name="tuples">All that there are for the run.</param>
    /// <param name="opening">How fast connections are opened.</param>
    internal static IEnumerable<string> Warnings(RunSpec spec, ImmutableArray<AgentResources> agents, long tuples, Opening opening)
    {
        if (TimeEach(spec) is { } each && each < _shortestRoundTrip)
        {
            yield return $"the open model leaves each request {each.TotalMicroseconds:0.#} us until its answer is there, since a connection carries one at a "
                + "time: requests will wait with their clocks running. Give more connections, or fewer --requests-per-second";
        }

        var cores = agents.Sum(a => (long)a.Cores);
        if (RequestsPerSecond(spec) is { } rate && rate * RequestCpuSeconds > cores)
        {
            yield return $"{RateText.Format(rate)} of requests take {rate * RequestCpuSeconds:N1} cores (about 5 CPU s per million, an estimate), and the agents "
                + $"have {cores:N0}: they will be the limit, and say so. Add agents on other hosts, or send fewer";
        }

        if (!spec.EndsAreUnforeseen)
            yield break;
        var resting = spec.Rest > TimeSpan.Zero ? ChurnArithmetic.Resting(Math.Min(opening.ConnectsPerSecond, 1e12), spec.Rest) : 0;
        if (resting > 0 && spec.Connections + resting > tuples)
        {
            yield return $"how often connections end is not known beforehand. At the most that the run opens, {RateText.Format(Math.Round(opening.ConnectsPerSecond, 1))}, "
                + $"{spec.Connections:N0} connections and {RateText.Format(Math.Round(opening.ConnectsPerSecond, 1))} x {DurationText.Format(spec.Rest)} = {resting:N0} tuples that rest are "
                + $"{spec.Connections + resting:N0}, and there are {tuples:N0}: beyond {RateText.Format(Math.Floor(10 * Math.Max(0, tuples - spec.Connections) / spec.Rest.TotalSeconds) / 10)} "
                + "of ends connections will be missing. Give --reuse immediate, more --requests-per-connection, or more target ports or sources";
        }
    }
}
