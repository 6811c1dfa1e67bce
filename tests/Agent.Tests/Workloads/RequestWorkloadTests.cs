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
using static LoadHarness.Agent.Tests.Workloads.RequestFixture;
using RequestLoad = LoadHarness.Agent.Workloads.RequestLoad;

namespace LoadHarness.Agent.Tests.Workloads;

[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RequestWorkloadTests
{
    [Test]
    public void RequestsPerConnection_AfterTheLast_TheConnectionIsClosedAndReplaced()
    {
        using var target = Answering(_ => ScriptedAnswer.Ok);
        using var reactor = Start(target, 2, Get(AtOnce, perConnection: 3));

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
        using var reactor = Start(target, 2, Get(AtOnce));

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
        using var reactor = Start(target, 2, Get(AtOnce));

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
        using var reactor = Start(target, 2, Get(new RequestLoad.Closed(TimeSpan.FromMilliseconds(200))));

        var counters = reactor.WaitFor(c => c.RequestsCompleted >= 10, "ten answers");

        Assert.That(counters.RequestsFailed, Is.Zero, reactor.DescribeFailures());
        Assert.That(reactor.FailuresOf(FailureStage.Hold, FailureCause.Closed, 0), Is.EqualTo(counters.ClosedByPeer));
    }

    [Test]
    public void Reset_InsteadOfAnAnswer_FailsAsTheTargets()
    {
        using var target = Answering(_ => new ScriptedAnswer("") { Resets = true });
        using var reactor = Start(target, 2, Get(AtOnce));

        var counters = reactor.WaitFor(c => c.RequestsFailed >= 4, "four failures");

        Assert.That(reactor.FailuresOf(FailureStage.Response, FailureCause.Reset, 104), Is.EqualTo(counters.RequestsFailed), reactor.DescribeFailures());
        Assert.That(counters.ClosedByPeer, Is.EqualTo(counters.RequestsFailed));
    }

    [Test]
    public void BytesBehindAnAnswer_EndTheConnection()
    {
        using var target = Answering(_ => new ScriptedAnswer(ScriptedAnswer.Ok.Text + "more"));
        using var reactor = Start(target, 2, Get(AtOnce));

        var counters = reactor.WaitFor(c => c.RequestsCompleted >= 4, "four answers");

        Assert.That(reactor.FailuresOf(FailureStage.Hold, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.Unasked)), Is.EqualTo(counters.Aborted));
        Assert.That(counters.Aborted, Is.GreaterThanOrEqualTo(3));
    }

    [Test]
    public void NoAnswer_WithinTheTimeout_FailsByRst()
    {
        using var target = Answering(_ => new ScriptedAnswer("") { After = TimeSpan.FromMinutes(1) });
        using var reactor = Start(target, 2, Get(AtOnce, timeout: TimeSpan.FromMilliseconds(200)));

        var counters = reactor.WaitFor(c => c.RequestsFailed >= 4, "four failures");

        Assert.That(reactor.FailuresOf(FailureStage.Response, FailureCause.Timeout, 0), Is.EqualTo(counters.RequestsFailed));
        Assert.That(counters.Aborted, Is.EqualTo(counters.RequestsFailed));
    }

    [Test]
    public void Drain_WaitsForAnswersThatAreUnderWay()
    {
        using var target = Answering(_ => new(ScriptedAnswer.Ok.Text) { After = TimeSpan.FromMilliseconds(500) });
        using var reactor = Start(target, 20, Get(AtOnce));
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
        using var reactor = Start(target, 20, Get(AtOnce));
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
            Target(target), 100, [new(80, new WorkloadPlan.Hold()), new(15, Get(AtOnce, perConnection: 5)), new(5, churn)]);

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
        using var reactor = Start(target, 10, Get(AtOnce));
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
        using var reactor = ReactorFixture.Connecting((address, 7600), 50, [new(1, Get(AtOnce))]);
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
        using var reactor = Start(target, 3, Get(new RequestLoad.Closed(TimeSpan.FromMilliseconds(50)), timeout: timeout));

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
}
