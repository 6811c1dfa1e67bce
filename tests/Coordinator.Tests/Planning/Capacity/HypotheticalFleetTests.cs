using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Protos;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;

namespace LoadHarness.Coordinator.Tests.Planning.Capacity;

public class HypotheticalFleetTests
{
    private static readonly HypotheticalFleet _one = new() { Agents = 1, SourcesPerAgent = 1 };

    [Test]
    public void Report_FourteenAgents_HoldFourteenTimesOne()
    {
        var report = (_one with { Agents = 14 }).Report(Spec(2_000_000));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Tuples, Is.EqualTo(14 * 60_416));
            Assert.That(report.Fits, Is.False);
            Assert.That(report.First.Remedies.Single(r => r.Change == RemedyKind.Destinations).Total, Is.EqualTo(3));
            Assert.That(report.First.Remedies.Single(r => r.Change == RemedyKind.Sources).Total, Is.EqualTo(34));
            Assert.That(report.Haproxy.ServerPairs, Is.EqualTo(71));
        }
    }

    [Test]
    public void Report_AllEphemeralPortsOfOneSource_IsTheKnownCeiling()
    {
        var report = _one.Report(Spec(28_232, ports: "32768-60999"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Fits, Is.True);
            Assert.That(report.Holds, Is.EqualTo(28_232));
            Assert.That(report.Churn.RestCeiling, Is.EqualTo(470.53).Within(0.01));
            Assert.That(report.KernelChosen.PerPair, Is.EqualTo(28_232));
            Assert.That(report.Assumptions, Has.Some.Contains("--force"));
        }
    }

    [Test]
    public void Report_OtherEphemeralPorts_LeaveThoseToTheHost()
    {
        var report = (_one with { EphemeralPorts = new PortSpan(10_000, 65_535) }).Report(Spec(1));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.KernelChosen.PerPair, Is.EqualTo(55_536));
            Assert.That(report.Tuples, Is.EqualTo(64_512 - 4_096));
        }
    }

    [Test]
    public void Report_MemoryThatIsGiven_Binds()
    {
        var report = (_one with { Agents = 2, SourcesPerAgent = 20, MemoryBytes = 1_000_000_000 }).Report(Spec(1_000_000));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Fits, Is.False);
            Assert.That(report.First.Kind, Is.EqualTo(CapacityLimitKind.Memory));
            Assert.That(report.Holds, Is.EqualTo(2 * (960_000_000 / 5189)).Within(1));
            Assert.That(report.First.Remedies[0].Total, Is.EqualTo(40_000_000 + (500_000 * 5189L)));
        }
    }

    [Test]
    public void Report_NameWithoutAddress_CountsAsOne()
    {
        var spec = Spec(10) with { Targets = [new TargetSpec("vip:80-81", "vip", [], [new PortSpan(80, 81)])] };
        var report = _one.Report(spec);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Tuples, Is.EqualTo(2 * 60_416));
            Assert.That(report.Assumptions, Has.Some.Contains("vip has no address here"));
        }
    }

    [Test]
    public void Report_BothFamilies_CountEachForItself()
    {
        var spec = Spec(10) with { Targets = [Target("10.0.0.5:80"), Target("[2001:db8::5]:80-81")] };
        var report = (_one with { SourcesPerAgent = 2 }).Report(spec);
        Assert.That(report.Tuples, Is.EqualTo((2 * 60_416) + (2 * 2 * 60_416)));
    }
}
