using System.Net;
using LoadHarness.Agent.Backend;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>What targets do to connections that are opened and held.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerPeerTests
{
    private RunnerFixture _run = null!;

    [SetUp]
    public void SetUp() => _run = new RunnerFixture();

    [TearDown]
    public void TearDown() => _run.Dispose();

    [Test]
    public void Hold_TargetClosesAfterAWhile_ReopensAtTheRateAndCountsWhoClosed()
    {
        const double rate = 100;
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, after: TimeSpan.FromMilliseconds(500));
        var hold = _run.Hold(IPAddress.Loopback, target.EndPoint.Port, 50, rate, portBlocks: 8);

        _run.Apply(hold);
        _run.WaitFor(() => _run.Sum(c => c.Reopened) > 150, "150 reopened");
        _run.Drain(hold);

        var closedByPeer = _run.Sum(c => c.ClosedByPeer);
        Assert.Multiple(() =>
        {
            Assert.That(_run.Failures, Is.EqualTo(new Dictionary<(FailureStage, FailureParty, FailureCause), long>
            {
                [(FailureStage.Hold, FailureParty.Target, FailureCause.Closed)] = closedByPeer,
            }));
            Assert.That(_run.Sum(c => c.Opened), Is.EqualTo(closedByPeer + _run.Sum(c => c.Closed)));
            Assert.That(_run.Sum(c => c.Opened) - _run.Sum(c => c.Reopened), Is.EqualTo(50), "opened in the first place");
            Assert.That(_run.Samples.Where(s => s.Counts.Established is < 0 or > 50), Is.Empty);
            // A sample that is taken late has what came since the second that it ends with: up to a second more.
            var offered = 0L;
            Assert.That(_run.Samples.Where(s => (offered += s.Counts.Offered) > (rate * (s.ToMillis + 1000) / 1000) + (rate / 10) + 2).ToList(), Is.Empty);
            Assert.That(_run.Now.Established, Is.Zero);
        });
    }

    [TestCase(300)]
    [TestCase(0)]
    public void Hold_TargetResets_CountsConnectionsThatThePeerEnded(int afterMillis)
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Reset, after: TimeSpan.FromMilliseconds(afterMillis));
        var hold = _run.Hold(IPAddress.Loopback, target.EndPoint.Port, 50, 400, portBlocks: 8);

        _run.Apply(hold);
        _run.WaitFor(() => _run.Sum(c => c.ClosedByPeer) > 300, "300 closed by the peer");
        _run.Drain(hold);

        var closedByPeer = _run.Sum(c => c.ClosedByPeer);
        Assert.Multiple(() =>
        {
            Assert.That(_run.Failures, Is.EqualTo(new Dictionary<(FailureStage, FailureParty, FailureCause), long>
            {
                [(FailureStage.Hold, FailureParty.Target, FailureCause.Reset)] = closedByPeer,
            }));
            Assert.That(_run.Sum(c => c.Opened), Is.EqualTo(closedByPeer + _run.Sum(c => c.Closed)));
            Assert.That(_run.Sum(c => c.Failed), Is.Zero);
        });
    }

    [Test]
    public void Hold_TargetRefuses_CountsRefusalsAndUsesUpNoTuples()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Refuse);
        var hold = _run.Hold(IPAddress.Loopback, target.EndPoint.Port, 100, 1000);

        _run.Apply(hold);
        _run.WaitFor(() => _run.Sum(c => c.Failed) > 1000, "1,000 failures");
        // Until the drain, which gives up what is on its way.
        var samples = _run.Samples.ToList();
        var last = samples[^1].Counts;
        _run.Drain(hold);

        Assert.Multiple(() =>
        {
            Assert.That(_run.Failures.Keys, Is.EqualTo(new[] { (FailureStage.Connect, FailureParty.Target, FailureCause.Refused) }));
            Assert.That(_run.Samples.SelectMany(s => s.Failures).Select(f => f.Errno), Has.All.EqualTo(111));
            Assert.That(last.FreeTuples + last.Connecting, Is.EqualTo(256));
            Assert.That(samples.Sum(s => s.Counts.Offered), Is.EqualTo(samples.Sum(s => s.Counts.Failed) + last.Connecting));
            Assert.That(_run.Statuses.SelectMany(s => s.Findings), Is.Empty);
        });
    }

    [Test]
    public void Hold_TargetDropsWhatComes_CountsTimeoutsOfTheNetwork()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Ignore);
        var hold = _run.Hold(IPAddress.Loopback, target.EndPoint.Port, 30, 1000) with { ConnectTimeout = TimeSpan.FromMilliseconds(300) };

        _run.Apply(hold);
        _run.WaitFor(() => _run.Failures.GetValueOrDefault((FailureStage.Connect, FailureParty.Network, FailureCause.Timeout)) > 60, "60 timeouts");
        _run.Drain(hold, TimeSpan.Zero);

        Assert.Multiple(() =>
        {
            Assert.That(_run.Failures.Keys.Where(f => f.Item1 == FailureStage.Connect), Is.EqualTo(new[] { (FailureStage.Connect, FailureParty.Network, FailureCause.Timeout) }));
            Assert.That(_run.Samples.Select(s => s.Counts.Connecting), Has.All.InRange(0, 30));
            Assert.That(_run.Now, Has.Property("Connecting").Zero.And.Property("Established").Zero);
        });
    }

    [Test]
    public void Hold_TargetSendsUnasked_LeavesNothingUnreadAndClosesInOrder()
    {
        const int bytes = 300_000;
        using var target = WatchfulTarget.Start(LoopbackAddress.Next(), greetingBytes: bytes);
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 40, 1000));
        _run.WaitFor(() => _run.Sum(c => c.BytesReceived) == 40 * bytes, "all bytes");

        var unread = new SocketStatistics(null).Lines("established", $"dport = :{target.EndPoint.Port} and dst {target.EndPoint.Address}")
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]).ToList();
        _run.Drain(hold);

        Assert.Multiple(() =>
        {
            Assert.That(unread, Has.Count.EqualTo(40).And.All.EqualTo("0"), "Recv-Q");
            Assert.That(() => target.Count(ConnectionEnd.Fin), Is.EqualTo(40).After(60_000, 10));
            Assert.That(target.Count(ConnectionEnd.Reset), Is.Zero);
            Assert.That(_run.Failures, Is.Empty);
        });
    }

    [Test]
    public void Hold_TargetGreetsAndSomeAreClosed_CountsTheConfirmedThatAreThere()
    {
        var address = LoopbackAddress.Next();
        using var backend = new BackendServer(new BackendOptions { Listen = [(IpAddress.From(address), 7100)], Greet = true, Reactors = 1 });
        backend.Start();
        var hold = _run.Hold(address, 7100, 200, 2000) with { ExpectGreeting = true };
        _run.Apply(hold);
        _run.WaitFor(() => _run.Now is { Established: 200, Confirmed: 200 }, "200 confirmed");

        var elapsed = TimeSpan.FromMilliseconds(_run.Last!.ToMillis) + TimeSpan.FromSeconds(1);
        _run.Apply(_run.Next(hold, h => h with { Schedule = RunnerFixture.Ramp(elapsed, 200, 50, 1000) }));
        _run.WaitFor(() => _run.Now is { Established: 50, Confirmed: 50 }, "50 confirmed");
        _run.Drain(hold);

        Assert.Multiple(() =>
        {
            Assert.That(_run.Samples.Where(s => s.Counts.Confirmed is not >= 0 || s.Counts.Confirmed > s.Counts.Established), Is.Empty);
            Assert.That(_run.Now.Confirmed, Is.Zero);
            Assert.That(_run.Failures, Is.Empty);
        });
    }
}
