using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Protos;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Runs.RunFixture;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>Reconnect storms, with agents that measure what tests tell them to.</summary>
public sealed class RunStormTests
{
    private FleetFixture _fixture = null!;

    [SetUp]
    public async Task SetUp() => _fixture = await FleetFixture.StartAsync();

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    [Test]
    public async Task Reconnect_Holding_EveryAgentIsToldOneInstantAndTheSummaryHasTheRecovery()
    {
        var agents = new[] { await AttachAsync("a", recovers: true), await AttachAsync("b", recovers: true) };
        await _fixture.CreateAsync(Spec(1000, agents: 2, holdSeconds: 30));
        await _fixture.UntilAsync(RunState.Holding);

        var run = await _fixture.Control.ReconnectRunAsync(Order(0.1, CloseMethod.Fin));
        await _fixture.UntilAsync(() => _fixture.Run().Events.Any(e => e.Kind == "recovered"), Long, "recovered");
        var state = _fixture.Run().State;
        await _fixture.Control.StopRunAsync(new());
        var (ended, summary) = await _fixture.EndAsync();

        var storms = agents.Select(a => a.Assignments.Last(x => x.Storm is not null)).ToList();
        var facts = summary.GetProperty("storms")[0];
        Assert.Multiple(() =>
        {
            Assert.That(run.Events[^1].Kind, Is.EqualTo("storm"));
            Assert.That(run.Events[^1].Message, Does.Contain("10% of 1,000 connections").And.Contain("FIN").And.Contain("1s"));
            Assert.That(state, Is.EqualTo(RunState.Holding), "a storm is no ramp");
            Assert.That(storms.Select(s => s.Storm.Elapsed), Is.All.EqualTo(storms[0].Storm.Elapsed));
            Assert.That(storms.Select(s => (s.Storm.Number, s.Storm.Fraction, s.Storm.Close)), Is.All.EqualTo((1ul, 0.1, CloseMethod.Fin)));
            Assert.That(storms.Select(s => s.RequiredCapabilities), Has.All.Contains(Capabilities.Reconnect));
            Assert.That(facts.GetProperty("closed").GetInt64(), Is.EqualTo(100));
            Assert.That(facts.GetProperty("opened").GetInt64(), Is.EqualTo(100));
            Assert.That(facts.GetProperty("lowestEstablished").GetInt64(), Is.EqualTo(900));
            Assert.That(facts.GetProperty("recoverySeconds").GetDouble(), Is.InRange(1, 4));
            Assert.That(summary.GetProperty("result").GetProperty("heldEstablishedMin").GetInt64(), Is.EqualTo(1000));
            Assert.That(ended.Events.Select(e => e.Kind), Has.Member("recovered"));
        });
    }

    [Test]
    public async Task Reconnect_WhenItIsLongOver_NobodyIsToldOfItAnyMore()
    {
        var agent = await AttachAsync("a", recovers: true);
        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 60));
        await _fixture.UntilAsync(RunState.Holding);
        await _fixture.Control.ReconnectRunAsync(Order(0.1, CloseMethod.Fin));
        await _fixture.UntilAsync(() => _fixture.Run().Events.Any(e => e.Kind == "recovered"), Long, "recovered");
        var storm = agent.Assignments[^1].Storm;

        await _fixture.UntilAsync(() => _fixture.Run().Progress.Elapsed.ToTimeSpan() > storm.Elapsed.ToTimeSpan() + TimeSpan.FromSeconds(8), Long, "over");
        await _fixture.Control.ScaleRunAsync(new() { Connections = 900 });

        Assert.That(() => agent.Assignments[^1].Schedule.Points[^1].Goal, Is.EqualTo(900).After(60_000, 20));
        Assert.That(agent.Assignments[^1].Storm, Is.Null);
        Assert.That(agent.Assignments[^1].RequiredCapabilities, Has.No.Member(Capabilities.Reconnect));
    }

    [Test]
    public async Task Reconnect_CoordinatorIsKilledInTheStorm_TheNextLifeTellsTheRecoveryAndCountsOn()
    {
        var agent = await AttachAsync("a", recovers: false);
        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 300));
        await _fixture.UntilAsync(RunState.Holding);
        await _fixture.Control.ReconnectRunAsync(Order(0.1, CloseMethod.Rst));
        await _fixture.UntilAsync(() => _fixture.Run().Progress.Established == 900, Long, "closed");

        await using var after = await FleetFixture.StartAsync(storeOf: _fixture.DirectoryPath, at: _fixture.Time.GetUtcNow().AddSeconds(3));
        var back = await after.AttachAsync(agent.Hello);
        back.Measure = (assignment, second, goal) =>
        {
            var sample = back.MakeSample(assignment.RunId, second, goal);
            sample.Gauges.FreeTuples = 10_000;
            sample.Counters.StormOpened = 100;
            return sample;
        };
        await after.UntilAsync(() => after.Run().Events.Any(e => e.Kind == "recovered"), Long, "recovered");
        await after.Control.ReconnectRunAsync(Order(0.1, CloseMethod.Rst));

        Assert.That(() => back.Assignments[^1].Storm?.Number, Is.EqualTo(2).After(60_000, 20));
    }

    [Test]
    public async Task Reconnect_EarlierOneNotRecovered_IsRefusedInWords()
    {
        await AttachAsync("a", recovers: false);
        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 60));
        await _fixture.UntilAsync(RunState.Holding);
        await _fixture.Control.ReconnectRunAsync(Order(0.1, CloseMethod.Rst));

        var refused = await RefusedAsync(Order(0.1, CloseMethod.Rst));

        Assert.Multiple(() =>
        {
            Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.FailedPrecondition));
            Assert.That(refused.Status.Detail, Does.Contain("storm 1").And.Contain("runs watch"));
        });
    }

    [Test]
    public async Task Reconnect_NotHolding_SaysWhenItCan()
    {
        await _fixture.CreateAsync(Spec(1000, agents: 1));

        var refused = await RefusedAsync(Order(0.1, CloseMethod.Fin));

        Assert.Multiple(() =>
        {
            Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.FailedPrecondition));
            Assert.That(refused.Status.Detail, Does.Contain("pending").And.Contain("while it is holding"));
        });
    }

    [Test]
    public async Task Reconnect_ByFinWithoutFreeTuples_SaysTheArithmeticAndThatResetNeedsNone()
    {
        var agent = await _fixture.AttachAsync("a");
        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 60));
        await _fixture.UntilAsync(RunState.Holding);
        var told = agent.Assignments.Count;

        var refused = await RefusedAsync(Order(0.1, CloseMethod.Fin));
        var allowed = await _fixture.Control.ReconnectRunAsync(Order(0.1, CloseMethod.Rst));

        Assert.Multiple(() =>
        {
            Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.FailedPrecondition));
            Assert.That(refused.Status.Detail, Does.Contain("1,000 connections of agent a are 100, and 0 tuples").And.Contain("--close rst"));
            Assert.That(
                () => agent.Assignments.Skip(told).Select(a => a.Storm?.Number).ToArray(), Is.EqualTo(new ulong?[] { 1 }).After(60_000, 20),
                "the refused one changed nothing");
            Assert.That(allowed.State, Is.EqualTo(RunState.Holding));
        });
    }

    [Test]
    public async Task Reconnect_LongerThanTheHold_IsRefused()
    {
        await AttachAsync("a", recovers: true);
        await _fixture.CreateAsync(Spec(1000, agents: 1, holdSeconds: 60));
        await _fixture.UntilAsync(RunState.Holding);

        var refused = await RefusedAsync(Order(0.1, CloseMethod.Fin, withinSeconds: 120));

        Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(refused.Status.Detail, Does.Contain("--within 2m").And.Contain("ends in"));
    }

    [Test]
    public async Task Reconnect_NonsenseInEveryField_IsABadRequest()
    {
        await _fixture.CreateAsync(Spec(1000, agents: 1));

        var refused = await RefusedAsync(new() { Fraction = -1, Within = Duration.FromTimeSpan(TimeSpan.FromHours(1)), Close = (CloseMethod)77 });

        Assert.That(refused.StatusCode, Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(refused.Status.Detail, Does.Contain("--fraction").And.Contain("--within").And.Contain("--close"));
    }

    private static ReconnectRunRequest Order(double fraction, CloseMethod close, double withinSeconds = 1) => new()
    {
        Fraction = fraction,
        Within = Duration.FromTimeSpan(TimeSpan.FromSeconds(withinSeconds)),
        Close = close,
    };

    private async Task<RpcException> RefusedAsync(ReconnectRunRequest request) =>
        (await Assert.ThrowsAsync<RpcException>(async () => await _fixture.Control.ReconnectRunAsync(request)))!;

    // Closes a tenth in the second of the storm's instant, and opens it again in the second after the next one.
    private async Task<FakeAgent> AttachAsync(string id, bool recovers)
    {
        var agent = await _fixture.AttachAsync(id);
        agent.Measure = (assignment, second, goal) =>
        {
            var sample = agent.MakeSample(assignment.RunId, second, goal);
            sample.Gauges.FreeTuples = 10_000;
            if (assignment.Storm is not { } storm)
                return sample;
            var since = second - storm.Elapsed.Seconds;
            sample.Counters.StormClosed = since == 0 ? (ulong)goal / 10 : 0;
            if (recovers && since == 2)
                sample.Counters.StormOpened = (ulong)goal / 10;
            if (since >= 0 && (since < 2 || !recovers))
                sample.Gauges.Established -= (ulong)goal / 10;
            return sample;
        };
        return agent;
    }
}
