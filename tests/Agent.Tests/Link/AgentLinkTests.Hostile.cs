using LoadHarness.Agent.Link;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Link;

/// <content>A coordinator that misbehaves: the agent lives, refuses in words, and its lease is renewed by nothing but right answers.</content>
public partial class AgentLinkTests
{
    private static IEnumerable<TestCaseData> WrongReplies()
    {
        yield return Of("of the future", r => r.SentNanos += 3_600_000_000_000);
        yield return Of("of the past", r => r.SentNanos -= 1);
        yield return Of("with the largest time", r => r.SentNanos = long.MaxValue);
        yield return Of("with another number", r => r.Sequence += 1000);
        yield return Of("with number 0", r => r.Sequence = 0);

        static TestCaseData Of(string name, Action<HeartbeatReply> spoil) => new TestCaseData(spoil).SetArgDisplayNames(name);
    }

    [TestCaseSource(nameof(WrongReplies))]
    public void RunAsync_AnAnswerToNoHeartbeat_RenewsNothing(Action<HeartbeatReply> spoil)
    {
        _coordinator.Distort = reply =>
        {
            spoil(reply);
            return Enumerable.Repeat(reply, 3);
        };

        Join();

        Assert.That(() => _coordinator.Heartbeats.Count, Is.GreaterThan(5).After(PatienceMillis, 10));
        Assert.That((_lease.DeadlineNanos, _clock.IsKnown), Is.EqualTo((long.MaxValue, false)));
    }

    [Test]
    public void RunAsync_OneAnswerAgainAndAgain_RenewsOnce()
    {
        HeartbeatReply? first = null;
        _coordinator.Distort = reply => [first ??= reply.Clone()];

        Join();
        Assert.That(() => _lease.DeadlineNanos, Is.LessThan(long.MaxValue).After(PatienceMillis, 10));
        var heartbeats = _coordinator.Heartbeats.Count;

        Assert.That(() => _coordinator.Heartbeats.Count, Is.GreaterThan(heartbeats + 5).After(PatienceMillis, 10));
        Assert.That(_lease.DeadlineNanos, Is.EqualTo(first!.SentNanos + (_coordinator.Lease.Ticks * 100)));
    }

    [TestCase(100, 36_525 * 86_400L)]
    [TestCase(100, 0)]
    [TestCase(1, 30)]
    [TestCase(3_600_000, 7200)]
    public void RunAsync_TermsThatNobodyCanLiveBy_EndsInWords(int heartbeatMillis, long leaseSeconds)
    {
        (_coordinator.HeartbeatInterval, _coordinator.Lease) = (TimeSpan.FromMilliseconds(heartbeatMillis), TimeSpan.FromSeconds(leaseSeconds));

        Join();

        Assert.That(async () => await _running.WaitAsync(TimeSpan.FromMilliseconds(PatienceMillis)),
            Throws.InstanceOf<LinkRefusedException>().With.Message.Contains("is allowed"));
    }

    [Test]
    public async Task RunAsync_TermsGetWorseWhileItWorks_GoesOnByItsLease()
    {
        Join();
        await AttachedAsync();
        Assert.That(() => _lease.DeadlineNanos, Is.LessThan(long.MaxValue).After(PatienceMillis, 10), "a heartbeat was answered");
        _coordinator.Lease = TimeSpan.FromDays(365);

        await _coordinator.RestartAsync();

        Assert.That(() => _coordinator.Hellos.Count, Is.GreaterThan(2).After(PatienceMillis, 10), "it tries again");
        Assert.That(_running.IsCompleted, Is.False);
        Assert.That(_lease.DeadlineNanos, Is.LessThan(Agent.Interop.Libc.Clock.BoottimeNanos + 31_000_000_000));
    }

    [Test]
    public async Task RunAsync_AFloodOfQuestions_TakesFewThreadsAndDelaysNoHeartbeat()
    {
        // Not disposed: a resolver that comes late still looks at it.
        var release = new ManualResetEventSlim();
        _resolve = _ =>
        {
            release.Wait();
            return [System.Net.IPAddress.Loopback];
        };
        Join();
        await AttachedAsync();
        var threads = System.Diagnostics.Process.GetCurrentProcess().Threads.Count;

        for (var i = 1UL; i <= 3000; i++)
        {
            await _coordinator.SendAsync(new AttachResponse { RouteQuery = new() { Id = i, Names = { "slow.example" } } });
            await _coordinator.SendAsync(new AttachResponse { CheckQuery = new() { Id = i, Need = new() { Connections = ulong.MaxValue, ConnectsPerSecond = double.NaN } } });
        }

        var before = _coordinator.Heartbeats.Count;
        Assert.That(() => _coordinator.Heartbeats.Count, Is.GreaterThan(before + 3).After(PatienceMillis, 10));
        Assert.That(System.Diagnostics.Process.GetCurrentProcess().Threads.Count, Is.LessThan(threads + 50));
        release.Set();
        Assert.That(() => _coordinator.RouteAnswers.LastOrDefault()?.Id, Is.EqualTo(3000).After(PatienceMillis, 10), "the newest one is answered");
        Assert.That(_coordinator.RouteAnswers, Has.Count.LessThan(10));
    }

    [Test]
    public async Task RunAsync_AFloodOfNonsense_LivesAndTakesTheSoundOneAfterIt()
    {
        Join();
        await AttachedAsync();
        var wrong = WireSamples.Assignment();
        wrong.RunId = new string('r', 100_000);

        for (var i = 0; i < 500; i++)
            await _coordinator.SendAsync(wrong);
        await _coordinator.SendAsync(WireSamples.Assignment());

        Assert.That(() => _runner.Applied.Count, Is.EqualTo(1).After(PatienceMillis, 10));
        Assert.That(_coordinator.Statuses.Select(s => s.Refused?.Field).OfType<string>(), Is.Not.Empty.And.All.EqualTo("run_id"));
        Assert.That(_coordinator.Hellos, Has.Count.EqualTo(1), "the link outlives it");
    }
}
