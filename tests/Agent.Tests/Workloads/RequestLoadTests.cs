using HdrHistogram;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using static LoadHarness.Agent.Tests.Workloads.RequestFixture;
using RequestLoad = LoadHarness.Agent.Workloads.RequestLoad;

namespace LoadHarness.Agent.Tests.Workloads;

/// <summary>When a connection sends its next request.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class RequestLoadTests
{
    [Test]
    public void Closed_WithoutThinking_AnswersComeOneAfterTheOther()
    {
        using var target = Answering(_ => ScriptedAnswer.Ok);
        using var reactor = Start(target, 5, Get(AtOnce));

        var counters = reactor.WaitFor(c => c.RequestsCompleted > 200, "200 answers");

        Assert.Multiple(() =>
        {
            Assert.That(counters.RequestsOffered, Is.EqualTo(counters.RequestsCompleted + counters.RequestsInFlight));
            Assert.That(counters.RequestsScheduled, Is.EqualTo(counters.RequestsOffered));
            Assert.That(counters.RequestsFailed + counters.RequestsNotOffered, Is.Zero);
            Assert.That(counters.Established, Is.EqualTo(5));
            Assert.That(target.Requests.Select(r => r.Text).Distinct(), Is.EqualTo(new[] { "GET /x HTTP/1.1\r\nHost: example\r\n\r\n" }));
        });
    }

    [Test]
    public void Closed_WithAThinkTime_WaitsAfterEachAnswer()
    {
        using var target = Answering(_ => ScriptedAnswer.Ok);
        using var reactor = Start(target, 3, Get(new RequestLoad.Closed(TimeSpan.FromMilliseconds(100))));

        reactor.WaitFor(c => c.RequestsCompleted >= 15, "five answers on each connection");

        foreach (var connection in target.Requests.GroupBy(r => r.Connection))
        {
            var gaps = connection.Zip(connection.Skip(1), (a, b) => (b.At - a.At).TotalMilliseconds);
            Assert.That(gaps, Has.All.GreaterThan(99));
        }
    }

    [Test]
    public void Open_ATargetThatStalls_BothClocksSayWhatArithmeticSays()
    {
        const int rate = 1000;
        var stall = TimeSpan.FromSeconds(1);
        var stalls = new TaskCompletionSource<DateTime>();
        using var target = Answering(r => new(ScriptedAnswer.Ok.Text) { After = After(r) });
        using var reactor = Start(target, 10, Get(new RequestLoad.Open()), rate);
        reactor.WaitFor(c => c.RequestsCompleted > 500, "half a second of answers");
        reactor.Latencies.Clear();
        stalls.SetResult(DateTime.UtcNow + stall);

        var counters = reactor.WaitFor(c => c.RequestsCompleted > 3000, "three seconds of answers");

        TimeSpan After(ScriptedRequest request) =>
            stalls.Task.IsCompleted && stalls.Task.Result > request.At ? stalls.Task.Result - request.At : TimeSpan.Zero;

        // Ten requests saw the stall; those that were due in it waited for what was left of it. This machine may have made it longer.
        var seen = TimeSpan.FromMicroseconds(reactor.Latencies[HistogramKind.RequestService].GetMaxValue());
        Assert.Multiple(() =>
        {
            Assert.That(seen, Is.GreaterThan(stall * 0.9));
            Assert.That(counters.RequestsNotOffered, Is.Zero);
            // More where the machine, which is the target too, stood still once more.
            Assert.That(reactor.CountAbove(HistogramKind.Request, seen / 2), Is.InRange(0.8 * rate * seen.TotalSeconds / 2, 1.5 * rate * seen.TotalSeconds / 2));
            Assert.That(reactor.CountAbove(HistogramKind.Request, seen / 10), Is.InRange(0.8 * rate * seen.TotalSeconds * 0.9, 1.5 * rate * seen.TotalSeconds * 0.9));
            Assert.That(reactor.CountAbove(HistogramKind.RequestService, seen / 2), Is.EqualTo(10).Within(3));
        });
    }

    [Test]
    public void Heartbeats_EachConnectionInItsPeriod_SpreadEvenly()
    {
        var every = TimeSpan.FromSeconds(2);
        using var target = Answering(_ => ScriptedAnswer.Ok);
        using var reactor = Start(target, 200, Get(new RequestLoad.Heartbeat(every)));

        var counters = reactor.WaitFor(c => c.RequestsCompleted > 800, "eight seconds of heartbeats");

        var requests = target.Requests;
        Assert.Multiple(() =>
        {
            Assert.That(counters.RequestsFailed + counters.RequestsNotOffered, Is.Zero);
            Assert.That(requests.GroupBy(r => r.Connection).Select(c => c.Count()), Has.All.InRange(3, 6), "none missed, none too many");
            // Phases within the period: of ten parts each has its tenth.
            var parts = requests.Take(600).GroupBy(r => r.At.Ticks % every.Ticks * 10 / every.Ticks).Select(p => p.Count()).ToList();
            Assert.That(parts, Has.Count.EqualTo(10));
            Assert.That(parts, Has.All.InRange(40, 80));
        });
    }

    [Test]
    public void Heartbeats_ManyPeriods_EachComesWhenItsPeriodComesRound()
    {
        const int periods = 20;
        var every = TimeSpan.FromMilliseconds(500);
        using var target = Answering(_ => ScriptedAnswer.Ok);
        using var reactor = Start(target, 50, Get(new RequestLoad.Heartbeat(every)));

        reactor.WaitFor(c => c.RequestsCompleted > 50 * periods, "twenty periods");

        // One tick a period would add up to 70 ms at least between any of the first beats and any of the last. A machine that stands still for 3 s, be it right
        // at the beginning or at the end, holds up six of them, and those after it are due when they would have been.
        const int some = 7;
        var off = target.Requests.GroupBy(r => r.Connection).Select(c => c.Select((r, i) => r.At - (i * every)).ToList())
            .Select(c => c.Take(some).SelectMany(first => c.TakeLast(some), (first, last) => (last - first).Duration()).Min()).Order().ToList();
        Assert.That(off[off.Count / 2], Is.LessThan(every / 10));
    }
}
