using System.Collections.Immutable;
using HdrHistogram;
using LoadHarness.Protos;
using LoadHarness.V1;
using Destination = LoadHarness.Protos.Destination;

namespace LoadHarness.Coordinator.Aggregation;

/// <summary>Makes the summary of a run out of its timeline. The verdict is not part of it yet.</summary>
public static class SummaryBuilder
{
    /// <summary>Completes the timeline and sums it up.</summary>
    public static RunSummary Build(SummaryInput input)
    {
        var timeline = input.Timeline;
        timeline.Close(input.Duration);
        var storms = StormReader.Read(input.Storms, timeline.Complete(), DrainStart(input));
        var closes = PeerCloseReader.Read(timeline.Histogram(HistogramKind.PeerCloseAge), timeline.Complete());
        var result = ResultReader.Read(input, storms);
        var kernel = KernelReader.Read(input, result);
        var backends = BackendReader.Read(input);
        return new RunSummary
        {
            Run = Run(input),
            Target = new TargetFacts([.. input.Destinations.Select(Text), .. input.UnresolvedTargets], input.Goal),
            Result = result,
            Kernel = kernel,
            Failures = Failures(timeline),
            Latency = new LatencyFacts(
                Latency(timeline.Histogram(HistogramKind.Connect)),
                Latency(timeline.Histogram(HistogramKind.TlsHandshake)),
                Latency(timeline.Histogram(HistogramKind.Request)),
                Latency(timeline.Histogram(HistogramKind.RequestService)),
                Latency(timeline.Histogram(HistogramKind.TimeToFirstByte))),
            Rates = Rates(input, c => (c.Scheduled, c.Offered, c.Opened, c.Failed, c.NotOffered)),
            Requests = Requests(input),
            Storms = storms,
            TargetCloses = closes,
            Drain = Drain(input),
            Agents = [.. input.Agents.Select(a => Agent(a, timeline.Agent(a.Id)))],
            Backends = backends,
            Limits = LimitReader.Read(input, result),
            Gaps = [.. timeline.Gaps().Select(g => new GapFacts(g.AgentId, g.From, g.To))],
            Events = [.. input.Events.Select(e => new EventFacts(Rounded(e.Elapsed.TotalSeconds), e.Kind, e.AgentId, e.Message))],
            Notes = [.. SummaryNotes.Of(input, result, storms, closes), .. BackendReader.Notes(input, backends), .. input.Notes],
        };
    }

    /// <summary>When the drain began; the end of the run when there was none.</summary>
    internal static TimeSpan DrainStart(SummaryInput input) =>
        input.Stages.FirstOrDefault(s => s.Name == StageSpan.Drain)?.Start ?? input.Duration;

    private static RunFacts Run(SummaryInput input) => new()
    {
        Id = input.RunId,
        Name = input.Name,
        State = input.GoesOnAs ?? input.Ending switch
        {
            RunEnding.Completed => "completed",
            RunEnding.Stopped => "stopped",
            RunEnding.Interrupted => "interrupted",
            _ => "failed",
        },
        Reason = input.Reason,
        StartedAt = input.StartedAt,
        DurationSeconds = Rounded(input.Duration.TotalSeconds),
        Stages = [.. input.Stages.Select(s => new StageFacts(s.Name, s.From, s.To, Rounded(s.Duration.TotalSeconds)))],
    };

    private static string Text(Destination destination)
    {
        var address = destination.Addresses.First.IsV6 ? $"[{destination.Addresses}]" : $"{destination.Addresses}";
        return $"{address}:{destination.Ports}";
    }

    private static FailureFacts Failures(Timeline timeline)
    {
        var byReason = timeline.Failures.GroupBy(FailureNames.Of)
            .ToImmutableSortedDictionary(g => g.Key, g => g.Sum(f => f.Count), StringComparer.Ordinal);
        return new FailureFacts(byReason.Values.Sum(), byReason)
        {
            Details =
            [
                .. from failure in timeline.Failures
                   let words = FailureNames.WordsOf(failure)
                   where words is not null
                   select new FailureDetail(FailureNames.Of(failure), failure.Errno, words, failure.Count),
            ],
        };
    }

    private static LatencyValues? Latency(HistogramBase? histogram)
    {
        if (histogram is null || histogram.TotalCount == 0)
            return null;
        return new LatencyValues(
            histogram.TotalCount,
            Rounded(histogram.GetMean() / 1000),
            At(50), At(90), At(99), At(99.9),
            histogram.GetMaxValue() / 1000.0);

        double At(double percentile) => histogram.GetValueAtPercentile(percentile) / 1000.0;
    }

    private static RequestFacts? Requests(SummaryInput input)
    {
        var totals = input.Timeline.Totals;
        return totals is { RequestsScheduled: 0, RequestsOffered: 0 }
            ? null
            : new(
                totals.RequestsScheduled, totals.RequestsOffered, totals.RequestsCompleted, totals.RequestsFailed, totals.RequestsNotOffered,
                Rates(input, c => (c.RequestsScheduled, c.RequestsOffered, c.RequestsCompleted, c.RequestsFailed, c.RequestsNotOffered)));
    }

    private static RateFacts Rates(
        SummaryInput input, Func<CounterValues, (long Scheduled, long Offered, long Completed, long Failed, long NotOffered)> which)
    {
        var seconds = DrainStart(input).TotalSeconds;
        var sum = which(input.Timeline.Complete().TakeWhile(s => s.Second < seconds).Aggregate(CounterValues.Zero, (a, s) => a + s.Counters));
        return new RateFacts(Per(sum.Scheduled), Per(sum.Offered), Per(sum.Completed), Per(sum.Failed), Per(sum.NotOffered));

        double Per(long count) => seconds > 0 ? Rounded(count / seconds) : 0;
    }

    private static AgentFacts Agent(SummaryAgent agent, AgentTotals? totals) => new(
        agent.Id, agent.Host, agent.NetworkNamespace, agent.Assigned,
        totals?.PeakEstablished ?? 0, Rounded(totals?.Cpu.TotalSeconds ?? 0), totals?.MaxRssBytes ?? 0, agent.Lost,
        Base(totals), PerConnection(totals));

    /// <summary>Null when the agent did not say.</summary>
    internal static long? Base(AgentTotals? totals) => totals?.BaseRssBytes is > 0 and var known ? known : null;

    /// <summary>To a tenth of a byte.</summary>
    internal static double? PerConnection(AgentTotals? totals) =>
        totals?.BytesPerConnection is { } bytes ? Math.Round(bytes, 1) : null;

    private static DrainFacts Drain(SummaryInput input)
    {
        var start = DrainStart(input);
        var sum = input.Timeline.Complete().SkipWhile(s => s.Second < Math.Floor(start.TotalSeconds))
            .Aggregate(CounterValues.Zero, (a, s) => a + s.Counters);
        return new DrainFacts(sum.Aborted, Rounded(sum.DrainPausedMillis / 1000.0), input.Timeline.Kernel.PeakOrphans(start));
    }

    /// <summary>To the microsecond, or a thousandth of a millisecond: more digits mean nothing.</summary>
    internal static double Rounded(double value) => Math.Round(value, 3);
}
