using LoadHarness.Coordinator.Planning;
using LoadHarness.Coordinator.Specs;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Planning;

public class StormTuplesTests
{
    private static readonly TimeSpan _rest = TimeSpan.FromMinutes(1);
    private static readonly StormSpec _storm = new(0.1, TimeSpan.FromSeconds(1), CloseMethod.Fin);

    [Test]
    public void Check_EverySliceHasEnough_IsFine() =>
        Assert.That(StormTuples.Check(_storm, _rest, [new("a", 25_000, 2_500), new("b", 0, 0)]), Is.Empty);

    [Test]
    public void Check_OneSliceLacksOne_SaysTheArithmeticAndWhatToDo() =>
        Assert.That(
            StormTuples.Check(_storm, _rest, [new("a", 25_000, 2_500), new("b", 25_001, 2_500)]).Single(),
            Does.Contain("10% of the 25,001 connections of agent b are 2,501, and 2,500 tuples of its slice are free")
                .And.Contain("--close rst").And.Contain("--reuse rest").And.Contain("more sources").And.Not.Contain("agent a "));

    [Test]
    public void Check_ManyAgents_NamesAFewAndCountsTheRest() =>
        Assert.That(
            StormTuples.Check(_storm, _rest, [.. Enumerable.Range(0, 10).Select(i => new StormShare($"a{i}", 100, 0))]).Single(),
            Does.Contain("agent a2").And.Not.Contain("agent a3").And.Contain("7 more agents"));

    [Test]
    public void Check_ByResetOrWithoutRest_NeedsNone()
    {
        Assert.That(StormTuples.Check(_storm with { Close = CloseMethod.Rst }, _rest, [new("a", 100, 0)]), Is.Empty);
        Assert.That(StormTuples.Check(_storm, TimeSpan.Zero, [new("a", 100, 0)]), Is.Empty);
    }
}
