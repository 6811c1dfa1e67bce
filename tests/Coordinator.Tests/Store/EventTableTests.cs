using LoadHarness.Coordinator.Aggregation;
using LoadHarness.Coordinator.Tests.LocalFleet;

namespace LoadHarness.Coordinator.Tests.Store;

public sealed class EventTableTests
{
    [Test]
    public async Task AddAsync_EventsOfTwoRuns_AreReadInTheirOrder()
    {
        using var directory = new TemporaryDirectory();
        using var store = StoreFixture.Open(directory.File("store.db"));
        await store.Runs.SaveAsync(StoreFixture.Run("r1"));
        await store.Runs.SaveAsync(StoreFixture.Run("r2"));
        var (lost, back) = (Event(12.5, "agent-lost", "a"), Event(20, "agent-returned", "a"));

        await store.Events.AddAsync("r1", 2, back);
        await store.Events.AddAsync("r1", 1, lost);
        await store.Events.AddAsync("r2", 1, Event(1, "finding", ""));
        await store.Events.AddAsync("r1", 2, Event(99, "other", ""));

        Assert.That(store.Events.Of("r1"), Is.EqualTo([lost, back]));
    }

    [Test]
    public async Task DeleteAsync_OfTheRun_TakesItsEventsAlong()
    {
        using var directory = new TemporaryDirectory();
        using var store = StoreFixture.Open(directory.File("store.db"));
        await store.Runs.SaveAsync(StoreFixture.Run("r1"));
        await store.Events.AddAsync("r1", 1, Event(1, "finding", ""));

        await store.Runs.DeleteAsync("r1");

        Assert.That(store.Events.Of("r1"), Is.Empty);
    }

    private static RunEvent Event(double second, string kind, string agent) => new(TimeSpan.FromSeconds(second), kind, agent, $"{kind} happened");
}
