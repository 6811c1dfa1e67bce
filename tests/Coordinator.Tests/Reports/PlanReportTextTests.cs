using System.Collections.Immutable;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.Specs;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Tests.Reports;

public class PlanReportTextTests
{
    private static readonly HypotheticalFleet _one = new() { Agents = 1, SourcesPerAgent = 1 };

    private static string Joined(CapacityReport report) =>
        string.Join(' ', string.Join(' ', PlanReportText.Lines(report)).Split(' ', StringSplitOptions.RemoveEmptyEntries));

    [Test]
    public void Lines_DoesNotFit_SaysInTheFirstThreeItemsWhatAndWhy()
    {
        var labels = PlanReportText.Lines(_one.Report(Spec(100_000))).Where(l => l.Length > 0 && l[0] != ' ').ToList();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(labels[0], Is.EqualTo("fits         no: 60,416 of 100,000 connections; 39,584 are missing"));
            Assert.That(labels[1], Is.EqualTo("limit        tuples: 1 source x 60,416 source ports x 1 destination = 60,416"));
            Assert.That(labels[2], Does.StartWith("change       1 more target port (2 in all); or 1 more source (2 in all,"));
        }
    }

    [Test]
    public void Lines_OneSourceOneDestination_ExplainTheKnownCeilings()
    {
        var text = Joined(_one.Report(Spec(100)));
        Assert.That(text, Does.Contain("28,232 connections, slow from 14,116 on").And.Contain("470/s of churn (28,232 / 60 s)")
            .And.Contain("60 s on Linux").And.Contain("not the 120 s of older texts").And.Contain("1,006/s at most (60,416 tuples / 60 s of rest"));
    }

    [Test]
    public void Lines_ChurnBeyondTheTuples_SayWhatItTakesAndTheCeiling()
    {
        var spec = Spec(10_000) with { Workload = Workloads.Churn(TimeSpan.FromSeconds(1), CloseMethod.Fin) };
        Assert.That(Joined(_one.Report(spec)), Does.Contain("610,000 in all").And.Contain("The ceiling is 60,416 / (1s + 1m) = 990/s"));
    }

    [Test]
    public void Lines_ReusedAtOnceWithoutTimestamps_Warns()
    {
        var spec = Spec(100) with { Rest = TimeSpan.Zero };
        var facts = new Dictionary<string, HostFacts> { ["host-ns1"] = new() { TcpTimestamps = false } };
        string Text(RunSpec asked) =>
            Joined(CapacityReporter.Of(asked, Supply(asked, [Agent("a")], Sources(("ns1", "10.1.0.1"))), facts));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Text(spec), Does.Contain("warning --reuse immediate needs TCP timestamps").And.Contain("is 0 on host-ns1"));
            Assert.That(Text(Spec(100)), Does.Not.Contain("needs TCP timestamps"));
        }
    }

    [Test]
    public void Lines_ConnectRateAboveWhatTuplesAllow_SayThatItIsLowered()
    {
        var spec = Spec(100, ports: "20000-23149") with { ConnectRate = 5_000, Workload = Workloads.Churn(TimeSpan.FromSeconds(2), CloseMethod.Fin) };
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Joined(_one.Report(spec)), Does.Contain("less than the --connect-rate of 5,000/s: tuples rest 1m"));
            Assert.That(Joined(_one.Report(spec with { ConnectRate = 50 })), Does.Not.Contain("less than the --connect-rate"));
        }
    }

    [Test]
    public void Lines_AnyReport_StayWithinEightyColumns()
    {
        foreach (var (goal, agents) in new[] { (1L, 1), (2_000_000L, 14), (100_000_000L, 1_000) })
        {
            var lines = PlanReportText.Lines((_one with { Agents = agents, MemoryBytes = 8_000_000_000 }).Report(Spec(goal)));
            Assert.That(lines.Where(l => l.Length > SummaryText.Width), Is.Empty);
        }
    }

    [Test]
    public void Json_OfAPlan_HasTheSameNumbers()
    {
        var json = JsonNode.Parse(PlanReportJson.Write(_one.Report(Spec(100_000))))!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That((string?)json["schema"], Is.EqualTo("loadharness/plan/v1"));
            Assert.That((bool?)json["fits"], Is.False);
            Assert.That((long?)json["holds"], Is.EqualTo(60_416));
            Assert.That((string?)json["limitedBy"], Is.EqualTo("tuples"));
            Assert.That((int?)json["kernelChosenPorts"]!["perPair"], Is.EqualTo(28_232));
            Assert.That((int?)json["churn"]!["timeWaitSeconds"], Is.EqualTo(60));
            Assert.That((string?)json["limits"]![0]!["remedies"]![0]!["change"], Is.EqualTo("destinations"));
        }
    }
}
