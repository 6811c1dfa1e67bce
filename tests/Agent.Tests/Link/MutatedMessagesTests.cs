using System.Collections.Immutable;
using System.Net;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Agent.Link;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Safety;
using LoadHarness.Agent.Tests.Assignments;
using LoadHarness.Protos;
using LoadHarness.TestKit.Hostile;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using Microsoft.Extensions.Logging.Abstractions;
using AgentLink = LoadHarness.Agent.Link.AgentLink;
using CoordinatorClock = LoadHarness.Agent.Measurement.CoordinatorClock;
using Counts = LoadHarness.Agent.Assignments.Counts;

namespace LoadHarness.Agent.Tests.Link;

/// <summary>
/// 10,000 spoilt messages on each stream to an agent with real reactors: it lives, its memory does not grow with them, nothing renews its lease,
/// it connects to nothing that its user has not allowed, and works as before.
/// </summary>
[NonParallelizable]
public sealed class MutatedMessagesTests
{
    private const int Messages = 10_000;
    private const int PatienceMillis = 60_000;
    private const long MostGrowth = 150L << 20;
    private const int Goal = 5;

    private ScriptedCoordinator _coordinator = null!;
    private WatchfulTarget _target = null!;
    private WatchfulTarget _forbidden = null!;
    private RunnerFixture _run = null!;
    private SampleOutbox _outbox = null!;
    private CancellationTokenSource _cancel = null!;
    private AgentLink _link = null!;
    private Task _running = null!;
    private long _before;

    [SetUp]
    public async Task SetUp()
    {
        (_coordinator, _outbox, _cancel) = (new() { AnswersHeartbeats = false }, new(), new());
        (_target, _forbidden) = (WatchfulTarget.Start(LoopbackAddress.Next()), WatchfulTarget.Start(LoopbackAddress.Next()));
        Assert.That(AllowList.TryParse([_target.EndPoint.Address.ToString()], out var allowed, out _), Is.True);
        var policy = new AgentPolicy(allowed!) { MaxConnections = 50, MaxConnectsPerSecond = 500 };
        _run = new RunnerFixture(Resolve, policy);
        await _coordinator.StartAsync();
        Assert.That(CoordinatorAddress.TryParse($"unix:{_coordinator.SocketPath}", out var address, out var error), Is.True, error);
        var options = new LinkOptions
        {
            Coordinator = address!,
            AgentId = "agent-1",
            Labels = ImmutableSortedDictionary<string, string>.Empty,
            Policy = policy,
            Lookup = new NameLookup(Resolve, TimeSpan.FromSeconds(60)),
            Credential = LinkCredential.OfFile(_coordinator.CredentialPath),
        };
        _link = new AgentLink(options, HostInventory.Read(), _run.Runner, _outbox, new CoordinatorClock(), _run.Lease, NullLogger<AgentLink>.Instance);
        _running = _link.RunAsync(_cancel.Token);
        Assert.That(() => _coordinator.Heartbeats.Count, Is.Positive.After(PatienceMillis, 10));
        _before = GC.GetTotalMemory(forceFullCollection: true);
    }

    [TearDown]
    public async Task TearDown()
    {
        await _cancel.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _link.Dispose();
        _cancel.Dispose();
        await _coordinator.DisposeAsync();
        _run.Dispose();
        _target.Dispose();
        _forbidden.Dispose();
    }

    [Test]
    public async Task Attach_SpoiltMessages_AreRefusedAndTheAgentWorksOn()
    {
        var mutator = new Mutator(LongTests.Seed(31_415)) { BytesShare = 0.002 };

        for (var sent = 0; sent < Messages;)
        {
            Assert.That(_running.IsCompleted, Is.False, "the agent has given up");
            if (await _coordinator.SendRawAsync(Spoilt(mutator, sent)))
                sent++;
            else
                await Task.Delay(5);
        }

        await UntilAllIsReadAsync();
        TestContext.Out.WriteLine($"{_coordinator.Hellos.Count} attachments, {_coordinator.Statuses.Count} statuses, "
            + $"{_coordinator.Statuses.Count(s => s.Refused is not null)} of them refusals, {_target.Accepted} connections");
        Assert.That(_coordinator.Statuses.Count(s => s.Refused is not null), Is.Positive);
        Assert.That(_run.Lease.DeadlineNanos, Is.EqualTo(long.MaxValue), "no right answer came");
        await AssertItWorksOnAsync();
    }

    [Test]
    public async Task Upload_SpoiltAcknowledgements_LoseNothingAndTheAgentWorksOn()
    {
        // All of them are on their way at once; what cannot be read ends the call, and is the other test's matter.
        const int Samples = SampleOutbox.DefaultWindow;
        var mutator = new Mutator(LongTests.Seed(27_182)) { BytesShare = 0 };
        var sound = new UploadResponse { Ack = new() { Sequence = 1 } };
        var sent = 0;
        _coordinator.SpoiltAcks = () => Enumerable.Range(0, (Messages / Samples) + 1).Select(_ =>
        {
            Interlocked.Increment(ref sent);
            return mutator.Spoil(sound);
        });

        for (var i = 0; i < Samples; i++)
            _outbox.Add(new() { RunId = "storm", FromMillis = i * 1000, ToMillis = (i + 1) * 1000, Counts = new Counts { Opened = 1 }, Health = new() });
        Assert.That(() => Volatile.Read(ref sent), Is.GreaterThanOrEqualTo(Messages).After(PatienceMillis, 10));

        TestContext.Out.WriteLine($"{sent} acknowledgements, {_coordinator.Samples.Count} samples arrived, {_outbox.Count} were left");
        Assert.That(_run.Lease.DeadlineNanos, Is.EqualTo(long.MaxValue));
        _coordinator.SpoiltAcks = null;
        _outbox.Rewind();
        Assert.That(() => _outbox.Count, Is.Zero.After(PatienceMillis, 10));
        Assert.That(_coordinator.Samples.Select(s => s.Sequence).Distinct().Order(), Is.EqualTo(Enumerable.Range(1, Samples).Select(i => (ulong)i)));
        await AssertItWorksOnAsync();
    }

    // What is in an envelope is spoilt, and now and then the envelope: it ends the attachment as often as not.
    private byte[] Spoilt(Mutator mutator, int number) => (number % 8) switch
    {
        _ when number % 200 == 199 => mutator.Spoil(new AttachResponse { Assignment = Sound("storm", (ulong)number) }),
        0 => In(AttachResponse.HeartbeatReplyFieldNumber, mutator.Spoil(new HeartbeatReply { Sequence = 1, SentNanos = 5, CoordinatorNanos = 7 })),
        1 => In(AttachResponse.RouteQueryFieldNumber, mutator.Spoil(new V1.RouteQuery { Id = 1, Names = { "a.example" }, Addresses = { ByteString.CopyFrom(127, 0, 0, 1) } })),
        2 => In(AttachResponse.CheckQueryFieldNumber, mutator.Spoil(new CheckQuery { Id = 1, Need = new() { Connections = 10 } })),
        3 => In(AttachResponse.WelcomeFieldNumber, mutator.Spoil(new Welcome { SessionId = "session", StoreId = "store", Epoch = 1, Lease = new() { Seconds = 30 } })),
        4 => In(AttachResponse.AssignmentFieldNumber, mutator.Spoil(Sound("storm", (ulong)number, _forbidden.EndPoint))),
        _ => In(AttachResponse.AssignmentFieldNumber, mutator.Spoil(Sound("storm", (ulong)number))),
    };

    private static byte[] In(int field, byte[] message)
    {
        using var bytes = new MemoryStream();
        using (var output = new CodedOutputStream(bytes, leaveOpen: true))
        {
            output.WriteTag(field, WireFormat.WireType.LengthDelimited);
            output.WriteBytes(ByteString.CopyFrom(message));
        }

        return bytes.ToArray();
    }

    // Where the attachment broke meanwhile the question is lost with it, and asked again.
    private async Task UntilAllIsReadAsync()
    {
        const ulong Last = 123_456_789;
        for (var patience = 0; _coordinator.RouteAnswers.All(a => a.Id != Last) && patience < PatienceMillis; patience += 100)
        {
            await _coordinator.SendRawAsync(new AttachResponse { RouteQuery = new() { Id = Last } }.ToByteArray());
            await Task.Delay(100);
        }

        Assert.That(_coordinator.RouteAnswers.Select(a => a.Id), Does.Contain(Last), "it has read all");
    }

    private async Task AssertItWorksOnAsync()
    {
        await Task.Run(() => _run.Runner.Drain("the storm is over")).WaitAsync(TimeSpan.FromMilliseconds(PatienceMillis));
        var growth = GC.GetTotalMemory(forceFullCollection: true) - _before;
        _coordinator.AnswersHeartbeats = true;
        while (!await _coordinator.SendRawAsync(new AttachResponse { Assignment = Sound("after", 1) }.ToByteArray()))
            await Task.Delay(5);

        _run.WaitFor(() => _run.Status is { RunId: "after", Held: Goal }, $"{Goal} connections of the run after it");
        TestContext.Out.WriteLine($"memory grew by {growth >> 20:N0} MB");
        Assert.Multiple(() =>
        {
            Assert.That(() => _run.Lease.DeadlineNanos, Is.LessThan(long.MaxValue).After(PatienceMillis, 10), "a right answer renews it");
            Assert.That(_running.IsCompleted, Is.False);
            Assert.That(() => _target.Accepted, Is.GreaterThanOrEqualTo(Goal).After(PatienceMillis, 10));
            Assert.That(_forbidden.Accepted, Is.Zero);
            Assert.That(growth, Is.LessThan(MostGrowth));
        });
    }

    private Assignment Sound(string run, ulong revision, IPEndPoint? target = null) =>
        SoundMessages.Assignment(run, revision, _run.Source, target ?? _target.EndPoint, Goal);

    private IPAddress[] Resolve(string name) => [_forbidden.EndPoint.Address];
}
