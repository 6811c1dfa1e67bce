using System.Net;
using System.Net.Sockets;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using BlockRange = LoadHarness.Protos.BlockRange;
using Slice = LoadHarness.Protos.Slice;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>What becomes of the source ports of a slice.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerEndpointTests
{
    private RunnerFixture _run = null!;

    [SetUp]
    public void SetUp() => _run = new RunnerFixture();

    [TearDown]
    public void TearDown() => _run.Dispose();

    [Test]
    public void Hold_ForeignListenersOnSourcePorts_AreDroppedOnceAndNeverTriedAgain()
    {
        // Resting for no time, every port comes up again and again.
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, after: TimeSpan.FromMilliseconds(100));
        using var first = Listen(10_240);
        using var second = Listen(10_300);
        var hold = _run.Hold(IPAddress.Loopback, target.EndPoint.Port, 200, 1000) with { Slice = Slice(TimeSpan.Zero) };

        _run.Apply(hold);
        _run.WaitFor(() => _run.Sum(c => c.Opened) > 1000, "1,000 opened");
        _run.Drain(hold);

        Assert.Multiple(() =>
        {
            Assert.That(_run.Sum(c => c.DroppedPorts), Is.EqualTo(2));
            Assert.That(_run.Failures.Keys.Select(f => f.Item1), Has.All.EqualTo(FailureStage.Hold));
            // A tuple whose last segment is still on its way when it comes up again is passed over for a while.
            Assert.That(_run.Now.FreeTuples + _run.Now.RestingTuples, Is.EqualTo(254));
        });
    }

    [Test]
    public void Hold_TuplesThatTheKernelHasInUse_ArePassedOverWithoutFailures()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var others = Enumerable.Range(10_240, 20).Select(port => Connect(port, target.EndPoint)).ToList();
        var hold = _run.Hold(target.EndPoint.Address, target.EndPoint.Port, 200, 1000);

        _run.Reach(hold);

        Assert.Multiple(() =>
        {
            Assert.That(_run.Sum(c => c.SkippedTuples), Is.EqualTo(20));
            Assert.That(_run.Now.RestingTuples, Is.EqualTo(20));
            Assert.That(_run.Now.FreeTuples, Is.EqualTo(36));
            Assert.That(_run.Failures, Is.Empty);
        });
        others.ForEach(o => o.Dispose());
    }

    [Test]
    public void Hold_EveryTupleIsLiveOrRests_IsOneFindingWithTheArithmeticAndNoStormOfFailures()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, after: TimeSpan.FromMilliseconds(700));
        var hold = _run.Hold(IPAddress.Loopback, target.EndPoint.Port, 256, 2000);
        _run.Apply(hold);
        _run.WaitFor(() => _run.Sum(c => c.ClosedByPeer) == 256 && _run.Status?.Findings.Length > 0, "nothing left to reopen with");
        var samples = _run.Samples.Count;
        // A second in which this machine stood still says so, whatever there is to open.
        _run.WaitFor(() => _run.Samples.Skip(samples + 1).Count(s => !s.Health.Saturated) >= 2, "two seconds in which this host was not too slow");

        var finding = _run.Status!.Findings.Single();
        var last = _run.Samples.Skip(samples + 1).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(finding, Has.Property("Severity").EqualTo(Finding.Types.Severity.Error).And.Property("Subject").EqualTo("endpoint space"));
            Assert.That(finding.Message, Does.Contain("256 resting for 60 s").And.Contain("add sources or target ports"));
            Assert.That(_run.Failures.Keys, Is.EqualTo(new[] { (FailureStage.Hold, FailureParty.Target, FailureCause.Closed) }));
            Assert.That(_run.Sum(c => c.Opened), Is.EqualTo(256));
            Assert.That(last.Select(s => s.Counts.NotOffered), Has.All.Positive);
            Assert.That(last.Select(s => s.Counts.FreeTuples), Has.All.Zero);
            Assert.That(last.Average(s => s.Health.ReactorCpuMaxMicros), Is.LessThan(500_000), "no reactor turns without end");
        });
    }

    [Test]
    public void Hold_TuplesHaveRested_AreUsedAgainAndTheFindingGoes()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, after: TimeSpan.FromMilliseconds(300));
        var hold = _run.Hold(IPAddress.Loopback, target.EndPoint.Port, 256, 5000) with { Slice = Slice(TimeSpan.FromSeconds(2)) };
        _run.Apply(hold);
        _run.WaitFor(() => _run.Status?.Findings.Length > 0, "nothing left to reopen with");

        _run.WaitFor(() => _run.Sum(c => c.Reopened) > 256, "reopening after the rest");

        _run.Drain(hold);
        Assert.That(_run.Status!.Findings, Is.Empty);
    }

    [Test]
    public void Hold_SourceAddressGoesAway_CountsItUnderSourceBind()
    {
        using var space = NetworkNamespace.Create();
        space.AddAddress("127.201.0.1/32");
        space.Ip("address", "del", "127.0.0.1/8", "dev", "lo");
        space.AddAddress("127.0.0.1/32");
        var source = IpAddress.From(IPAddress.Parse("127.201.0.1"));
        using var run = space.Enter(() => new RunnerFixture { Source = source });
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, space, after: TimeSpan.FromHours(1));
        run.Apply(run.Hold(IPAddress.Loopback, target.EndPoint.Port, 250, 50));
        run.WaitFor(() => run.Sum(c => c.Opened) > 20, "20 opened");

        space.Ip("address", "del", "127.201.0.1/32", "dev", "lo");

        run.WaitFor(() => run.Failures.ContainsKey((FailureStage.SourceBind, FailureParty.Us, FailureCause.AddressGone)), "source-bind failures");
        Assert.That(run.Failures.Keys.Select(f => f.Item1), Has.None.EqualTo(FailureStage.Connect));
    }

    private Slice Slice(TimeSpan rest) => new([new BlockRange(new IpRange(_run.Source, 1), 10_240, 1)], [], rest);

    private TcpListener Listen(int port)
    {
        var listener = new TcpListener(_run.Source.ToIPAddress(), port);
        listener.Start();
        return listener;
    }

    private Socket Connect(int port, IPEndPoint target)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(_run.Source.ToIPAddress(), port));
        socket.Connect(target);
        return socket;
    }
}
