using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Tests.Planning;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;

namespace LoadHarness.Coordinator.Tests.Reports;

public class PlanTextTests
{
    [Test]
    public void Lines_DefaultRate_SaysThatItIsTheDefault()
    {
        var spec = Spec(10_000, "tcp://127.0.0.1:9000-9009");
        var lines = PlanText.Lines(spec, Planned(spec, [Agent("local-1"), Agent("local-2")], Sources(("ns1", "127.0.0.1"))));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(lines, Does.Contain("target    tcp://127.0.0.1:9000-9009: 10 destinations"));
            Assert.That(lines, Does.Contain("goal      10,000 connections, held for 1m"));
            Assert.That(lines, Has.One.StartsWith("opening   2,000/s for 5s (the gentle default"));
            Assert.That(lines, Has.One.Contains("127.0.0.1 (chosen by the route)"));
            Assert.That(lines, Has.One.Contains("2: local-1 5,000, local-2 5,000"));
            Assert.That(lines, Has.One.Contains("connect 10s, drain 11s"));
        }
    }

    [Test]
    public void Lines_ManyOfEverything_StayWithinEightyColumns()
    {
        var targets = Enumerable.Range(1, 9).Select(i => Target($"10.0.0.{i}:1000-1009"));
        var spec = Spec(10_000) with { Ramp = TimeSpan.FromSeconds(10), Targets = [.. targets] };
        var agents = Enumerable.Range(0, 40).Select(i => Agent($"agent-with-a-long-name-{i}"));
        var plan = Planned(spec, [.. agents],
            Sources(("ns1", "10.1.0.1"), ("ns1", "10.1.0.3"), ("ns1", "10.1.0.5"), ("ns1", "10.1.0.7"), ("ns1", "10.1.0.9")));
        Assert.That(PlanText.Lines(spec, plan).Select(l => l.Length), Is.All.LessThanOrEqualTo(SummaryText.Width));
    }
}
