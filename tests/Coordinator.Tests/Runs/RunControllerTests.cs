using System.Text.Json;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Runs;

public sealed class RunControllerTests
{
    private static readonly TimeSpan _long = TimeSpan.FromSeconds(120);

    [Test]
    public async Task Run_ObedientAgents_GoesThroughAllStatesToASummary()
    {
        await using var fixture = await FleetFixture.StartAsync();
        var agents = new[] { await fixture.AttachAsync("a"), await fixture.AttachAsync("b") };

        var run = await fixture.Control.CreateRunAsync(new() { Spec = Spec(1000, agents: 2) });
        await fixture.UntilAsync(() => State(fixture) == RunState.Holding, _long, "holding");
        var progress = fixture.Control.GetRun(new()).Progress;
        await fixture.UntilAsync(() => State(fixture) == RunState.Completed, _long, "completed");

        var ended = fixture.Control.GetRun(new() { Id = run.Id });
        var summary = JsonDocument.Parse(ended.SummaryJson).RootElement;
        Assert.Multiple(() =>
        {
            Assert.That(progress.Established, Is.EqualTo(1000));
            Assert.That(ended.StateReason, Is.Empty);
            Assert.That(summary.GetProperty("exitCode").GetInt32(), Is.Zero, ended.SummaryJson);
            Assert.That(summary.GetProperty("run").GetProperty("stages").EnumerateArray().Select(s => s.GetProperty("name").GetString()),
                Is.EqualTo(new[] { "prepare", "ramp", "hold", "drain" }));
            foreach (var agent in agents)
            {
                Assert.That(agent.Assignments.Select(a => a.Phase), Is.EqualTo(new[] { Phase.Prepared, Phase.Running, Phase.Drained }));
                Assert.That(agent.Assignments.Select(a => a.Share), Is.All.EqualTo(500));
            }

            Assert.That(fixture.Log.Lines, Is.Empty);
        });
    }

    private static RunSpec Spec(ulong connections, uint agents) => new()
    {
        Targets = { "127.0.0.1:9000-9009" },
        Connections = connections,
        Ramp = Duration.FromTimeSpan(TimeSpan.FromSeconds(2)),
        Hold = Duration.FromTimeSpan(TimeSpan.FromSeconds(4)),
        Agents = agents,
    };

    private static RunState State(FleetFixture fixture) => fixture.Control.GetRun(new()).State;
}
