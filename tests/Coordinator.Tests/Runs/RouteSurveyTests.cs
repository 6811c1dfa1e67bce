using Google.Protobuf;
using Grpc.Core;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Protos;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Runs.RunFixture;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>What agents are asked before a run is planned, and what becomes of their answers.</summary>
public sealed class RouteSurveyTests
{
    private FleetFixture _fixture = null!;

    [SetUp]
    public async Task SetUp() => _fixture = await FleetFixture.StartAsync();

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    [Test]
    public async Task Run_NoSources_ConnectsFromWhereTheAgentsKernelWould()
    {
        var agent = await AttachAsync("a", "n/1", "127.9.9.9");

        await _fixture.CreateAsync(Spec(10, agents: 1));
        await _fixture.EndAsync();

        Assert.That(agent.Queries.Single().Addresses.Select(Text), Is.EqualTo(new[] { "127.0.0.1" }));
        Assert.That(agent.Assignments[0].Slice.Blocks.Select(b => Text(b.Sources.First)), Is.EqualTo(new[] { "127.9.9.9" }));
    }

    [Test]
    public async Task Run_SourcesAndAddresses_AsksNobody()
    {
        var agent = await AttachAsync("a", "n/1", "127.9.9.9");
        var spec = Spec(10, agents: 1);
        spec.Sources.Add("127.0.0.7");

        await _fixture.CreateAsync(spec);
        await _fixture.EndAsync();

        Assert.That(agent.Queries, Is.Empty);
        Assert.That(Text(agent.Assignments[0].Slice.Blocks[0].Sources.First), Is.EqualTo("127.0.0.7"));
    }

    [Test]
    public async Task Run_NameWithAnotherMeaningOnEachHost_LoadsWhatItMeansThere()
    {
        var west = await AttachAsync("west", "n/1", "127.0.0.1", ("web.test", ["10.0.0.5", "10.0.0.6"]));
        var east = await AttachAsync("east", "n/2", "127.0.0.1", ("web.test", ["10.9.0.5"]));

        await _fixture.CreateAsync(Named(10, agents: 2));
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(summary.ExitCode(), Is.Zero, run.SummaryJson);
            Assert.That(Destinations(west), Is.EqualTo(new[] { "10.0.0.5 web.test True", "10.0.0.6 web.test True" }));
            Assert.That(Destinations(east), Is.EqualTo(new[] { "10.9.0.5 web.test True" }));
            Assert.That(west.Assignments[0].RequiredCapabilities, Does.Contain(Capabilities.Routes));
            Assert.That(
                summary.GetProperty("target").GetProperty("destinations").EnumerateArray().Select(d => d.GetString()),
                Is.EquivalentTo(new[] { "10.0.0.5:443", "10.0.0.6:443", "10.9.0.5:443" }));
            Assert.That(run.Plan.Lines[0], Does.Contain("web.test:443").And.Contain("3 destinations"));
        });
    }

    [Test]
    public async Task Run_NameThatCameResolved_IsUsedAsItIs()
    {
        var agent = await AttachAsync("a", "n/1", "127.0.0.1");
        var spec = Named(10, agents: 1);
        spec.Names.Add(new ResolvedName { Name = "web.test", Addresses = { ByteString.CopyFrom(10, 0, 0, 5) } });

        var run = await _fixture.CreateAsync(spec);
        await _fixture.EndAsync();

        Assert.That(run.Spec.Names, Is.EqualTo(spec.Names));
        Assert.That(Destinations(agent), Is.EqualTo(new[] { "10.0.0.5 web.test False" }));
        Assert.That(agent.Queries.Single().Names, Is.Empty);
    }

    [Test]
    public async Task Run_NameThatAnAgentCannotResolve_IsRefusedNamingIt()
    {
        await AttachAsync("a", "n/1", "127.0.0.1", ("web.test", ["10.0.0.5"]));
        await AttachAsync("b", "n/2", "127.0.0.1");

        var refused = await Assert.ThrowsAsync<RpcException>(async () => await _fixture.CreateAsync(Named(10, agents: 2)));

        Assert.That(refused!.StatusCode, Is.EqualTo(StatusCode.InvalidArgument));
        Assert.That(refused.Status.Detail, Does.Contain("agent b on host host-of-b: cannot resolve web.test: no such name"));
        Assert.That(_fixture.Host.Agents.Find("a")!.Run, Is.Null);
    }

    [Test]
    public async Task Run_AgentThatCannotBeAsked_ConnectsFromWhatItsInventoryShows()
    {
        var hello = FakeAgent.MakeHello("old", "n/1");
        hello.Capabilities.Remove(Capabilities.Routes);
        var agent = await _fixture.AttachAsync(hello);

        await _fixture.CreateAsync(Spec(10, agents: 1));
        await _fixture.EndAsync();

        Assert.That(agent.Queries, Is.Empty);
        Assert.That(Text(agent.Assignments[0].Slice.Blocks[0].Sources.First), Is.EqualTo("127.0.0.1"));
    }

    [Test]
    public async Task Run_AgentThatMissesAQuestion_IsAskedAgain()
    {
        var agent = await AttachAsync("a", "n/1", "127.0.0.1");
        agent.Answer = query => query.Id == 1 ? null : FakeAgent.Route(query);

        var creating = _fixture.CreateAsync(Spec(10, agents: 1));
        await _fixture.UntilAsync(() => creating.IsCompleted, Long, "created");
        var (run, summary) = await _fixture.EndAsync();

        Assert.That(summary.ExitCode(), Is.Zero, run.SummaryJson);
        Assert.That(agent.Queries, Has.Count.EqualTo(2));
    }

    [Test]
    public async Task Run_LinkThatBreaksWhileAsked_IsAskedOverTheNextOne()
    {
        var hello = FakeAgent.MakeHello("a");
        var first = await _fixture.AttachAsync(hello);
        first.Answer = _ => null;
        var creating = _fixture.CreateAsync(Spec(10, agents: 1));
        await _fixture.UntilAsync(() => first.Queries.Count == 1, Long, "asked");

        await first.DisposeAsync();
        var second = await _fixture.AttachAsync(hello);
        await _fixture.UntilAsync(() => creating.IsCompleted, Long, "created");
        var (run, summary) = await _fixture.EndAsync();

        Assert.That(summary.ExitCode(), Is.Zero, run.SummaryJson);
        Assert.That(second.Queries, Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Run_AgentThatNeverAnswers_IsLeftOutOfARunThatOthersCarry()
    {
        var silent = await AttachAsync("silent", "n/1", "127.0.0.1");
        silent.Answer = _ => null;
        var other = await AttachAsync("other", "n/2", "127.0.0.1");

        var creating = _fixture.CreateAsync(Spec(10, agents: 2));
        await _fixture.UntilAsync(() => creating.IsCompleted, Long, "created");
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(summary.ExitCode(), Is.Zero, run.SummaryJson);
            Assert.That(summary.Notes(), Has.Some.Contains("agent silent was left out"));
            Assert.That(other.Assignments[0].Share, Is.EqualTo(10));
            Assert.That(silent.Assignments, Is.Empty);
            Assert.That(_fixture.Host.Agents.Find("silent")!.Run, Is.Null);
        });
    }

    [Test]
    public async Task Run_NobodyAnswers_FailsNamingThem()
    {
        var silent = await AttachAsync("silent", "n/1", "127.0.0.1");
        silent.Answer = _ => null;

        var creating = _fixture.CreateAsync(Spec(10, agents: 1));
        await _fixture.UntilAsync(() => creating.IsCompleted, Long, "created");
        var (run, summary) = await _fixture.EndAsync();

        Assert.That(run.StateReason, Does.Contain("silent").And.Contain("did not answer within 10 s"));
        Assert.That(summary.ExitCode(), Is.EqualTo(5));
    }

    private static RunSpec Named(ulong connections, uint agents)
    {
        var spec = Spec(connections, agents);
        spec.Targets.Clear();
        spec.Targets.Add("web.test:443");
        return spec;
    }

    private async Task<FakeAgent> AttachAsync(
        string id, string networkNamespace, string source, params (string Name, string[] Addresses)[] names)
    {
        var agent = await _fixture.AttachAsync(FakeAgent.MakeHello(id, networkNamespace));
        agent.Answer = query => FakeAgent.Answering(query, names.ToDictionary(n => n.Name, n => n.Addresses), source);
        return agent;
    }

    private static IEnumerable<string> Destinations(FakeAgent agent) =>
        agent.Assignments[0].Destinations.Select(d => $"{Text(d.Addresses.First)} {d.Name} {d.LookUp}");

    private static string Text(ByteString address) => IpAddress.FromBytes(address.Span).ToString();
}
