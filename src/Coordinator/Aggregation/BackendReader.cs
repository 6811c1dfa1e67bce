using System.Collections.Immutable;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Reads the other side of a run, and holds it against the clients'.</summary>
internal static class BackendReader
{
    private static readonly TimeSpan _lastLook = TimeSpan.FromSeconds(1);

    /// <summary>Every backend of the run.</summary>
    public static ImmutableArray<BackendFacts> Read(SummaryInput input)
    {
        if (input.Backends is not { } timeline)
            return [];
        timeline.Timeline.Close(input.Duration);
        var drain = SummaryBuilder.DrainStart(input);
        var readings = timeline.KernelBetween(TimeSpan.Zero, drain);
        if (readings.IsEmpty)
            readings = timeline.KernelBetween(TimeSpan.Zero, drain + _lastLook);
        // One reading counts all server ends of a namespace: it belongs to one backend there, and is not counted twice.
        var read = new HashSet<string>(StringComparer.Ordinal);
        return [.. input.BackendAgents.Select(b => Facts(b, timeline, Of(b, readings, read)))];
    }

    /// <summary>What a reader should know of both sides.</summary>
    public static IEnumerable<string> Notes(SummaryInput input, ImmutableArray<BackendFacts> backends)
    {
        if (input.Backends is not { } timeline || backends.IsEmpty)
            yield break;
        var lost = backends.Where(b => b.Lost).ToList();
        if (lost.Count > 0)
        {
            yield return $"{lost.Count:N0} of {backends.Length:N0} backends were lost ({string.Join(", ", lost.Take(5).Select(b => b.Id))}): "
                + "what they held is missing on their side.";
        }

        if (LastHeldSecond(input) is not { } second || backends.Any(b => b.Established is null) || lost.Count > 0)
            yield break;
        var clients = input.Timeline.At(second).Gauges.Established;
        var accepted = backends.Sum(b => b.Established!.Value);
        var inFlight = InFlight(input.Timeline, second) + InFlight(timeline.Timeline, second);
        if (Math.Abs(clients - accepted) > inFlight)
            yield return Difference(clients, accepted, inFlight);
    }

    /// <summary>The last whole second before the drain; null when there was none.</summary>
    internal static int? LastHeldSecond(SummaryInput input)
    {
        var second = (int)Math.Floor(SummaryBuilder.DrainStart(input).TotalSeconds) - 1;
        return second >= 0 && second < input.Timeline.CompleteSeconds ? second : null;
    }

    private static BackendFacts Facts(SummaryAgent backend, BackendTimeline timeline, KernelComparison? reading)
    {
        var totals = timeline.Timeline.Agent(backend.Id);
        return new BackendFacts(
            backend.Id, backend.Host, totals?.Counters.Opened ?? 0, totals?.PeakEstablished ?? 0, timeline.HeldBy(backend.Id),
            reading?.Established, SummaryBuilder.Rounded(totals?.Cpu.TotalSeconds ?? 0), totals?.MaxRssBytes ?? 0, backend.Lost,
            SummaryBuilder.Base(totals), SummaryBuilder.PerConnection(totals));
    }

    private static KernelComparison? Of(SummaryAgent backend, ImmutableArray<KernelComparison> readings, HashSet<string> read) =>
        readings.FirstOrDefault(r => r.NetworkNamespace == backend.NetworkNamespace && read.Add(r.NetworkNamespace));

    // Both sides are read up to a second apart, and what was on its way is on one of them only.
    private static long InFlight(Timeline timeline, int second)
    {
        var gauges = timeline.At(second).Gauges;
        return gauges.Connecting + gauges.Handshaking + gauges.Closing
            + Enumerable.Range(Math.Max(0, second - 1), 3).Where(s => s < timeline.Seconds && s <= second).Sum(s => timeline.At(s).Counters.Churn);
    }

    private static string Difference(long clients, long backends, long inFlight)
    {
        var came = inFlight == 0 ? "none came or went meanwhile" : $"only {inFlight:N0} came or went meanwhile";
        return clients > backends
            ? $"The clients held {clients:N0} connections and the backends {backends:N0} ({came}): the other {clients - backends:N0} end in "
                + "between, where a proxy keeps them at a limit of its own (HAProxy: maxconn), or they wait to be accepted."
            : $"The backends held {backends:N0} connections and the clients {clients:N0} ({came}): the other {backends - clients:N0} were "
                + "opened by what lies in between (a proxy's checks or its pool), or by somebody else.";
    }
}
