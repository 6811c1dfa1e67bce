using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using Google.Protobuf;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Link;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Safety;
using LoadHarness.V1;
using Microsoft.Extensions.Logging.Abstractions;
using AgentLink = LoadHarness.Agent.Link.AgentLink;
using AssignmentStatus = LoadHarness.Agent.Assignments.AssignmentStatus;

namespace LoadHarness.Agent.Tests.Link;

/// <summary>The agent's end of the link against a real gRPC server on a Unix socket.</summary>
public partial class AgentLinkTests
{
    private const int PatienceMillis = 60_000;
    private static readonly HostInventory _inventory = HostInventory.Read();

    private ScriptedCoordinator _coordinator = null!;
    private RecordingRunner _runner = null!;
    private SampleOutbox _outbox = null!;
    private CoordinatorClock _clock = null!;
    private Lease _lease = null!;
    private CancellationTokenSource _cancel = null!;
    private AgentLink? _link;
    private Task _running = Task.CompletedTask;
    private Func<string, IPAddress[]> _resolve = _ => throw new InvalidOperationException();

    [SetUp]
    public async Task SetUp()
    {
        (_coordinator, _runner, _outbox, _clock, _lease, _cancel) = (new(), new(), new(), new(), new(), new());
        await _coordinator.StartAsync();
    }

    [TearDown]
    public async Task TearDown()
    {
        await _cancel.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _link?.Dispose();
        _cancel.Dispose();
        await _coordinator.DisposeAsync();
    }

    [Test]
    public void RunAsync_Welcomed_SaysWhoItIsAndLearnsTheClock()
    {
        Join();

        Assert.That(() => _coordinator.Heartbeats.Count, Is.GreaterThan(5).After(PatienceMillis, 10));
        var hello = _coordinator.Hellos.Single();
        Assert.That((hello.AgentId, hello.Role, hello.Labels["zone"]), Is.EqualTo(("agent-1", AgentRole.Client, "a")));
        Assert.That(hello.Incarnation, Is.Not.Empty);
        Assert.That(hello.Capabilities, Does.Contain("workload.hold"));
        Assert.That(hello.Held, Is.Null);
        Assert.That((hello.Inventory.MaxConnections, hello.Inventory.MaxConnectsPerSecond), Is.EqualTo((5000UL, 70.0)));
        Assert.That(hello.Inventory.AllowList, Is.EqualTo(new[] { "127.0.0.0/8", "::1" }));
        Assert.That(hello.Inventory.NetworkNamespace, Is.EqualTo(_inventory.NetworkNamespace));
        Assert.That(_coordinator.Heartbeats.Select(h => h.Sequence), Is.Ordered.And.Unique);
        Assert.That(() => _clock.IsKnown, Is.True.After(PatienceMillis, 10));
        // In this order: the uncertainty only falls, and the mapping gets better with it.
        var uncertainty = _clock.UncertaintyNanos;
        var mapped = _clock.ToBoottimeNanos(ScriptedCoordinator.ClockOffsetNanos);
        Assert.That(Math.Abs(mapped), Is.LessThanOrEqualTo(uncertainty + 1));
        var lastSent = _coordinator.Heartbeats.Last().SentNanos;
        Assert.That(() => _lease.DeadlineNanos, Is.GreaterThanOrEqualTo(lastSent + 30_000_000_000).After(PatienceMillis, 10));
        Assert.That(_lease.DeadlineNanos, Is.LessThan(Clock.BoottimeNanos + 30_000_000_000), "counted from when it was sent");
    }

    [Test]
    public void RunAsync_CoordinatorOnAnotherStore_DoesNotRenewTheLeaseOfARunThatItCannotEnd()
    {
        _runner.Status = Status("run-1", held: 5) with { StoreId = "another" };

        Join();

        Assert.That(() => _coordinator.Heartbeats.Count, Is.GreaterThan(5).After(PatienceMillis, 10));
        Assert.That(_lease.DeadlineNanos, Is.EqualTo(long.MaxValue), "as it was");
        _runner.Status = _runner.Status with { Phase = Phase.Drained, Held = 0 };
        Assert.That(() => _lease.DeadlineNanos, Is.LessThan(long.MaxValue).After(PatienceMillis, 10), "idle again, it works for this one");
    }

    [Test]
    public void RunAsync_HeartbeatsNotAnswered_RenewNothing()
    {
        _coordinator.AnswersHeartbeats = false;

        Join();

        Assert.That(() => _coordinator.Heartbeats.Count, Is.GreaterThan(3).After(PatienceMillis, 10));
        Assert.That(_lease.DeadlineNanos, Is.EqualTo(long.MaxValue));
        Assert.That(_clock.IsKnown, Is.False);
    }

    [Test]
    public async Task RunAsync_AnAssignment_IsAppliedAndItsStatusSent()
    {
        Join();
        await AttachedAsync();

        await _coordinator.SendAsync(WireSamples.Assignment());

        Assert.That(() => _runner.Applied.Count, Is.EqualTo(1).After(PatienceMillis, 10));
        var applied = _runner.Applied.Single();
        Assert.That((applied.RunId, applied.Revision.ToString(), applied.Phase, applied.Share),
            Is.EqualTo(("run-1", "3.7", Phase.Running, 5000L)));

        _runner.Status = Status(applied.RunId, held: 42);
        Assert.That(() => _coordinator.Statuses.LastOrDefault()?.Held, Is.EqualTo(42).After(PatienceMillis, 10));
    }

    [Test]
    public async Task RunAsync_AStatusThatDoesNotChange_IsRepeated()
    {
        _runner.Status = Status("run-1", held: 1);
        Join();
        await AttachedAsync();

        Assert.That(() => _coordinator.Statuses.Count, Is.GreaterThan(2).After(PatienceMillis, 50));
    }

    [Test]
    public async Task RunAsync_ARouteQuery_IsAnsweredWithAddressesAndSources()
    {
        _resolve = name => name == "target.example" ? [IPAddress.IPv6Loopback, IPAddress.Parse("127.0.0.9")] : throw new SocketException(11001);
        Join();
        await AttachedAsync();

        await _coordinator.SendAsync(new AttachResponse
        {
            RouteQuery = new()
            {
                Id = 7,
                Names = { "target.example", "nowhere.example" },
                Addresses = { ByteString.CopyFrom(127, 0, 0, 9), ByteString.CopyFrom(240, 0, 0, 1), ByteString.CopyFrom(1) },
            },
        });

        Assert.That(() => _coordinator.RouteAnswers.Count, Is.EqualTo(1).After(PatienceMillis, 10));
        var answer = _coordinator.RouteAnswers.Single();
        Assert.That(answer.Id, Is.EqualTo(7));
        Assert.That(answer.Names[0].Addresses.Select(Show), Is.EqualTo(new[] { "127.0.0.9", "::1" }));
        Assert.That((answer.Names[1].Addresses.Count, answer.Names[1].Error), Is.EqualTo((0, new SocketException(11001).Message)));
        Assert.That(answer.Routes.Select(r => Show(r.Destination)), Is.EqualTo(new[] { "127.0.0.9", "240.0.0.1", "::1" }));
        Assert.That(Show(answer.Routes[0].Source), Does.StartWith("127.0.0."));
        Assert.That(Show(answer.Routes[2].Source), Is.EqualTo("::1"));
    }

    [Test]
    public async Task RunAsync_ANameThatTakesLong_DelaysNoHeartbeat()
    {
        // Not disposed: a resolver that comes late still looks at it.
        var release = new ManualResetEventSlim();
        _resolve = _ =>
        {
            release.Wait();
            return [IPAddress.Loopback];
        };
        Join();
        await AttachedAsync();

        await _coordinator.SendAsync(new AttachResponse { RouteQuery = new() { Id = 1, Names = { "slow.example" } } });
        var before = _coordinator.Heartbeats.Count;

        Assert.That(() => _coordinator.Heartbeats.Count, Is.GreaterThan(before + 3).After(PatienceMillis, 10));
        Assert.That(_coordinator.RouteAnswers, Is.Empty);
        release.Set();
        Assert.That(() => _coordinator.RouteAnswers.Count, Is.EqualTo(1).After(PatienceMillis, 10));
    }

    [Test]
    public async Task RunAsync_AMalformedAssignment_IsRefusedByField()
    {
        Join();
        await AttachedAsync();
        var wrong = WireSamples.Assignment();
        wrong.Slice.Blocks[0].FirstPort = 1000;

        await _coordinator.SendAsync(wrong);

        Assert.That(() => _coordinator.Statuses.LastOrDefault()?.Refused?.Field,
            Is.EqualTo("slice.blocks[0].first_port").After(PatienceMillis, 10));
        Assert.That(_coordinator.Statuses.Last().Revision.Number, Is.EqualTo(7));
        Assert.That(_runner.Applied, Is.Empty);

        await _coordinator.SendAsync(WireSamples.Assignment());
        Assert.That(() => _runner.Applied.Count, Is.EqualTo(1).After(PatienceMillis, 10), "the link outlives it");
    }

    [Test]
    public async Task RunAsync_TheCoordinatorComesBack_AttachesWithWhatItHoldsAndSendsAgain()
    {
        _coordinator.Acknowledges = false;
        Join();
        await AttachedAsync();
        _runner.Status = Status("run-1", held: 9);
        _outbox.Add(Second(0));
        _outbox.Add(Second(1));
        Assert.That(() => _coordinator.Samples.Count, Is.EqualTo(2).After(PatienceMillis, 10));

        _coordinator.Acknowledges = true;
        _coordinator.Epoch = 2;
        await _coordinator.RestartAsync();

        Assert.That(() => _coordinator.Hellos.Count, Is.EqualTo(2).After(PatienceMillis, 10));
        Assert.That(_coordinator.Hellos.Last().Held.Held, Is.EqualTo(9));
        Assert.That(_coordinator.Hellos.Select(h => h.Incarnation).Distinct().Count(), Is.EqualTo(1));
        Assert.That(() => _outbox.Count, Is.Zero.After(PatienceMillis, 10));
        Assert.That(_coordinator.Samples.Select(s => s.Sequence), Is.EqualTo(new ulong[] { 1, 2, 1, 2 }));
        Assert.That(_runner.Drains, Is.Empty, "the work goes on");
    }

    [Test]
    public async Task RunAsync_AttachAndUpload_HaveConnectionsOfTheirOwn()
    {
        Join();
        await AttachedAsync();
        _outbox.Add(Second(0));

        Assert.That(() => _outbox.Count, Is.Zero.After(PatienceMillis, 10));
        Assert.That(_coordinator.Connections["Attach"], Is.Not.EqualTo(_coordinator.Connections["Upload"]));
    }

    [Test]
    public void RunAsync_OverTcp_Attaches()
    {
        Join($"http://localhost:{_coordinator.Port}");

        Assert.That(() => _clock.IsKnown, Is.True.After(PatienceMillis, 10));
    }

    private void Join(string? url = null)
    {
        Assert.That(CoordinatorAddress.TryParse(url ?? $"unix:{_coordinator.SocketPath}", out var address, out var error), Is.True, error);
        var options = new LinkOptions
        {
            Coordinator = address!,
            AgentId = "agent-1",
            Labels = ImmutableSortedDictionary<string, string>.Empty.Add("zone", "a"),
            Policy = new AgentPolicy(AllowList.Loopback) { MaxConnections = 5000, MaxConnectsPerSecond = 70 },
            Lookup = new NameLookup(name => _resolve(name), TimeSpan.FromSeconds(60)),
            Credential = LinkCredential.OfFile(_coordinator.CredentialPath),
        };
        _link = new AgentLink(options, _inventory, _runner, _outbox, _clock, _lease, NullLogger<AgentLink>.Instance);
        _running = _link.RunAsync(_cancel.Token);
    }

    private async Task AttachedAsync()
    {
        while (_coordinator.Heartbeats.IsEmpty && !_running.IsCompleted)
            await Task.Delay(5);
    }

    private static string Show(ByteString address) => address.IsEmpty ? "" : new IPAddress(address.Span).ToString();

    private static AssignmentStatus Status(string runId, long held) =>
        new() { RunId = runId, Revision = new(3, 7), StoreId = "store", Phase = Phase.Running, Held = held };

    private static AgentSample Second(int number) => new()
    {
        RunId = "run-1",
        FromMillis = number * 1000,
        ToMillis = (number + 1) * 1000,
        Counts = new Counts { Opened = 1 },
        Health = new(),
    };
}
