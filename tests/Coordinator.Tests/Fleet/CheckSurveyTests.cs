using System.Collections.Concurrent;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Protos;
using LoadHarness.V1;
using Verdict = LoadHarness.V1.HostCheck.Types.Verdict;

namespace LoadHarness.Coordinator.Tests.Fleet;

/// <summary>What users hear of the hosts of a fleet: over the users' API, from agents that answer, or do not.</summary>
public sealed class CheckSurveyTests
{
    private FleetFixture _fixture = null!;

    [SetUp]
    public async Task SetUp() => _fixture = await FleetFixture.StartAsync();

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    [Test]
    public async Task CheckAgents_TwoOnOneHostAndOneElsewhere_EachIsAskedForItsHostsPart()
    {
        var needs = new Dictionary<string, V1.HostNeed>();
        foreach (var (id, network) in new[] { ("a", "boot1/1"), ("b", "boot1/2"), ("c", "boot2/1") })
        {
            var agent = await _fixture.AttachAsync(FakeAgent.MakeHello(id, network));
            agent.Check = query =>
            {
                lock (needs)
                    needs[id] = query.Need;
                return FakeAgent.Well(query);
            };
        }

        var answer = await _fixture.Control.CheckAgentsAsync(
            new() { Need = new() { Connections = 900_001, BothEnds = true, ConnectsPerSecond = 3000 } });

        Assert.Multiple(() =>
        {
            Assert.That(answer.Agents.Select(a => (a.AgentId, a.Host, a.Error, a.Checks.Count)),
                Is.EquivalentTo(new[] { ("a", "host-of-a", "", 1), ("b", "host-of-b", "", 1), ("c", "host-of-c", "", 1) }));
            Assert.That(new[] { "a", "b", "c" }.Select(id => needs[id].Connections), Is.EqualTo(new[] { 600_001, 600_001, 300_001 }));
            Assert.That(needs["c"].ConnectsPerSecond, Is.EqualTo(1000).Within(1e-9));
            Assert.That(needs.Values.Select(n => (n.BothEnds, n.Accepts)), Is.All.EqualTo((true, false)));
        });
    }

    [Test]
    public async Task CheckAgents_FindingOfAHost_ComesAsTheAgentSaidIt()
    {
        var agent = await _fixture.AttachAsync("a");
        var said = new V1.HostCheck
        {
            Name = "fs.file-max",
            Value = "1,000",
            Needed = "2,000",
            Verdict = Verdict.Error,
            Remedy = "sysctl -w fs.file-max=2000",
            Risk = "none",
            Sysctls = { ["fs.file-max"] = "2000" },
        };
        agent.Check = query => new() { Id = query.Id, Checks = { said } };

        var answer = await _fixture.Control.CheckAgentsAsync(new());

        Assert.That(answer.Agents.Single().Checks.Single(), Is.EqualTo(said));
    }

    [Test]
    public async Task CheckAgents_OlderRelease_SaysWhatToInstallAndTheOthersAnswer()
    {
        var old = FakeAgent.MakeHello("old");
        old.Capabilities.Remove(Capabilities.Checks);
        await _fixture.AttachAsync(old);
        await _fixture.AttachAsync("new");

        var answer = await _fixture.Control.CheckAgentsAsync(new());

        Assert.Multiple(() =>
        {
            Assert.That(answer.Agents.Single(a => a.AgentId == "old").Error, Does.Contain("install the coordinator's release"));
            Assert.That(answer.Agents.Single(a => a.AgentId == "new").Checks, Has.Count.EqualTo(1));
        });
    }

    [Test]
    public async Task CheckAgents_Silent_IsSaidAfterTenSeconds()
    {
        var agent = await _fixture.AttachAsync("a");
        agent.Check = _ => null;

        var asking = _fixture.Control.CheckAgentsAsync(new()).ResponseAsync;
        await _fixture.UntilAsync(() => asking.IsCompleted, TimeSpan.FromSeconds(30), "answered");

        Assert.That((await asking).Agents.Single().Error, Is.EqualTo("it did not answer within 10 s"));
    }

    [Test]
    public async Task CheckAgents_ByTwoUsersAtOnce_AnswersBothInTurn()
    {
        var agent = await _fixture.AttachAsync("a");
        var queries = new ConcurrentQueue<CheckQuery>();
        agent.Check = query =>
        {
            queries.Enqueue(query);
            return null;
        };
        var first = _fixture.Control.CheckAgentsAsync(new() { Need = new() { Connections = 1 } }).ResponseAsync;
        await AskedAsync(1);
        var second = _fixture.Control.CheckAgentsAsync(new() { Need = new() { Connections = 2 } }).ResponseAsync;
        // Long enough for the second to reach the coordinator, whose first it would disturb there.
        await Task.WhenAny(first, Task.Delay(TimeSpan.FromMilliseconds(500)));

        for (var asked = 1; asked <= 2; asked++)
        {
            await AskedAsync(asked);
            await agent.SendAsync(new() { CheckAnswer = FakeAgent.Well(queries.Last()) });
        }

        Assert.That(new[] { await first, await second }.Select(a => a.Agents.Single()).Select(a => (a.Error, a.Checks.Count)), Is.All.EqualTo(("", 1)));
        Assert.That(queries.Select(q => q.Need.Connections), Is.EqualTo(new[] { 1, 2 }));

        async Task AskedAsync(int count)
        {
            for (var end = DateTime.UtcNow.AddSeconds(30); queries.Count < count && DateTime.UtcNow < end;)
                await Task.Delay(10);
            Assert.That(queries, Has.Count.EqualTo(count));
        }
    }

    [Test]
    public void Hello_HostLimits_ReachThePlan()
    {
        var hello = FakeAgent.MakeHello("a");
        hello.Inventory.FileMax = 5000;
        hello.Inventory.OpenFiles = 1200;
        hello.Inventory.TcpMemoryPages.Add([1, 2, 3]);
        hello.Inventory.PageBytes = 4096;
        hello.Inventory.MaxOrphans = 77;
        hello.Inventory.AllowProvision.Add("10.0.1.0/24@eth0");

        var inventory = WireTranslation.ToHello(hello).Inventory;

        Assert.Multiple(() =>
        {
            Assert.That(inventory.ToFacts().FreeFiles, Is.EqualTo(3800));
            Assert.That((inventory with { FileMax = 0 }).ToFacts().FreeFiles, Is.Null);
            Assert.That((inventory with { OpenFiles = 6000 }).ToFacts().FreeFiles, Is.Zero);
            Assert.That(inventory.TcpMemoryPages, Is.EqualTo(new[] { 1, 2, 3 }));
            Assert.That((inventory.PageBytes, inventory.MaxOrphans), Is.EqualTo((4096L, 77L)));
            Assert.That(inventory.AllowProvision, Is.EqualTo(new[] { "10.0.1.0/24@eth0" }));
        });
    }
}
