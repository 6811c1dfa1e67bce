using System.Collections.Immutable;
using CsCheck;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Planning.Capacity;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.Specs;
using LoadHarness.Protos;
using LoadHarness.V1;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;
using RunSpec = LoadHarness.Coordinator.Specs.RunSpec;

namespace LoadHarness.Coordinator.Tests.Planning.Capacity;

public class CapacityReporterTests
{
    private static readonly Gen<(int Agents, int Namespaces, int Sources, int Ports, int Targets)> _fleets =
        Gen.Select(Gen.Int[1, 5], Gen.Int[1, 3], Gen.Int[1, 6], Gen.Int[1, 700], Gen.Int[1, 6]);

    private static CapacityReport Report(
        RunSpec spec, ImmutableArray<AgentResources> agents, params (string Network, string Range)[] sources) =>
        CapacityReporter.Of(spec, Supply(spec, agents, Sources(sources)), ImmutableDictionary<string, HostFacts>.Empty);

    private static (RunSpec Spec, PlanSupply Supply) Of((int Agents, int Namespaces, int Sources, int Ports, int Targets) fleet, long goal)
    {
        var spec = Spec(goal, $"10.0.0.5:1000-{999 + fleet.Targets}", $"20000-{19999 + fleet.Ports}");
        var agents = Enumerable.Range(0, fleet.Agents).Select(i => Agent($"a{i}", network: $"ns{i % fleet.Namespaces}")).ToImmutableArray();
        var sources = Enumerable.Range(0, fleet.Namespaces).Select(n => ($"ns{n}", $"10.1.{n}.1-10.1.{n}.{fleet.Sources}")).ToArray();
        return (spec, Supply(spec, agents, Sources(sources)));
    }

    private static long TupleLimitOf(RunSpec spec, PlanSupply supply) => LimitOf(spec, supply, CapacityLimitKind.Tuples).Holds;

    private static CapacityLimit LimitOf(RunSpec spec, PlanSupply supply, CapacityLimitKind kind) =>
        CapacityReporter.Of(spec, supply, ImmutableDictionary<string, HostFacts>.Empty).Limits.Single(l => l.Kind == kind);

    private static Remedy Remedy(CapacityLimit limit, RemedyKind kind) => limit.Remedies.Single(r => r.Change == kind);

    [Test]
    public void Of_OneSourceOneDestination_ShowsTheKnownCeilings()
    {
        var report = Report(Spec(100_000), [Agent("a")], ("ns1", "10.0.0.1"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Fits, Is.False);
            Assert.That(report.Holds, Is.EqualTo(60_416), "1024-65535 without the top 4,096 of the ephemeral range");
            Assert.That(report.First.Kind, Is.EqualTo(CapacityLimitKind.Tuples));
            Assert.That(Remedy(report.First, RemedyKind.Destinations), Has.Property("Total").EqualTo(2).And.Property("More").EqualTo(1));
            Assert.That(Remedy(report.First, RemedyKind.Sources), Has.Property("Total").EqualTo(2).And.Property("More").EqualTo(1));
            Assert.That(report.KernelChosen.PerPair, Is.EqualTo(28_232));
            Assert.That(report.KernelChosen.ChurnPerPair, Is.EqualTo(470.53).Within(0.01));
            Assert.That(report.Churn.RestCeiling, Is.EqualTo(60_416 / 60.0).Within(1e-9));
        }
    }

    [Test]
    public void Of_DescriptorsShort_SaysHowManyAgentsAndWhichLimit()
    {
        var report = Report(Spec(50_000), [Agent("a") with { PrivateDescriptorTables = false }], ("ns1", "10.0.0.1"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.First.Kind, Is.EqualTo(CapacityLimitKind.Descriptors));
            Assert.That(Remedy(report.First, RemedyKind.Agents), Has.Property("More").EqualTo(2));
            Assert.That(Remedy(report.First, RemedyKind.ProcessLimit).Total, Is.EqualTo(50_200));
        }
    }

    [Test]
    public void Of_NarrowSourcePorts_AdvisesToLeaveThemOutFirst()
    {
        var report = Report(Spec(2_000, ports: "20000-20999"), [Agent("a")], ("ns1", "10.0.0.1"));
        Assert.That(report.First.Remedies[0], Has.Property("Change").EqualTo(RemedyKind.SourcePorts).And.Property("Total").EqualTo(60_416));
    }

    [Test]
    public void Of_ChurnThatRests_CountsWhatRests()
    {
        var spec = Spec(100, ports: "20000-24999") with { Workload = Workloads.Churn(TimeSpan.FromSeconds(1), CloseMethod.Fin) };
        var churn = Report(spec, [Agent("a")], ("ns1", "10.0.0.1")).Churn;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(churn.Wanted, Is.EqualTo(100));
            Assert.That(churn.RestCeiling, Is.EqualTo(5000 / 61.0).Within(1e-9));
            Assert.That(churn.TuplesNeeded, Is.EqualTo(6100));
            Assert.That(churn.IsSustainable, Is.False);
            Assert.That(churn.TimeWait, Is.EqualTo(4919), "5,000 / 61 s x 60 s");
        }
    }

    [TestCase(0, CloseMethod.Fin)]
    [TestCase(60, CloseMethod.Rst)]
    public void Of_ChurnThatNeverRests_HasNoCeiling(int rest, CloseMethod close)
    {
        var spec = Spec(5000, ports: "20000-24999") with
        {
            Workload = Workloads.Churn(TimeSpan.FromMilliseconds(100), close),
            Rest = TimeSpan.FromSeconds(rest),
        };
        Assert.That(Report(spec, [Agent("a")], ("ns1", "10.0.0.1")).Churn.IsSustainable, Is.True);
    }

    [Test]
    public void Of_TargetOnTheSameHost_CountsBothEndsAndItsPorts()
    {
        var report = Report(Spec(1000, "127.0.0.1:9000-9009"), [Agent("a")], ("ns1", "127.0.0.1"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Spaces[0].Ports, Is.EqualTo(60_406));
            Assert.That(report.Tuples, Is.EqualTo(604_060));
            Assert.That(report.Hosts[0].KernelBytes, Is.EqualTo(10_250_000));
        }
    }

    [Test]
    public void Of_LittleMemory_WarnsButDoesNotRefuse()
    {
        var spec = Spec(50_000);
        var facts = new Dictionary<string, HostFacts> { ["host-ns1"] = new() { MemoryFreeBytes = 140_000_000, FreeFiles = 40_000 } };
        var report = CapacityReporter.Of(spec, Supply(spec, [Agent("a")], Sources(("ns1", "10.0.0.1"))), facts);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(report.Fits, Is.True);
            Assert.That(report.Limits.Single(l => l.Kind == CapacityLimitKind.Memory).Holds, Is.EqualTo(100_000_000 / (5125 + 64)));
            Assert.That(report.Limits.Single(l => l.Kind == CapacityLimitKind.FileMax).Holds, Is.EqualTo(40_000));
        }
    }

    [Test]
    public void Of_AnyFleet_CountsWhatThePlannerCuts() => _fleets.Sample(fleet =>
    {
        var (one, supply) = Of(fleet, 1);
        var tuples = TupleLimitOf(one, supply);
        var all = one with { Connections = tuples };
        if (Planner.Plan(all, supply, 1).Plan is not { } plan)
            return; // Blocks may be too coarse for a share of everything.
        var report = CapacityReporter.Of(all, supply, ImmutableDictionary<string, HostFacts>.Empty);
        Assert.That(Endpoints(plan).LongCount() * fleet.Targets, Is.EqualTo(tuples));
        Assert.That(report.Spaces.Sum(s => s.Tuples), Is.EqualTo(tuples));
        Assert.That(report.Agents.Sum(a => a.Share), Is.EqualTo(tuples));
        Assert.That(report.Fits, Is.True);
    }, iter: 60);

    [Test]
    public void Of_AnyFleet_AgreesWithThePlannerWhetherItFits() => Gen.Select(_fleets, Gen.Long[1, 40_000]).Sample((fleet, goal) =>
    {
        var (spec, supply) = Of(fleet, goal);
        var planned = Planner.Plan(spec, supply, 1);
        var report = CapacityReporter.Of(spec, supply, ImmutableDictionary<string, HostFacts>.Empty);
        Assert.That(report.Fits, Is.EqualTo(planned.Plan is not null));
        Assert.That(report.Refusals, Is.EquivalentTo(planned.Problems.Select(p => p.Message)), "the words of run");
    }, iter: 200);

    [Test]
    public void Of_AnyFleet_MoreSourcesNeverLowerALimit() => _fleets.Sample(fleet =>
    {
        var (spec, supply) = Of(fleet, 1000);
        var (_, more) = Of(fleet with { Sources = fleet.Sources + 1 }, 1000);
        foreach (var limit in CapacityReporter.Of(spec, more, ImmutableDictionary<string, HostFacts>.Empty).Limits)
        {
            if (limit.Kind != CapacityLimitKind.Hosts)
                Assert.That(limit.Holds, Is.GreaterThanOrEqualTo(LimitOf(spec, supply, limit.Kind).Holds));
        }
    }, iter: 100);

    [Test]
    public void Of_AnyFleet_RemediesAreEnoughAndNotTooMuch() => Gen.Select(_fleets, Gen.Long[1, 5_000_000]).Sample((fleet, goal) =>
    {
        var (spec, supply) = Of(fleet, goal);
        var limit = LimitOf(spec, supply, CapacityLimitKind.Tuples);
        var wanted = Math.Max(goal, limit.Holds + 1);
        if (limit.Remedies.FirstOrDefault(r => r.Change == RemedyKind.Destinations) is { } ports && ports.Total < 60_000)
        {
            Assert.That(With((int)ports.Total), Is.GreaterThanOrEqualTo(wanted));
            Assert.That(With((int)ports.Total - 1), Is.LessThan(wanted));
        }

        var each = (long)fleet.Ports * fleet.Targets;
        var sources = Remedy(limit, RemedyKind.Sources).More;
        Assert.That(limit.Holds + (sources * each), Is.GreaterThanOrEqualTo(wanted));
        Assert.That(limit.Holds + ((sources - 1) * each), Is.LessThan(wanted));

        long With(int targets)
        {
            var (other, grown) = Of(fleet with { Targets = targets }, goal);
            return TupleLimitOf(other, grown);
        }
    }, iter: 100);
}
