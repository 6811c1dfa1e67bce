using System.Collections.Immutable;
using CsCheck;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Protos;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;

namespace LoadHarness.Coordinator.Tests.Planning;

public class BlockLedgerTests
{
    private static readonly ImmutableDictionary<string, ImmutableArray<IpRange>> _sources =
        Sources(("ns1", "10.1.0.1-10.1.0.2"), ("ns2", "10.1.1.1"));

    // Each run: its goal, and the namespaces of its agents.
    private static readonly Gen<(long Goal, int[] Networks)[]> _runs =
        Gen.Select(Gen.Long[1, 30_000], Gen.Int[1, 2].Array[1, 3]).Array[2, 4];

    [Test]
    public void Take_AnyRunsAtOnce_NeverShareAnEndpoint() =>
        _runs.Sample(
            runs =>
            {
                var ledger = new BlockLedger();
                var plans = runs.Select((run, i) => Take(ledger, i, run.Goal, AgentsOf(i, run.Networks))).OfType<RunPlan>().ToList();
                return Disjoint(plans);
            },
            iter: 40);

    [Test]
    public void Take_ScaledWhileOthersRun_StaysClearOfThem() =>
        Gen.Select(Gen.Long[1, 20_000], Gen.Long[1, 20_000], Gen.Long[20_001, 60_000]).Sample(
            (one, other, more) =>
            {
                var ledger = new BlockLedger();
                var first = Take(ledger, 0, one, [Agent("a")])!;
                var second = Take(ledger, 1, other, [Agent("b")])!;
                var spec = Spec(one);
                var scaled = ledger.Take("run-0", held => Planner.Scale(
                    spec, first, new ScaleOrder(TimeSpan.FromSeconds(30), more, TimeSpan.FromSeconds(5)),
                    Supply(spec, [Agent("a")], _sources, [.. held]))).Plan;
                return scaled is not null && Disjoint([scaled, second]);
            },
            iter: 40);

    [Test]
    public void Release_EndedRun_FreesItsBlocks()
    {
        var ledger = new BlockLedger();
        var first = Take(ledger, 0, 50_000, [Agent("a")])!;
        ledger.Release("run-0");
        var second = Take(ledger, 1, 50_000, [Agent("b")])!;

        Assert.That(second.Agents[0].Slice.Blocks, Is.EqualTo(first.Agents[0].Slice.Blocks));
    }

    [Test]
    public void Take_NoRoomBesideAnotherRun_NamesIt()
    {
        var ledger = new BlockLedger();
        Take(ledger, 0, 100_000, [Agent("a")]);
        var problems = Made(ledger, 1, 100_000, [Agent("b")]).Problems;

        Assert.That(problems.Single().Kind, Is.EqualTo(PlanProblemKind.DoesNotFit));
        Assert.That(problems.Single().Message, Does.Contain("run run-0"));
    }

    [Test]
    public void Take_EveryBlockHeld_NamesRunAndHost()
    {
        var ledger = new BlockLedger();
        // 60,416 tuples of one source and one destination, all of them.
        Take(ledger, 0, 60_416, [Agent("a", network: "ns2")]);
        var problems = Made(ledger, 1, 1, [Agent("b", network: "ns2")]).Problems;

        Assert.That(problems.Single().Message, Does.Contain("host-ns2").And.Contain("run run-0"));
    }

    private static RunPlan? Take(BlockLedger ledger, int run, long goal, ImmutableArray<AgentResources> agents) =>
        Made(ledger, run, goal, agents).Plan;

    private static PlanResult Made(BlockLedger ledger, int run, long goal, ImmutableArray<AgentResources> agents)
    {
        var spec = Spec(goal);
        return ledger.Take($"run-{run}", held => Planner.Plan(spec, Supply(spec, agents, _sources, [.. held]), 1));
    }

    private static ImmutableArray<AgentResources> AgentsOf(int run, int[] networks) =>
        [.. networks.Select((n, i) => Agent($"r{run}a{i}", network: $"ns{n}"))];

    private static bool Disjoint(IReadOnlyCollection<RunPlan> plans)
    {
        var seen = new HashSet<(string, IpAddress, int)>();
        return plans.SelectMany(Endpoints).All(e => seen.Add((e.Network, e.Source, e.Port)));
    }
}
