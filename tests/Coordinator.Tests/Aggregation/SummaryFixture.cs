using LoadHarness.Coordinator.Aggregation;
using static LoadHarness.Coordinator.Tests.Aggregation.Samples;
using Destination = LoadHarness.Protos.Destination;

namespace LoadHarness.Coordinator.Tests.Aggregation;

/// <summary>Summaries of runs with two agents: 10 s ramp to 10,000, hold to second 40, drain to second 42.</summary>
internal static class SummaryFixture
{
    public const long Goal = 10_000;

    public static SummaryInput Input(Timeline timeline) => new()
    {
        RunId = "r1",
        Ending = RunEnding.Completed,
        StartedAt = new DateTimeOffset(2030, 1, 2, 3, 4, 5, TimeSpan.Zero),
        Duration = At(42),
        Stages =
        [
            new(StageSpan.Ramp, 0, Goal, At(0), At(10)), new(StageSpan.Hold, Goal, Goal, At(10), At(30)),
            new(StageSpan.Drain, Goal, 0, At(40), At(2)),
        ],
        Destinations =
        [
            new Destination(new(Address("10.0.0.5"), 1), new(443, 443), "t"), new Destination(new(Address("::1"), 1), new(80, 89), "t"),
        ],
        Goal = Goal,
        Agents = [new("a0", "h", "ns1", 5000, false, 1000), new("a1", "h", "ns1", 5000, false, 1000)],
        Timeline = timeline,
    };

    /// <summary>With one backend that holds so many from the ramp's end to the drain.</summary>
    public static SummaryInput WithBackend(long held, bool lost = false)
    {
        var backends = new BackendTimeline(TimeSpan.FromHours(1));
        for (var second = 0; second < 40; second++)
        {
            var established = Math.Min(held, held * (second + 1) / 10);
            backends.Add(Of("b0", (ulong)second + 1, second, second + 1, established) with
            {
                NetworkNamespace = "ns9",
                Counters = new CounterValues { Opened = second < 10 ? held / 10 : 0 },
                Kernel = second == 38 ? Reading(38.5, held, 0, 0.01) : null,
            });
        }

        backends.BeginDrain(At(40));
        backends.Add(Of("b0", 99, 40, 41, 0) with { NetworkNamespace = "ns9" });
        return Input(SteadyWithKernel(Goal)) with
        {
            BackendAgents = [new("b0", "h9", "ns9", 0, lost)],
            Backends = backends,
        };
    }

    public static Timeline Steady() => Samples.Steady(2, 5000, 10, 40);

    /// <summary>A steady run whose kernel was read in the hold.</summary>
    public static Timeline SteadyWithKernel(long established, double takenAt = 38.5, long timeWait = 0)
    {
        var timeline = Steady();
        timeline.Add(Of("a0", 1000, 40, 41, 0) with { Kernel = Reading(takenAt, established, timeWait, 0.01) });
        timeline.Add(Of("a1", 1000, 40, 41, 0));
        return timeline;
    }
}
