using Google.Protobuf;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Runs.RunFixture;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>Runs whose endpoint space is less than they asked for, at the start or on the way.</summary>
public sealed class RunSpaceTests
{
    private static readonly ByteString _second = ByteString.CopyFrom(127, 0, 0, 2);

    private FleetFixture _fixture = null!;

    [SetUp]
    public async Task SetUp() => _fixture = await FleetFixture.StartAsync();

    [TearDown]
    public async Task TearDown() => await _fixture.DisposeAsync();

    [Test]
    public async Task GoneSource_UnderLoad_IsNamedAndItsShareMoves()
    {
        var hello = FakeAgent.MakeHello("a");
        hello.Inventory.Addresses.Add(new HostAddress { Address = _second, PrefixLength = 8, Device = "lo" });
        var agent = await _fixture.AttachAsync(hello);
        var spec = Spec(1000, agents: 1, holdSeconds: 20);
        spec.Sources.Add("127.0.0.1-127.0.0.2");
        await _fixture.CreateAsync(spec);
        await _fixture.UntilAsync(RunState.Holding);
        var before = agent.Assignments[^1];

        var status = FakeAgent.Obey(before);
        status.GoneSources.Add(_second);
        agent.Respond = a =>
        {
            var obeyed = FakeAgent.Obey(a);
            obeyed.GoneSources.Add(_second);
            return obeyed;
        };
        await agent.SendAsync(new AttachRequest { Status = status });
        await _fixture.UntilAsync(() => agent.Assignments[^1].Revision.Number > before.Revision.Number, Long, "planned again");
        var after = agent.Assignments[^1];
        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(after.Phase, Is.EqualTo(Phase.Running));
            Assert.That(after.Schedule.Points[^1].Goal, Is.EqualTo(1000));
            Assert.That(run.State, Is.EqualTo(RunState.Completed));
            Assert.That(summary.Notes(), Has.One.Contains("source 127.0.0.2 is gone from host host-of-a").And.One.Contains("its share moves"));
        });
    }

    [Test]
    public async Task Force_MoreThanFits_HoldsWhatFitsAndSaysWhy()
    {
        await _fixture.AttachAsync("a");
        var spec = Spec(5000, agents: 1);
        spec.SourcePorts = "20000-20299";
        spec.Force = true;
        await _fixture.CreateAsync(spec);

        var (run, summary) = await _fixture.EndAsync();

        Assert.Multiple(() =>
        {
            Assert.That(run.State, Is.EqualTo(RunState.Completed));
            Assert.That(summary.GetProperty("target").GetProperty("connections").GetInt64(), Is.EqualTo(3000).Within(300));
            Assert.That(summary.Notes(), Has.One.Contains("the goal was cut from 5,000 to").And.One.Contains("3,000"));
        });
    }
}
