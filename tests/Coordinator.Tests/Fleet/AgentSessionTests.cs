using LoadHarness.Coordinator.Fleet;
using LoadHarness.Protos;
using LoadHarness.V1;
using Microsoft.Extensions.Time.Testing;
using Revision = LoadHarness.Protos.Revision;
using Schedule = LoadHarness.Protos.Schedule;
using SchedulePoint = LoadHarness.Protos.SchedulePoint;
using Slice = LoadHarness.Protos.Slice;

namespace LoadHarness.Coordinator.Tests.Fleet;

public sealed class AgentSessionTests
{
    private static readonly Coordinator.Fleet.HostCheck _check = new("cores", "2", "", V1.HostCheck.Types.Verdict.Ok, "", "", System.Collections.Immutable.ImmutableSortedDictionary<string, string>.Empty);

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private FakeTimeProvider _time = null!;
    private AgentSession _session = null!;

    [SetUp]
    public void SetUp()
    {
        _time = new FakeTimeProvider();
        _session = new AgentSession("session", WireTranslation.ToHello(FakeAgent.MakeHello("a")), new CoordinatorClock(_time));
    }

    [Test]
    public async Task NextAsync_AssignmentBeforeHeartbeat_SendsTheReplyFirst()
    {
        _session.Offer(Assignment(1));
        _session.TakeHeartbeat(7, 70);

        Assert.That(await NextAsync(), Is.EqualTo(new HeartbeatEcho(7, 70)));
        Assert.That(await NextAsync(), Is.InstanceOf<AgentAssignment>());
    }

    [Test]
    public async Task NextAsync_ManyOffersToASlowReader_SendsTheNewestOnly()
    {
        for (var number = 1UL; number <= 1000; number++)
        {
            _session.Offer(Assignment(number));
            _session.TakeHeartbeat(number, 0);
        }

        var echo = (HeartbeatEcho?)await NextAsync();
        var assignment = (AgentAssignment?)await NextAsync();
        var more = _session.NextAsync(CancellationToken.None);

        Assert.Multiple(() =>
        {
            Assert.That(echo!.Sequence, Is.EqualTo(1000));
            Assert.That(assignment!.Revision.Number, Is.EqualTo(1000));
            Assert.That(more.IsCompleted, Is.False);
        });
        _session.End("over");
        Assert.That(await more, Is.Null);
    }

    [Test]
    public async Task End_Twice_KeepsTheFirstReason()
    {
        _session.Offer(Assignment(1));
        _session.End("first");
        _session.End("second");

        Assert.That(_session.Ended, Is.EqualTo("first"));
        Assert.That(await NextAsync(), Is.Null);
    }

    [Test]
    public void TakeHeartbeat_Always_MovesLastHeardAndCompletesWhoWaits()
    {
        var next = _session.NextHeartbeat;
        _time.Advance(TimeSpan.FromMilliseconds(1234));

        _session.TakeHeartbeat(1, 0);

        Assert.Multiple(() =>
        {
            Assert.That(next.IsCompleted, Is.True);
            Assert.That(_session.NextHeartbeat.IsCompleted, Is.False);
            Assert.That(_session.LastHeardNanos, Is.EqualTo(new CoordinatorClock(_time).Nanos));
        });
    }

    [Test]
    public void End_WhileSomebodyWaitsForAHeartbeat_KeepsHimWaitingNoLonger()
    {
        var next = _session.NextHeartbeat;

        _session.End("its call has ended");

        Assert.That((next.IsCompleted, _session.NextHeartbeat.IsCompleted), Is.EqualTo((true, true)));
    }

    [Test]
    public async Task CheckAsync_Answered_CompletesAndIsSentOnce()
    {
        var asked = _session.CheckAsync(new Coordinator.Fleet.HostNeed(1000, true, 0, 0), CancellationToken.None);

        var question = (CheckQuestion?)await NextAsync();
        var more = _session.NextAsync(CancellationToken.None);
        _session.TakeChecks(question!.Id, [_check]);

        Assert.Multiple(() =>
        {
            Assert.That(question.Need, Is.EqualTo(new Coordinator.Fleet.HostNeed(1000, true, 0, 0)));
            Assert.That(more.IsCompleted, Is.False);
        });
        Assert.That(await asked, Is.EqualTo(new[] { _check }));
        _session.End("over");
        Assert.That(await more, Is.Null);
    }

    [Test]
    public async Task CheckAsync_AskedMeanwhile_WaitsForItsTurn()
    {
        var first = _session.CheckAsync(new Coordinator.Fleet.HostNeed(1, false, 0, 0), CancellationToken.None);
        var second = _session.CheckAsync(new Coordinator.Fleet.HostNeed(2, false, 0, 0), CancellationToken.None);
        var one = (CheckQuestion?)await NextAsync();
        _session.TakeChecks(one!.Id, [_check]);
        var answered = await first.WaitAsync(_patience);
        var two = (CheckQuestion?)await NextAsync();
        _session.TakeChecks(two!.Id, []);

        Assert.That((one.Need!.Connections, two.Need!.Connections), Is.EqualTo((1, 2)));
        Assert.That((answered.Length, (await second.WaitAsync(_patience)).Length), Is.EqualTo((1, 0)));
    }

    [Test]
    public async Task CheckAsync_TheOneBeforeGivesUp_IsAskedAndTheLateAnswerPassedOver()
    {
        using var cancel = new CancellationTokenSource();
        var first = _session.CheckAsync(null, cancel.Token);
        var second = _session.CheckAsync(null, CancellationToken.None);
        var one = (CheckQuestion?)await NextAsync();

        await cancel.CancelAsync();
        var two = (CheckQuestion?)await NextAsync();
        _session.TakeChecks(one!.Id, []);
        var early = second.IsCompleted;
        _session.TakeChecks(two!.Id, [_check]);

        Assert.That(async () => await first.WaitAsync(_patience), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(early, Is.False);
        Assert.That(await second.WaitAsync(_patience), Has.Length.EqualTo(1));
    }

    [Test]
    public void End_WithQuestions_CancelsTheseThoseThatWaitAndThoseThatComeLater()
    {
        var none = CancellationToken.None;
        var asked = new Task[] { _session.AskAsync(new RouteQuestion([], []), _patience, none), _session.CheckAsync(null, none), _session.CheckAsync(null, none) };

        _session.End("over");

        foreach (var task in asked.Append(_session.CheckAsync(null, none)))
            Assert.That(async () => await task.WaitAsync(_patience), Throws.InstanceOf<OperationCanceledException>());
    }

    private Task<object?> NextAsync() => _session.NextAsync(CancellationToken.None).AsTask().WaitAsync(_patience);

    private static AgentAssignment Assignment(ulong number) => new()
    {
        RunId = "run",
        Revision = new Revision(1, number),
        StoreId = "store",
        Phase = Phase.Prepared,
        RequiredCapabilities = [],
        Share = 1,
        Slice = new Slice([], [], TimeSpan.Zero),
        Destinations = [],
        Schedule = new Schedule([new SchedulePoint(TimeSpan.Zero, 0)], 1),
        ConnectTimeout = TimeSpan.FromSeconds(1),
        DrainTimeout = TimeSpan.FromSeconds(1),
        MaxDuration = TimeSpan.FromSeconds(1),
    };
}
