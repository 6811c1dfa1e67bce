using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using Assignment = LoadHarness.Agent.Assignments.Assignment;
using AssignmentRefusal = LoadHarness.Agent.Assignments.AssignmentRefusal;
using BlockRange = LoadHarness.Protos.BlockRange;
using Destination = LoadHarness.Protos.Destination;
using Revision = LoadHarness.Protos.Revision;
using Schedule = LoadHarness.Protos.Schedule;
using Slice = LoadHarness.Protos.Slice;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>Which assignments are followed, and which change nothing.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunnerAssignmentTests
{
    private static readonly IpAddress _target = IpAddress.From(LoopbackAddress.Next());
    private RunnerFixture _run = null!;

    [SetUp]
    public void SetUp() => _run = new RunnerFixture();

    [TearDown]
    public void TearDown() => _run.Dispose();

    [Test]
    public void Apply_Prepared_ConnectsNothing()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Hold(target.EndPoint.Address, target.EndPoint.Port, 100, 1000) with { Phase = Phase.Prepared, StartNanos = null };

        _run.Apply(hold);
        _run.WaitFor(() => _run.Status?.Phase == Phase.Prepared, "PREPARED");
        Thread.Sleep(300);

        Assert.Multiple(() =>
        {
            Assert.That(target.Accepted, Is.Zero);
            Assert.That(_run.Samples, Is.Empty);
            Assert.That(_run.Drain(hold).Refused, Is.Null);
        });
    }

    [Test]
    public void Apply_SameOrOlderRevision_ChangesNothing()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var first = _run.Hold(target.EndPoint.Address, target.EndPoint.Port, 100, 1000);
        var second = _run.Reach(_run.Next(first, a => a));

        _run.Apply(second with { Schedule = RunnerFixture.Ramp(TimeSpan.Zero, 0, 200, 1000), Share = 200 });
        _run.Apply(first with { Phase = Phase.Drained });
        _run.Apply(second with { Revision = new Revision(0, 1000), Phase = Phase.Drained });
        Thread.Sleep(1500);

        Assert.Multiple(() =>
        {
            Assert.That(_run.Status!.Revision, Is.EqualTo(second.Revision));
            Assert.That(_run.Now.Established, Is.EqualTo(100));
            Assert.That(_run.Statuses.Select(s => s.Phase), Has.None.EqualTo(Phase.Drained));
        });
    }

    [Test]
    public void Apply_StartInstantWeeksAway_WaitsForIt()
    {
        var hold = _run.Hold(System.Net.IPAddress.Loopback, 1, 10, 1000);

        _run.Apply(hold with { StartNanos = hold.StartNanos + ((long)TimeSpan.FromDays(60).TotalSeconds * 1_000_000_000) });
        _run.WaitFor(() => _run.Status?.Phase == Phase.Running, "RUNNING");

        Assert.That(_run.Drain(hold).Refused, Is.Null);
    }

    [Test]
    public void Apply_NewerEpoch_IsNewerWhateverItsNumber()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 50, 1000));

        var next = hold with { Revision = new Revision(2, 1), Phase = Phase.Drained };
        _run.Apply(next);

        _run.WaitFor(() => _run.Status is { Phase: Phase.Drained } s && s.Revision == next.Revision, "DRAINED");
        Assert.That(_run.Status!.Refused, Is.Null);
    }

    [Test]
    public void Apply_SeveralThreadsInAnyOrder_EndsWithTheNewest()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Hold(target.EndPoint.Address, target.EndPoint.Port, 50, 1000);
        var revisions = Enumerable.Range(0, 64).Select(_ => _run.Next(hold, a => a)).ToArray();
        new Random(7).Shuffle(revisions);

        Parallel.ForEach(revisions, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _run.Apply);

        var newest = revisions.Max(r => r.Revision);
        _run.WaitFor(() => _run.Status?.Revision == newest && _run.Now.Established == 50, "the newest revision");
        Assert.Multiple(() =>
        {
            Assert.That(_run.Statuses.Select(s => s.Revision), Is.Ordered);
            Assert.That(_run.Statuses.Select(s => s.Refused), Has.All.Null);
            Assert.That(_run.Now.Goal, Is.EqualTo(50));
        });
    }

    [Test]
    public void Apply_AnotherRunWhileBusy_IsRefusedByTheNameOfThisOneWhichGoesOn()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 50, 1000));

        _run.Apply(hold with { RunId = "another" });
        var refused = _run.WaitForAnswer(s => s.RunId == "another", "the answer to the other run");
        _run.WaitFor(() => _run.Status is { RunId: "run" }, "its own status again");
        _run.Apply(hold with { Revision = new Revision(0, 9), Phase = Phase.Drained });
        Thread.Sleep(300);

        Assert.Multiple(() =>
        {
            Assert.That(refused.Refused, Has.Property("Field").EqualTo("run_id").And.Property("Rule").EqualTo("busy"));
            Assert.That(refused.Refused!.Message, Does.Contain("run run"));
            Assert.That(_run.Status, Has.Property("Phase").EqualTo(Phase.Running).And.Property("Revision").EqualTo(hold.Revision));
            Assert.That(_run.Now.Established, Is.EqualTo(50));
        });
    }

    [Test]
    public void Apply_DrainedOfARunThatIsNotHere_IsDoneAlready()
    {
        _run.Apply(Hold(50) with { RunId = "never seen", Phase = Phase.Drained });

        _run.WaitFor(() => _run.Status is { RunId: "never seen", Phase: Phase.Drained, Refused: null }, "DRAINED");
        Assert.That(_run.Samples, Is.Empty);
    }

    [Test]
    public void Apply_ChangeThatALiveRunCannotTake_IsRefusedAndTheRunGoesOn()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        var hold = _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 50, 1000));

        var destinations = Refusal(_run.Next(hold, a => a with { Destinations = [new Destination(new IpRange(_target, 1), new(7000, 7000), "")] }));
        var rest = Refusal(_run.Next(hold, a => a with { Slice = a.Slice with { Rest = TimeSpan.Zero } }));
        var blocks = Refusal(_run.Next(hold, a => a with { Slice = a.Slice with { Blocks = [new BlockRange(new IpRange(_run.Source, 1), 20_480, 2)] } }));
        var held = _run.Status!.Held;
        var drained = _run.Drain(hold);

        Assert.Multiple(() =>
        {
            Assert.That(destinations.Field, Is.EqualTo("destinations"));
            Assert.That(rest.Field, Is.EqualTo("slice.rest"));
            Assert.That(blocks.Field, Is.EqualTo("slice.blocks"));
            Assert.That(held, Is.EqualTo(50));
            Assert.That(drained.Refused, Is.Null);
            Assert.That(() => target.Count(ConnectionEnd.Fin), Is.EqualTo(50).After(60_000, 10));
        });
    }

    [Test]
    public void Apply_ReactorThatFails_IsReportedAndDoesNotStayHeld()
    {
        // Nobody checks here what the wire would not let through: a schedule without points.
        var hold = Hold(50) with { Schedule = new Schedule([], 1000) };

        _run.Apply(hold);

        _run.WaitFor(() => _run.Status is { Phase: Phase.Drained }, "the end of the run");
        Assert.That(_run.Status!.Findings, Has.One.Matches<LoadHarness.Agent.Preflight.AgentFinding>(f =>
            f is { Subject: "reactor", Severity: Finding.Types.Severity.Error } && f.Message.Contains("failed", StringComparison.Ordinal)));
        Assert.That(() => _run.Reach(_run.Next(hold, a => Hold(1) with { Revision = a.Revision, Schedule = RunnerFixture.Ramp(TimeSpan.Zero, 0, 0, 1) })), Throws.Nothing);
    }

    [Test]
    public void StatusChanged_HandlerThrows_TheRunGoesOn()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        _run.Runner.StatusChanged += () => throw new InvalidOperationException("on purpose");

        _run.Reach(_run.Hold(target.EndPoint.Address, target.EndPoint.Port, 50, 1000));

        Assert.That(_run.Status!.Refused, Is.Null);
    }

    [Test]
    public void Apply_AfterASourceAddressHasGone_IsFollowedAndItIsNamed()
    {
        using var space = NetworkNamespace.Create();
        space.AddAddress("127.200.0.1/32");
        space.Ip("address", "del", "127.0.0.1/8", "dev", "lo");
        var source = IpAddress.From(System.Net.IPAddress.Parse("127.200.0.1"));
        using var run = space.Enter(() => new RunnerFixture { Source = source });
        using var target = space.Enter(() => new System.Net.Sockets.TcpListener(source.ToIPAddress(), 7000));
        space.Enter(() => Started(target));
        var hold = run.Reach(run.Hold(source.ToIPAddress(), 7000, 50, 1000));

        space.Ip("address", "del", "127.200.0.1/32", "dev", "lo");
        run.Apply(run.Next(hold, a => a with { Schedule = RunnerFixture.Ramp(TimeSpan.Zero, 50, 60, 1000), Share = 60 }));
        run.WaitFor(() => run.Status!.GoneSources.Contains(source), "the loss of the address");
        var changed = run.Status!;
        var status = run.Drain(hold, TimeSpan.FromSeconds(1));

        Assert.Multiple(() =>
        {
            Assert.That(changed.Refused, Is.Null);
            Assert.That(changed.Findings.Select(f => f.Message), Has.Some.Contains("127.200.0.1"));
            Assert.That(status.Refused, Is.Null);
            Assert.That(run.Now.Established, Is.Zero);
        });
    }

    private static bool Started(System.Net.Sockets.TcpListener listener)
    {
        listener.Start();
        return true;
    }

    private Assignment Hold(long connections) => _run.Hold(_target.ToIPAddress(), 7000, connections, 1000);

    private AssignmentRefusal Refusal(Assignment assignment)
    {
        _run.Apply(assignment);
        _run.WaitFor(() => _run.Status is { Refused: not null } status && status.Revision == assignment.Revision, "a refusal");
        return _run.Status!.Refused!;
    }
}
