using CsCheck;
using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Runs;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Aggregation.Samples;

namespace LoadHarness.Coordinator.Tests.Aggregation;

/// <summary>
/// Five numbers of connects and of requests, which add up: scheduled = offered + not offered + waiting, and offered = completed + failed + under way.
/// </summary>
public class RatesTests
{
    private const int Seconds = 12;

    // What an agent does in a second: of what is due some is given up and some waits; of what is under way some is answered, well or not.
    private static readonly Gen<(long Due, double Sent, double Late, double Done, double Bad)> _steps =
        Gen.Select(Gen.Long[0, 10_000], Gen.Double[0, 1], Gen.Double[0, 1], Gen.Double[0, 1], Gen.Double[0, 1]);

    private static readonly Gen<AgentSample[]> _samples = Gen.Select(_steps.Array[Seconds].Array[1, 3], Gen.Int[0, 1_000_000]).Select((agents, seed) =>
    {
        var all = agents.SelectMany((steps, a) => Samples($"a{a}", steps)).ToList();
        // In any order, and some twice.
        var random = new Random(seed);
        all.AddRange(all.Where(_ => random.Next(4) == 0).ToList());
        var shuffled = all.ToArray();
        random.Shuffle(shuffled);
        return shuffled;
    });

    [Test]
    public void Totals_AnySamples_AddUpWithWhatWaitsAndIsUnderWay() => _samples.Sample(
        samples =>
        {
            var timeline = TimelineOf(samples);
            var (totals, gauges) = (timeline.Totals, timeline.At(Seconds - 1).Gauges);
            return totals.Scheduled == totals.Offered + totals.NotOffered
                && totals.Offered == totals.Opened + totals.Failed + gauges.Connecting + gauges.Handshaking
                && totals.RequestsScheduled == totals.RequestsOffered + totals.RequestsNotOffered + gauges.RequestsWaiting
                && totals.RequestsOffered == totals.RequestsCompleted + totals.RequestsFailed + gauges.RequestsInFlight;
        },
        iter: 200);

    [Test]
    public void Seconds_AnySamples_AddUpFromOneToTheNext() => _samples.Sample(
        samples =>
        {
            var timeline = TimelineOf(samples);
            var before = GaugeValues.Zero;
            return Enumerable.Range(0, Seconds).All(second =>
            {
                var (c, now, last) = (timeline.At(second).Counters, timeline.At(second).Gauges, before);
                before = now;
                return c.RequestsScheduled == c.RequestsOffered + c.RequestsNotOffered + now.RequestsWaiting - last.RequestsWaiting
                    && c.RequestsOffered == c.RequestsCompleted + c.RequestsFailed + now.RequestsInFlight - last.RequestsInFlight
                    && c.Scheduled == c.Offered + c.NotOffered
                    && c.Offered == c.Opened + c.Failed + now.Connecting + now.Handshaking - last.Connecting - last.Handshaking;
            });
        },
        iter: 200);

    [Test]
    public void Build_AnySamples_SummaryAndProgressHaveTheSameFive() => _samples.Sample(
        samples =>
        {
            var timeline = TimelineOf(samples);
            var summary = SummaryBuilder.Build(SummaryFixture.Input(timeline));
            var newest = timeline.At(Seconds - 1);
            var progress = ProgressBuilder.Build(timeline, newest, PlanOf(), [], (new Timeline(TimeSpan.FromHours(1)), []));
            var (t, c) = (timeline.Totals, newest.Counters);
            if (t.RequestsScheduled == 0 && t.RequestsOffered == 0)
                return summary.Requests is null;
            var r = summary.Requests!;
            return (r.Scheduled, r.Offered, r.Completed, r.Failed, r.NotOffered) == (t.RequestsScheduled, t.RequestsOffered, t.RequestsCompleted, t.RequestsFailed, t.RequestsNotOffered)
                && Near(summary.Rates.Scheduled, summary.Rates.Offered + summary.Rates.NotOffered)
                && Near(r.PerSecond.Scheduled * 40, t.RequestsScheduled) && Near(r.PerSecond.NotOffered * 40, t.RequestsNotOffered)
                && (progress.Connects.Scheduled, progress.Connects.Offered, progress.Connects.Completed, progress.Connects.Failed, progress.Connects.NotOffered)
                    == (c.Scheduled, c.Offered, c.Opened, c.Failed, c.NotOffered)
                && progress.Requests is { } p
                && (p.Scheduled, p.Offered, p.Completed, p.Failed, p.NotOffered) == (c.RequestsScheduled, c.RequestsOffered, c.RequestsCompleted, c.RequestsFailed, c.RequestsNotOffered)
                && (p.InFlight, p.Waiting) == (newest.Gauges.RequestsInFlight, newest.Gauges.RequestsWaiting);
        },
        iter: 100);

    // Rates are rounded in a summary.
    private static bool Near(double a, double b) => Math.Abs(a - b) <= 0.5 + (1e-3 * Math.Abs(b));

    private static Coordinator.Planning.RunPlan PlanOf()
    {
        var spec = Planning.PlannerFixture.Spec(10);
        return Planning.PlannerFixture.Planned(spec, [Planning.PlannerFixture.Agent("a0")], Planning.PlannerFixture.Sources(("ns1", "10.0.0.1")));
    }

    private static Timeline TimelineOf(AgentSample[] samples)
    {
        var timeline = new Timeline(TimeSpan.FromHours(1));
        foreach (var agent in samples.Select(s => s.AgentId).Distinct())
            timeline.Join(agent, TimeSpan.Zero);
        foreach (var sample in samples)
            timeline.Add(sample);
        timeline.Advance(At(Seconds));
        return timeline;
    }

    private static IEnumerable<AgentSample> Samples(string agent, (long Due, double Sent, double Late, double Done, double Bad)[] steps)
    {
        var (waiting, inFlight, connecting) = (0L, 0L, 0L);
        foreach (var (second, step) in steps.Index())
        {
            var due = waiting + step.Due;
            var sent = (long)(due * step.Sent);
            var late = (long)((due - sent) * step.Late);
            waiting = due - sent - late;
            var ended = (long)((inFlight + sent) * step.Done);
            var bad = (long)(ended * step.Bad);
            inFlight += sent - ended;
            var opened = (long)((connecting + sent) * step.Done);
            connecting += sent - opened;
            yield return Of(agent, (ulong)second + 1, second, second + 1) with
            {
                Gauges = new() { RequestsWaiting = waiting, RequestsInFlight = inFlight, Connecting = connecting / 2, Handshaking = connecting - (connecting / 2) },
                Counters = new()
                {
                    Scheduled = sent + late,
                    Offered = sent,
                    NotOffered = late,
                    Opened = opened - (long)(opened * step.Bad),
                    Failed = (long)(opened * step.Bad),
                    RequestsScheduled = step.Due,
                    RequestsOffered = sent,
                    RequestsNotOffered = late,
                    RequestsCompleted = ended - bad,
                    RequestsFailed = bad,
                },
            };
        }
    }
}
