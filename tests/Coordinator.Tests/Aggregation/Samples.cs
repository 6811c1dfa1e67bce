using System.Collections.Immutable;
using CsCheck;
using HdrHistogram;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;
using KernelReading = LoadHarness.Coordinator.Aggregation.KernelReading;

namespace LoadHarness.Coordinator.Tests.Aggregation;

/// <summary>Samples, timelines and readings for aggregation tests.</summary>
internal static class Samples
{
    public static AgentSample Of(
        string agent, ulong sequence, double from, double to, long established = 0, CounterValues? counters = null) => new()
        {
            AgentId = agent,
            Incarnation = "life-1",
            NetworkNamespace = "ns1",
            Sequence = sequence,
            From = At(from),
            To = At(to),
            Gauges = new GaugeValues { Established = established },
            Counters = counters ?? CounterValues.Zero,
            Health = new HealthValues { Cpu = At(0.1), RssBytes = 1000, Reactors = 2 },
        };

    public static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    /// <summary>A steady run: each agent opens its share in the given seconds and holds it until the end.</summary>
    public static Timeline Steady(int agents, long share, int rampSeconds, int seconds)
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        for (var a = 0; a < agents; a++)
        {
            timeline.Join($"a{a}", TimeSpan.Zero);
            for (var second = 0; second < seconds; second++)
            {
                var opened = second < rampSeconds ? share / rampSeconds : 0;
                var established = Math.Min(share, (second + 1) * share / rampSeconds);
                var counters = new CounterValues { Scheduled = opened, Offered = opened, Opened = opened };
                timeline.Add(Of($"a{a}", (ulong)second + 1, second, second + 1, established, counters));
            }
        }

        timeline.Advance(At(seconds));
        return timeline;
    }

    public static KernelReading Reading(double takenAt, long established, long timeWait = 0, double wall = 0) => new()
    {
        TakenAt = At(takenAt),
        Wall = At(wall),
        States = ImmutableDictionary<TcpState, long>.Empty.Add(TcpState.Established, established).Add(TcpState.TimeWait, timeWait),
    };

    public static LongHistogram Histogram(params IEnumerable<long> micros)
    {
        var histogram = HistogramLayout.Create();
        foreach (var value in micros)
            histogram.RecordValue(HistogramLayout.Clamp(value));
        return histogram;
    }

    public static ImmutableDictionary<HistogramKind, HistogramBase> Connects(HistogramBase histogram) =>
        ImmutableDictionary<HistogramKind, HistogramBase>.Empty.Add(HistogramKind.Connect, histogram);

    public static IpAddress Address(string text) =>
        AddressText.TryParse(text, out var address) ? address : throw new ArgumentException(text, nameof(text));

    /// <summary>The samples of a few agents over some seconds, some merged over several seconds, some agents in two lives.</summary>
    public static Gen<AgentSample[]> Any { get; } =
        Gen.Select(Gen.Int[1, 4], Gen.Long[0, 1000], Gen.Long[0, 50]).Array[1, 10].Array[1, 4].Select(agents =>
            agents.SelectMany((pieces, a) => pieces.Select((piece, i) =>
            {
                var from = pieces.Take(i).Sum(p => p.Item1);
                var sample = Of($"a{a}", (ulong)i + 1, from, from + piece.Item1 - (i % 3 == 2 ? 0.5 : 0), piece.Item2, new CounterValues
                {
                    Opened = piece.Item3,
                    Failed = piece.Item3 / 2,
                    Closed = piece.Item3 / 3,
                });
                return sample with
                {
                    Incarnation = i % 2 == 0 ? "life-1" : "life-2",
                    Failures = [new(FailureStage.Connect, FailureParty.Target, FailureCause.Refused, 111, piece.Item3 / 2)],
                    Histograms = Connects(Histogram(piece.Item2, piece.Item3)),
                };
            })).ToArray());
}
