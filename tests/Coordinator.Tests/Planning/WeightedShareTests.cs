using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Reports;
using LoadHarness.Coordinator.Specs;
using static LoadHarness.Coordinator.Tests.Planning.PlannerFixture;

namespace LoadHarness.Coordinator.Tests.Planning;

public class WeightedShareTests
{
    private static RunPlan Plan(long goal, int heavy, out RunSpec spec)
    {
        spec = Spec(goal) with { Targets = [Target($"10.0.0.5:443,weight={heavy}"), Target("10.0.0.6:443")], Rest = TimeSpan.Zero };
        return Planned(spec, [Agent("a"), Agent("b")], Sources(("ns1", "10.1.0.1")));
    }

    [TestCase(3, 7_500)]
    [TestCase(1000, 9_990)]
    public void Of_RoomForAll_TheSlicesKeepTheProportions(int heavy, long expected)
    {
        var shares = WeightedShare.Of(Plan(10_000, heavy, out _));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(shares.Select(s => s.Expected), Is.EqualTo(new[] { expected, 10_000 - expected }));
            Assert.That(shares.Select(s => s.Asked), Is.EqualTo(shares.Select(s => s.Expected)));
        }
    }

    [Test]
    public void Lines_TuplesOfTheHeavierRunOut_SayThatProportionsCannotBeKept()
    {
        var plan = Plan(100_000, 1000, out var spec);
        var text = string.Join(' ', string.Join(' ', PlanText.Lines(spec, plan)).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.That(text, Does.Contain("weights about 10.0.0.5:443 (weight 1,000) 60,416 of the 99,900 that its weight asks for, "
            + "10.0.0.6:443 (weight 1) 39,584: the proportions cannot be kept"));
    }

    [Test]
    public void Of_EqualWeights_SaysNothing() => Assert.That(WeightedShare.Of(Plan(10_000, 1, out _)), Is.Empty);
}
