using Google.Protobuf;
using Grpc.Core;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Fleet;

/// <summary>The link as agents see it: real calls over the real socket.</summary>
public sealed class AgentLinkServiceTests
{
    private FleetFixture _fixture = null!;

    [SetUp]
    public async Task SetUp() =>
        _fixture = await FleetFixture.StartAsync(o => o with { Lease = TimeSpan.FromSeconds(20) });

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    [Test]
    public async Task Attach_SoundHello_IsWelcomedWithTheTerms()
    {
        var agent = await _fixture.AttachAsync("a");

        Assert.Multiple(() =>
        {
            Assert.That(agent.Welcome!.HeartbeatInterval.ToTimeSpan(), Is.EqualTo(TimeSpan.FromSeconds(1)));
            Assert.That(agent.Welcome.Lease.ToTimeSpan(), Is.EqualTo(TimeSpan.FromSeconds(20)));
            Assert.That((agent.Welcome.StoreId, agent.Welcome.Epoch), Is.EqualTo((_fixture.Host.Agents.Options.StoreId, 1UL)));
            Assert.That(agent.Welcome.StoreId, Is.Not.Empty);
            Assert.That(_fixture.Host.Agents.Find("a")!.Session!.Id, Is.EqualTo(agent.Welcome.SessionId));
        });
    }

    [Test]
    public async Task Heartbeat_Always_IsAnsweredWithItsOwnTimeAndOurs()
    {
        var agent = await _fixture.AttachAsync("a");
        _fixture.Time.Advance(TimeSpan.FromMilliseconds(1777));

        var reply = await agent.BeatAsync(sentNanos: 12345);

        Assert.Multiple(() =>
        {
            Assert.That(reply.SentNanos, Is.EqualTo(12345));
            Assert.That(reply.CoordinatorNanos, Is.EqualTo(_fixture.Clock.Nanos));
        });
    }

    private static IEnumerable<TestCaseData> WrongHellos()
    {
        yield return Wrong("version", Refusal.Types.Code.Version, h => h.Version = new() { Major = 99 });
        yield return Wrong("version", Refusal.Types.Code.Version, h => h.Version = null);
        yield return Wrong("agent_id", Refusal.Types.Code.InvalidHello, h => h.AgentId = "");
        yield return Wrong("agent_id", Refusal.Types.Code.InvalidHello, h => h.AgentId = new string('a', 129));
        yield return Wrong("agent_id", Refusal.Types.Code.InvalidHello, h => h.AgentId = "a\u001b[31m");
        yield return Wrong("agent_id", Refusal.Types.Code.InvalidHello, h => h.AgentId = "a\u200b");
        yield return Wrong("agent_id", Refusal.Types.Code.InvalidHello, h => h.AgentId = "a ");
        yield return Wrong("incarnation", Refusal.Types.Code.InvalidHello, h => h.Incarnation = "");
        yield return Wrong("role", Refusal.Types.Code.InvalidHello, h => h.Role = AgentRole.Unspecified);
        yield return Wrong("role", Refusal.Types.Code.InvalidHello, h => h.Role = (AgentRole)17);
        yield return Wrong("labels", Refusal.Types.Code.InvalidHello, h => h.Labels.Add("zone", new string('z', 5000)));
        yield return Wrong("inventory", Refusal.Types.Code.InvalidHello, h => h.Inventory = null);
        yield return Wrong("inventory.cores", Refusal.Types.Code.InvalidHello, h => h.Inventory.Cores = 0);
        yield return Wrong("inventory.connections_per_reactor", Refusal.Types.Code.InvalidHello,
            h => h.Inventory.ConnectionsPerReactor = 0);
        yield return Wrong("inventory.network_namespace", Refusal.Types.Code.InvalidHello, h => h.Inventory.NetworkNamespace = "");
        yield return Wrong("inventory.addresses", Refusal.Types.Code.InvalidHello,
            h => h.Inventory.Addresses.Add(new V1.HostAddress { Address = ByteString.CopyFrom(1, 2, 3) }));
        yield return Wrong("inventory.ephemeral_ports", Refusal.Types.Code.InvalidHello,
            h => h.Inventory.EphemeralPorts = new() { First = 2, Last = 1 });
        yield return Wrong("inventory.listening_ports", Refusal.Types.Code.InvalidHello,
            h => h.Inventory.ListeningPorts.Add(new PortRange { First = 1, Last = 70000 }));
        yield return Wrong("held.held", Refusal.Types.Code.InvalidHello, h => h.Held = new() { RunId = "r", Held = ulong.MaxValue });

        static TestCaseData Wrong(string field, Refusal.Types.Code code, Action<Hello> spoil) =>
            new TestCaseData(field, code, spoil).SetArgDisplayNames(field, code.ToString());
    }

    [TestCaseSource(nameof(WrongHellos))]
    public async Task Attach_WrongHello_IsRefusedNamingTheField(string field, Refusal.Types.Code code, Action<Hello> spoil)
    {
        var hello = FakeAgent.MakeHello("a");
        spoil(hello);

        var agent = await _fixture.AttachAsync(hello);

        Assert.Multiple(() =>
        {
            Assert.That(agent.Refusal?.Code, Is.EqualTo(code));
            Assert.That(agent.Refusal?.Message, Does.StartWith(field));
            Assert.That(_fixture.Host.Agents.Agents, Is.Empty);
        });
    }

    [Test]
    public async Task Attach_SecondProcessOfOneIdentity_IsRefusedWhileTheFirstAnswers()
    {
        var first = await _fixture.AttachAsync("a");
        var attaching = _fixture.AttachAsync("a");
        while (!attaching.IsCompleted)
            await _fixture.PassAsync(TimeSpan.FromMilliseconds(97));

        var second = await attaching;
        Assert.Multiple(() =>
        {
            Assert.That(second.Refusal?.Code, Is.EqualTo(Refusal.Types.Code.IdentityInUse));
            Assert.That(second.Refusal?.Message, Does.Contain("process 4242").And.Contain("host-of-a"));
            Assert.That(first.Detached.IsCompleted, Is.False);
            Assert.That(_fixture.Host.Agents.Find("a")!.Hello.Incarnation, Is.EqualTo(first.Hello.Incarnation));
        });
    }

    [Test]
    public async Task Attach_SecondProcessOfOneIdentity_TakesOverFromASilentOne()
    {
        var first = await _fixture.AttachAsync("a");
        first.Lively = false;
        var attaching = _fixture.AttachAsync("a");
        while (!attaching.IsCompleted)
            await _fixture.PassAsync(TimeSpan.FromMilliseconds(97));

        var second = await attaching;
        await first.Detached.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Multiple(() =>
        {
            Assert.That(second.Welcome, Is.Not.Null);
            Assert.That(_fixture.Host.Agents.Find("a")!.Hello.Incarnation, Is.EqualTo(second.Hello.Incarnation));
        });
    }

    [Test]
    public async Task Attach_SameProcessAgain_ReplacesItsOldCallAtOnce()
    {
        var first = await _fixture.AttachAsync("a");

        var second = await _fixture.AttachAsync(first.Hello);

        await first.Detached.WaitAsync(TimeSpan.FromSeconds(60));
        Assert.Multiple(() =>
        {
            Assert.That(second.Welcome, Is.Not.Null);
            Assert.That(_fixture.Host.Agents.Find("a")!.Session!.Id, Is.EqualTo(second.Welcome!.SessionId));
        });
    }

    [Test]
    public async Task Attach_CoordinatorEnding_IsToldToComeBackLater()
    {
        _fixture.Host.Agents.EndAll("the coordinator has stopped");

        var agent = await _fixture.AttachAsync("a");

        Assert.That(agent.Refusal?.Code, Is.EqualTo(Refusal.Types.Code.ShuttingDown));
    }

    [Test]
    public async Task Attach_TwoHellos_EndsTheCall()
    {
        var agent = await _fixture.AttachAsync("a");

        await agent.SendAsync(new AttachRequest { Hello = agent.Hello });

        await agent.Detached.WaitAsync(TimeSpan.FromSeconds(60));
        await _fixture.UntilAsync(() => _fixture.Host.Agents.Find("a")!.Session is null, TimeSpan.FromSeconds(60), "detached");
    }

    [Test]
    public async Task Goodbye_Always_IsProofOfItsGoing()
    {
        var agent = await _fixture.AttachAsync("a");

        await agent.SendAsync(new AttachRequest { Goodbye = new() { Reason = "SIGTERM" } });

        var state = _fixture.Host.Agents.Find("a")!;
        await _fixture.UntilAsync(() => state.Session is null, TimeSpan.FromSeconds(60), "detached");
        Assert.Multiple(() =>
        {
            Assert.That(state.Departure, Does.Contain("SIGTERM"));
            Assert.That(state.IsLost(TimeSpan.FromHours(1)), Is.True);
        });
    }

    [Test]
    public async Task Silence_BelowLeaseDrainAndMargin_IsNoLoss()
    {
        var agent = await _fixture.AttachAsync("a");
        agent.Lively = false;
        var state = _fixture.Host.Agents.Find("a")!;
        var drain = TimeSpan.FromSeconds(10);

        // 20 s of lease, 10 s of drain, 5 s of margin
        _fixture.Time.Advance(TimeSpan.FromSeconds(35));
        var before = state.IsLost(drain);
        _fixture.Time.Advance(TimeSpan.FromMilliseconds(1));

        Assert.Multiple(() =>
        {
            Assert.That(before, Is.False);
            Assert.That(state.IsLost(drain), Is.True);
            Assert.That(state.Departure, Is.Null);
        });
    }

    [Test]
    public async Task Silence_AfterTheCallBroke_CountsFromTheLastHeartbeat()
    {
        var agent = await _fixture.AttachAsync("a");
        var state = _fixture.Host.Agents.Find("a")!;
        _fixture.Time.Advance(TimeSpan.FromSeconds(3));
        await agent.BeatAsync();
        await agent.DisposeAsync();
        await _fixture.UntilAsync(() => state.Session is null, TimeSpan.FromSeconds(60), "detached");
        var passed = state.Silence;
        _fixture.Time.Advance(TimeSpan.FromSeconds(36) - passed);

        Assert.That(state.IsLost(TimeSpan.FromSeconds(10)), Is.True);
    }

    [TestCase("a", null, null)]
    [TestCase(null, "another life", null)]
    [TestCase(null, null, "another session")]
    public async Task Upload_NotOfASession_IsRefused(string? id, string? incarnation, string? session)
    {
        var agent = await _fixture.AttachAsync("real");
        using var channel = Coordinator.Security.CoordinatorChannel.ForSocket(_fixture.SocketPath, _fixture.Credential);
        using var upload = new AgentLink.AgentLinkClient(channel.Invoker).Upload();
        await upload.RequestStream.WriteAsync(new()
        {
            Hello = new()
            {
                AgentId = id ?? "real",
                Incarnation = incarnation ?? agent.Hello.Incarnation,
                SessionId = session ?? agent.Welcome!.SessionId,
            },
        });

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await upload.ResponseStream.MoveNext(CancellationToken.None));
        Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.FailedPrecondition));
    }

    [Test]
    public async Task Upload_SampleOfARunThatIsNotOurs_IsAcknowledgedAndForgotten()
    {
        var agent = await _fixture.AttachAsync("a");

        Assert.That(await agent.UploadAsync(agent.MakeSample("a run of long ago", 0, 10)), Is.EqualTo(1));
    }

    [Test]
    public async Task ReportExited_ByIdentityOrProcess_IsProof()
    {
        await _fixture.AttachAsync("a");
        var hello = FakeAgent.MakeHello("b");
        hello.Inventory.Pid = 99;
        await _fixture.AttachAsync(hello);

        _fixture.Host.Agents.ReportExited("a", "signal 9");
        _fixture.Host.Agents.ReportExited(99, "exit code 3");
        _fixture.Host.Agents.ReportExited("never seen", "exit code 1");

        Assert.Multiple(() =>
        {
            Assert.That(_fixture.Host.Agents.Find("a")!.Departure, Does.Contain("signal 9"));
            Assert.That(_fixture.Host.Agents.Find("b")!.Departure, Does.Contain("exit code 3"));
            Assert.That(
                _fixture.Host.Agents.Exits,
                Is.EqualTo(new AgentExit[] { new("a", "signal 9"), new("b", "exit code 3"), new("never seen", "exit code 1") }));
            Assert.That(_fixture.Host.Agents.Agents.Where(a => a.IsIdle), Is.Empty);
        });
    }
}
