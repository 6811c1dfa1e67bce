using System.Collections.Immutable;
using CsCheck;
using LoadHarness.Coordinator.Planning;
using LoadHarness.Protos;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;

namespace LoadHarness.Coordinator.Tests.Planning;

/// <summary>A name may mean other addresses on other hosts: each network namespace connects to its own.</summary>
public class NamespaceEndsTests
{
    [Test]
    public void Plan_NamespacesWithDifferentDestinations_GivesEachAgentThoseOfItsOwn()
    {
        var plan = Planned(
            20, ("ns1", "10.1.0.1", ["10.0.0.5", "10.0.0.6"]), ("ns2", "10.1.1.1", ["10.0.0.6"]));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.Agents[0].Destinations.Select(d => d.Addresses.First.ToString()), Is.EqualTo(new[] { "10.0.0.5", "10.0.0.6" }));
            Assert.That(plan.Agents[1].Destinations.Select(d => d.Addresses.First.ToString()), Is.EqualTo(new[] { "10.0.0.6" }));
            Assert.That(plan.Destinations.Select(d => d.Addresses.First.ToString()), Is.EqualTo(new[] { "10.0.0.5", "10.0.0.6" }));
        }
    }

    [Test]
    public void Plan_NamespaceWithMoreDestinations_CarriesMore()
    {
        // 60,416 tuples a destination: the first host has room for three times that, the second for one.
        var plan = Planned(
            200_000, ("ns1", "10.1.0.1", ["10.0.0.5", "10.0.0.6", "10.0.0.7"]), ("ns2", "10.1.1.1", ["10.0.0.9"]));

        Assert.That(plan.Agents.Select(a => a.Tuples >= a.Share), Is.All.True);
        Assert.That(plan.Agents[1].Share, Is.LessThanOrEqualTo(60_416));
        Assert.That(plan.Agents.Sum(a => a.Share), Is.EqualTo(200_000));
    }

    [Test]
    public void Plan_AnyEnds_NobodyGetsMoreThanItsOwnTuples() =>
        Gen.Select(Gen.Int[1, 4].Array[1, 3], Gen.Long[1, 200_000]).Sample(
            (destinations, goal) =>
            {
                var ends = destinations.Select((count, i) => (
                    $"ns{i}", $"10.1.{i}.1", Enumerable.Range(1, count).Select(d => $"10.0.{i}.{d}").ToArray())).ToArray();
                var result = Result(goal, ends);
                if (result.Plan is not { } plan)
                    return goal > 50_000 * destinations.Min();
                return plan.Agents.Sum(a => a.Share) == goal
                    && plan.Agents.All(a => a.Tuples >= a.Share)
                    && plan.Agents.Zip(destinations).All(p => p.First.Destinations.Length == p.Second);
            },
            iter: 60);

    [Test]
    public void Destinations_NameAndAddressOfOneHost_AreAskedForAgain()
    {
        var targets = ImmutableArray.Create(
            Target("10.0.0.5:80"), new Coordinator.Specs.TargetSpec("web:443", "web", [Address("10.0.0.5")], [new PortSpan(443, 443)]));

        Assert.That(
            DestinationCounts.Destinations(targets, name => name == "web").Select(d => (d.Name, d.LookUp, d.Ports.First)),
            Is.EqualTo(new[] { ("web", true, 80), ("web", true, 443) }));
    }

    private static RunPlan Planned(long goal, params (string Network, string Source, string[] Destinations)[] ends)
    {
        var result = Result(goal, ends);
        Assert.That(result.Problems, Is.Empty);
        return result.Plan!;
    }

    private static PlanResult Result(long goal, params (string Network, string Source, string[] Destinations)[] ends)
    {
        var supply = new PlanSupply(
            [.. ends.Select((e, i) => Agent($"a{i}", network: e.Network))],
            ends.ToDictionary(e => e.Network, e => new NamespaceEnds(
                [new IpRange(Address(e.Source), 1)],
                [.. e.Destinations.Select(d => new Destination(new IpRange(Address(d), 1), new PortSpan(443, 443), "web", true))])),
            []);
        return Planner.Plan(Spec(goal, "10.0.0.5:443"), supply, 1);
    }
}
