using CsCheck;
using HdrHistogram;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Workloads;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Workloads;

/// <summary>
/// A target that stands still, as wrk2 counts it. A request that is due x after the stall began is answered when what is left of the stall is
/// over, and the backlog before it is worked off: of a stall of length S, with a target that is busy for a part r of the time otherwise, its
/// latency is S - x (1 - r), until that is nothing. So of all n requests of a run of length T the part (S - L) / ((1 - r) T) takes longer than
/// L. Time is simulated; schedule and histograms are the agent's own.
/// </summary>
public sealed class StallLatencyTests
{
    private const long Second = 1_000_000_000;
    private const long Start = 77 * Second;
    private const double PerSecond = 20_000;

    [Test]
    public void Stall_OfASecondAtTwentyThousandPerSecond_CorrectedAgreesWithArithmeticAndServiceIsNaive()
    {
        // 50 connections that each take 1 ms: 50,000 per second at most, 40 % busy.
        var run = new Run(PerSecond, 10 * Second, Connections: 50, ServiceNanos: 1_000_000, StallNanos: Second);

        var (corrected, service) = run.Simulate();

        Assert.Multiple(() =>
        {
            Assert.That(corrected.TotalCount, Is.EqualTo(200_000).Within(1));
            Assert.That(service.TotalCount, Is.EqualTo(corrected.TotalCount));
            Assert.That(Millis(corrected, 50), Is.EqualTo(1).Within(1).Percent);
            Assert.That(Millis(corrected, 90), Is.EqualTo(400).Within(1).Percent);
            Assert.That(Millis(corrected, 99), Is.EqualTo(940).Within(1).Percent);
            Assert.That(Millis(corrected, 99.9), Is.EqualTo(994).Within(1).Percent);
            Assert.That(Millis(corrected, 100), Is.EqualTo(1000).Within(1).Percent);

            // A request in flight on each connection has seen the stall, and no other.
            Assert.That(Millis(service, 99.9), Is.EqualTo(1).Within(1).Percent);
            Assert.That(Millis(service, 100), Is.EqualTo(1000).Within(1).Percent);
            Assert.That(service.RecordedValues().Where(v => v.ValueIteratedTo > 500_000).Sum(v => v.CountAddedInThisIterationStep), Is.InRange(1, 50));
        });
    }

    [Test]
    public void NoStall_BothClocksAgree()
    {
        var (corrected, service) = new Run(PerSecond, 2 * Second, Connections: 50, ServiceNanos: 1_000_000, StallNanos: 0).Simulate();

        Assert.That(new[] { 50, 99, 100 }.Select(p => Millis(corrected, p)), Has.All.EqualTo(1).Within(1).Percent);
        Assert.That(corrected.RecordedValues().Select(v => (v.ValueIteratedTo, v.TotalCountToThisValue)),
            Is.EqualTo(service.RecordedValues().Select(v => (v.ValueIteratedTo, v.TotalCountToThisValue))));
    }

    [Test]
    public void Stall_OfAnyLengthRateAndTarget_CorrectedAgreesWithArithmetic() =>
        Gen.Select(Gen.Double[500, PerSecond], Gen.Long[Second / 10, Second], Gen.Double[0.05, 0.8], Gen.Int[1, 100]).Sample(
            (rate, stall, busy, connections) =>
            {
                var run = new Run(rate, 12 * Second, connections, (long)(connections * busy / rate * Second), stall);
                var (corrected, _) = run.Simulate();
                return new[] { 90, 95, 98, 99, 99.5, 99.9 }.All(p => Math.Abs(Millis(corrected, p) - run.ExpectedMillis(p)) <= run.ToleranceMillis);
            },
            iter: 40);

    private static double Millis(HistogramBase histogram, double percentile) => histogram.GetValueAtPercentile(percentile) / 1000.0;

    /// <summary>A run against a target that stands still a while after a quarter of it.</summary>
    private sealed record Run(double PerSecond, long Nanos, int Connections, long ServiceNanos, long StallNanos)
    {
        private readonly long _stallFrom = Start + (Nanos / 4);

        /// <summary>Answers come in bursts after the stall, one of each connection; a due instant is a whole one.</summary>
        public double ToleranceMillis => 1 + (2 * ((ServiceNanos / 1e6) + (1000 / PerSecond)));

        private double Busy => PerSecond * ServiceNanos / Second / Connections;

        public double ExpectedMillis(double percentile) =>
            (Math.Max(0, StallNanos - ((1 - (percentile / 100)) * Nanos * (1 - Busy))) + ServiceNanos) / 1e6;

        /// <summary>As the workload does it: what is due waits, oldest first, for a connection that is free.</summary>
        public (HistogramBase Corrected, HistogramBase Service) Simulate()
        {
            var schedule = new OpenSchedule(Start, PerSecond);
            var latencies = new Latencies();
            var answers = new PriorityQueue<(long Intended, long Sent), long>();
            var end = Start + Nanos;
            while (true)
            {
                var answered = answers.TryPeek(out _, out var at) ? at : long.MaxValue;
                var due = schedule.NextNanos < end ? schedule.NextNanos : long.MaxValue;
                var now = Math.Min(answered, due);
                if (now == long.MaxValue)
                    break;
                if (now == answered)
                {
                    var (intended, sent) = answers.Dequeue();
                    latencies[HistogramKind.Request].Record((now - intended) / 1000);
                    latencies[HistogramKind.RequestService].Record((now - sent) / 1000);
                }
                else
                {
                    schedule.Advance(now);
                }

                if (answers.Count < Connections && schedule.Waiting > 0)
                    answers.Enqueue((schedule.Take(), now), AnswerOf(now));
            }

            return (Sum(latencies, HistogramKind.Request), Sum(latencies, HistogramKind.RequestService));
        }

        // Who stands still goes on where it was: a request that came before has the whole stall in it, one that comes meanwhile what is left.
        private long AnswerOf(long sent)
        {
            var stallTo = _stallFrom + StallNanos;
            if (sent + ServiceNanos <= _stallFrom || sent >= stallTo)
                return sent + ServiceNanos;
            return sent < _stallFrom ? sent + ServiceNanos + StallNanos : stallTo + ServiceNanos;
        }

        private static LongHistogram Sum(Latencies latencies, HistogramKind kind)
        {
            var sum = HistogramLayout.Create();
            latencies[kind].AddTo(sum);
            return sum;
        }
    }
}
