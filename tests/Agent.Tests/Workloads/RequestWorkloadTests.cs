using HdrHistogram;
using LoadHarness.Agent.Backend;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Tests.Engine;
using LoadHarness.Agent.Workloads;
using LoadHarness.Agent.Workloads.Http;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using RequestLoad = LoadHarness.Agent.Workloads.RequestLoad;

namespace LoadHarness.Agent.Tests.Workloads;

[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RequestWorkloadTests
{
    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(30);
    private static readonly RequestLoad _atOnce = new RequestLoad.Closed(TimeSpan.Zero);

    [Test]
    public void Closed_WithoutThinking_AnswersComeOneAfterTheOther()
    {
        using var target = Answering(_ => ScriptedAnswer.Ok);
        using var reactor = Start(target, 5, Http(_atOnce));

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
        using var reactor = Start(target, 3, Http(new RequestLoad.Closed(TimeSpan.FromMilliseconds(100))));

        reactor.WaitFor(c => c.RequestsCompleted >= 15, "five answers on each connection");

        foreach (var connection in target.Requests.GroupBy(r => r.Connection))
        {
            var gaps = connection.Zip(connection.Skip(1), (a, b) => (b.At - a.At).TotalMilliseconds);
            Assert.That(gaps, Has.All.GreaterThan(99));
        }
    }

    [Test]
    public void RequestsPerConnection_AfterTheLast_TheConnectionIsClosedAndReplaced()
    {
        using var target = Answering(_ => ScriptedAnswer.Ok);
        using var reactor = Start(target, 2, Http(_atOnce, perConnection: 3));

        var counters = reactor.WaitFor(c => c.Closed >= 10, "ten ends");

        Assert.That(target.Requests.Max(r => r.Number), Is.EqualTo(2));
        Assert.That(counters.ClosedByPeer + counters.RequestsFailed, Is.Zero);
    }

    [TestCase("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", true)]
    [TestCase("HTTP/1.1 200 OK\r\n\r\nup to the end", true)]
    [TestCase("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", false)]
    public void Answer_ThatEndsTheConnection_IsCompletedAndNoFailure(string text, bool closes)
    {
        using var target = Answering(_ => new ScriptedAnswer(text) { Closes = closes });
        using var reactor = Start(target, 2, Http(_atOnce));

        var counters = reactor.WaitFor(c => c.RequestsCompleted >= 10, "ten answers");

        Assert.That((counters.RequestsFailed, counters.ClosedByPeer, reactor.Failures.Count), Is.EqualTo((0, 0, 0)));
    }

    private static readonly TestCaseData[] _badAnswers =
    [
        Bad("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", FailureStage.Response, FailureCause.UnexpectedStatus, 503).SetName("{m}(status)"),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", FailureStage.Response, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.Truncated)).SetName("{m}(truncated)"),
        Bad("", FailureStage.Response, FailureCause.Closed, 0).SetName("{m}(nothing)"),
        Bad("HTTP/2 or what\r\n\r\n", FailureStage.Response, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.NotHttp)).SetName("{m}(no HTTP)"),
        Bad("\u0015\u0003\u0001\0\u0002", FailureStage.Response, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.TlsRecord)).SetName("{m}(TLS)"),
        Bad("HTTP/1.1 200 OK\r\nX: " + new string('x', 10_000_000), FailureStage.Response, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.TooLong)).SetName("{m}(10 MB of header)"),
        Bad(string.Concat(Enumerable.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100_000)), FailureStage.Response, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.TooLong)).SetName("{m}(endless 1xx)"),
        Bad("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx", FailureStage.Response, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.ContentLength)).SetName("{m}(two lengths)"),
    ];

    [TestCaseSource(nameof(_badAnswers))]
    public void Answer_ThatIsNotWhatWasWanted_FailsByNameAndIsNotInTheLatencies(string text, FailureStage stage, FailureCause cause, int code)
    {
        using var target = Answering(_ => new ScriptedAnswer(text) { Closes = cause != FailureCause.UnexpectedStatus });
        using var reactor = Start(target, 2, Http(_atOnce));

        var counters = reactor.WaitFor(c => c.RequestsFailed >= 4 && c.RequestsInFlight <= 2, "four failures");

        Assert.Multiple(() =>
        {
            Assert.That(counters.RequestsCompleted, Is.Zero);
            Assert.That(counters.RequestsOffered, Is.EqualTo(counters.RequestsFailed + counters.RequestsInFlight));
            Assert.That(reactor.FailuresOf(stage, cause, code), Is.EqualTo(counters.RequestsFailed), reactor.DescribeFailures());
            Assert.That(reactor.Latencies.Keys, Has.No.Member(HistogramKind.Request));
        });
    }

    [Test]
    public void Answer_WithTheFinRightBehindIt_NothingMoreIsSent()
    {
        using var target = Answering(_ => ScriptedAnswer.Ok with { Closes = true });
        using var reactor = Start(target, 2, Http(new RequestLoad.Closed(TimeSpan.FromMilliseconds(200))));

        var counters = reactor.WaitFor(c => c.RequestsCompleted >= 10, "ten answers");

        Assert.That(counters.RequestsFailed, Is.Zero, reactor.DescribeFailures());
        Assert.That(reactor.FailuresOf(FailureStage.Hold, FailureCause.Closed, 0), Is.EqualTo(counters.ClosedByPeer));
    }

    [Test]
    public void Reset_InsteadOfAnAnswer_FailsAsTheTargets()
    {
        using var target = Answering(_ => new ScriptedAnswer("") { Resets = true });
        using var reactor = Start(target, 2, Http(_atOnce));

        var counters = reactor.WaitFor(c => c.RequestsFailed >= 4, "four failures");

        Assert.That(reactor.FailuresOf(FailureStage.Response, FailureCause.Reset, 104), Is.EqualTo(counters.RequestsFailed), reactor.DescribeFailures());
        Assert.That(counters.ClosedByPeer, Is.EqualTo(counters.RequestsFailed));
    }

    [Test]
    public void BytesBehindAnAnswer_EndTheConnection()
    {
        using var target = Answering(_ => new ScriptedAnswer(ScriptedAnswer.Ok.Text + "more"));
        using var reactor = Start(target, 2, Http(_atOnce));

        var counters = reactor.WaitFor(c => c.RequestsCompleted >= 4, "four answers");

        Assert.That(reactor.FailuresOf(FailureStage.Hold, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.Unasked)), Is.EqualTo(counters.Aborted));
        Assert.That(counters.Aborted, Is.GreaterThanOrEqualTo(3));
    }

    [Test]
    public void NoAnswer_WithinTheTimeout_FailsByRst()
    {
        using var target = Answering(_ => new ScriptedAnswer("") { After = TimeSpan.FromMinutes(1) });
        using var reactor = Start(target, 2, Http(_atOnce, timeout: TimeSpan.FromMilliseconds(200)));

        var counters = reactor.WaitFor(c => c.RequestsFailed >= 4, "four failures");

        Assert.That(reactor.FailuresOf(FailureStage.Response, FailureCause.Timeout, 0), Is.EqualTo(counters.RequestsFailed));
        Assert.That(counters.Aborted, Is.EqualTo(counters.RequestsFailed));
    }

    [Test]
    public void Open_ATargetThatStalls_BothClocksSayWhatArithmeticSays()
    {
        const int rate = 1000;
        var stall = TimeSpan.FromSeconds(1);
        var stalls = new TaskCompletionSource<DateTime>();
        using var target = Answering(r => new(ScriptedAnswer.Ok.Text) { After = After(r) });
        using var reactor = Start(target, 10, Http(new RequestLoad.Open()), rate);
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
            Assert.That(reactor.CountAbove(HistogramKind.Request, seen / 2), Is.EqualTo(rate * seen.TotalSeconds / 2).Within(20).Percent);
            Assert.That(reactor.CountAbove(HistogramKind.Request, seen / 10), Is.EqualTo(rate * seen.TotalSeconds * 0.9).Within(20).Percent);
            Assert.That(reactor.CountAbove(HistogramKind.RequestService, seen / 2), Is.EqualTo(10).Within(3));
        });
    }

    [Test]
    public void Heartbeats_EachConnectionInItsPeriod_SpreadEvenly()
    {
        var every = TimeSpan.FromSeconds(2);
        using var target = Answering(_ => ScriptedAnswer.Ok);
        using var reactor = Start(target, 200, Http(new RequestLoad.Heartbeat(every)));

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
    public void Drain_WaitsForAnswersThatAreUnderWay()
    {
        using var target = Answering(_ => new(ScriptedAnswer.Ok.Text) { After = TimeSpan.FromMilliseconds(500) });
        using var reactor = Start(target, 20, Http(_atOnce));
        reactor.WaitFor(c => c.RequestsInFlight == 20, "a request on each connection");

        reactor.Reactor.Post(new ConnectCommand.Drain(TimeSpan.FromSeconds(20)));
        var counters = reactor.WaitFor(c => c is { Established: 0, Closing: 0 }, "the end of the drain");

        Assert.That(counters.RequestsOffered, Is.EqualTo(counters.RequestsCompleted));
        Assert.That((counters.RequestsFailed, counters.Aborted, reactor.Failures.Count), Is.EqualTo((0, 0, 0)));
    }

    [Test]
    public void Drain_AtItsDeadline_CutsOffWhatHasNoAnswer()
    {
        using var target = Answering(_ => new("") { After = TimeSpan.FromMinutes(1) });
        using var reactor = Start(target, 20, Http(_atOnce));
        reactor.WaitFor(c => c.RequestsInFlight == 20, "a request on each connection");

        reactor.Reactor.Post(new ConnectCommand.Drain(TimeSpan.FromSeconds(1)));
        var counters = reactor.WaitFor(c => c is { Established: 0, Closing: 0 }, "the end of the drain");

        Assert.That((counters.RequestsFailed, counters.RequestsInFlight), Is.EqualTo((20, 0)));
        Assert.That(reactor.FailuresOf(FailureStage.Response, FailureCause.CutOff, 0), Is.EqualTo(20));
    }

    [Test]
    public void Mix_OfKinds_EachHasItsShareOfThoseThatLive()
    {
        using var target = Answering(_ => ScriptedAnswer.Ok);
        var churn = new WorkloadPlan.Churn(new(LifetimeSpread.Fixed, TimeSpan.FromMilliseconds(50), default), CloseMethod.Rst);
        using var reactor = ReactorFixture.Connecting(
            Target(target), 100, [new(80, new WorkloadPlan.Hold()), new(15, Http(_atOnce, perConnection: 5)), new(5, churn)]);

        var counters = reactor.WaitFor(c => c.Aborted > 100 && c.Closed - c.Aborted > 100, "many ends of both kinds");

        // The holders are never replaced: whoever ends is replaced by one of its kind.
        Assert.That(counters.ClosedByPeer, Is.Zero);
        Assert.That(counters.Established, Is.InRange(80, 100));
        Assert.That(counters.RequestsCompleted, Is.GreaterThan((counters.Closed - counters.Aborted) * 5 - 1));
    }

    [Test]
    public void Requests_Thousands_AllocateNothing()
    {
        using var target = Answering(_ => ScriptedAnswer.Ok);
        using var reactor = Start(target, 10, Http(_atOnce));
        reactor.WaitFor(c => c.RequestsCompleted > 1000, "the first thousand");
        var before = reactor.AllocatedBytes();

        reactor.WaitFor(c => c.RequestsCompleted > 4000, "three thousand more");

        Assert.That(reactor.AllocatedBytes() - before, Is.Zero);
    }

    [Test]
    public void Requests_AHundredThousand_AllocateNothing()
    {
        var address = IpAddress.From(LoopbackAddress.Next());
        using var target = new BackendServer(new BackendOptions { Listen = [(address, 7600)], Http = true, Reactors = 1 });
        target.Start();
        using var reactor = ReactorFixture.Connecting((address, 7600), 50, [new(1, Http(_atOnce))]);
        reactor.WaitFor(c => c.RequestsCompleted > 1000, "the first thousand");
        var before = reactor.AllocatedBytes();

        var counters = reactor.WaitFor(c => c.RequestsCompleted > 101_000, "a hundred thousand more");

        Assert.That((reactor.AllocatedBytes() - before, counters.RequestsFailed), Is.EqualTo((0, 0)));
    }

    [Test]
    public void NoAnswer_AfterMany_FailsATimeoutAfterItsRequestAndNotAfterTheFirst()
    {
        var timeout = TimeSpan.FromSeconds(2);
        using var target = Answering(r => r.Number < 30 ? ScriptedAnswer.Ok : new("") { After = TimeSpan.FromMinutes(1) });
        using var reactor = Start(target, 3, Http(new RequestLoad.Closed(TimeSpan.FromMilliseconds(50)), timeout: timeout));

        var counters = reactor.WaitFor(c => c.RequestsFailed >= 3, "a failure on each connection");

        var lasts = target.Requests.Where(r => r.Number == 30).Take(3).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(counters.RequestsCompleted, Is.GreaterThanOrEqualTo(90), "none was cut off by the timer of an earlier one");
            Assert.That(reactor.FailuresOf(FailureStage.Response, FailureCause.Timeout, 0), Is.EqualTo(counters.RequestsFailed));
            Assert.That(DateTime.UtcNow - lasts.Max(r => r.At), Is.GreaterThanOrEqualTo(timeout));
        });
    }

    private static TestCaseData Bad(string text, FailureStage stage, FailureCause cause, int code) => new(text, stage, cause, code);

    private static ScriptedTarget Answering(Func<ScriptedRequest, ScriptedAnswer> script) => new(LoopbackAddress.Next(), script);

    private static WorkloadPlan.Http Http(RequestLoad load, long perConnection = 0, TimeSpan? timeout = null) =>
        new([new RequestText("GET", "/x", [], default).For("example")], false, [new PortSpan(200, 399)], new(load, timeout ?? _timeout, perConnection));

    private static (IpAddress, int) Target(ScriptedTarget target) => (IpAddress.From(target.EndPoint.Address), target.EndPoint.Port);

    private static ReactorFixture Start(ScriptedTarget target, int connections, WorkloadPlan plan, double requestsPerSecond = 0) =>
        ReactorFixture.Connecting(Target(target), connections, [new(1, plan)], requestsPerSecond);
}
