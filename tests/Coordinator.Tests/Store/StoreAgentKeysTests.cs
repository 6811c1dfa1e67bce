using System.Collections.Immutable;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Store;
using LoadHarness.Coordinator.Tests.LocalFleet;

namespace LoadHarness.Coordinator.Tests.Store;

public sealed class StoreAgentKeysTests
{
    private TemporaryDirectory _directory = null!;
    private CoordinatorStore _store = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = new TemporaryDirectory();
        _store = StoreFixture.Open(_directory.File("store.db"));
    }

    [TearDown]
    public void TearDown()
    {
        _store.Dispose();
        _directory.Dispose();
    }

    [Test]
    public async Task BindAsync_AfterARestart_IsStillInForce()
    {
        var key = Key("a", "ff00") with { Labels = ImmutableSortedDictionary<string, string>.Empty.Add("rack", "7") };
        await _store.AgentKeys.BindAsync(key, CancellationToken.None);
        _store.Dispose();

        using var again = StoreFixture.Open(_directory.File("store.db"));

        var found = again.AgentKeys.Find("a")!;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(found with { Labels = key.Labels }, Is.EqualTo(key));
            Assert.That(found.Labels, Is.EqualTo(key.Labels));
            Assert.That(again.AgentKeys.IsBound("ff00"), Is.True);
            Assert.That(again.AgentKeys.IsBound("ff01"), Is.False);
        }
    }

    [Test]
    public async Task BindAsync_IdentitiesThatDifferInCaseOnly_HaveAKeyEach()
    {
        await _store.AgentKeys.BindAsync(Key("A1", "ff00"), CancellationToken.None);
        await _store.AgentKeys.BindAsync(Key("a1", "ff01"), CancellationToken.None);

        Assert.That(new[] { "A1", "a1" }.Select(id => _store.AgentKeys.Find(id)?.Fingerprint), Is.EqualTo(new[] { "ff00", "ff01" }));
    }

    [Test]
    public async Task BindAsync_BoundAlready_KeepsTheFirst()
    {
        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => _store.AgentKeys.BindAsync(Key("a", $"{i}"), CancellationToken.None)));

        Assert.That(claims.Select(c => c.Fingerprint).Distinct(), Is.EqualTo([_store.AgentKeys.Find("a")!.Fingerprint]));
    }

    [Test]
    public async Task ForgetAsync_BoundIdentity_FreesItForGood()
    {
        await _store.AgentKeys.BindAsync(Key("a", "ff"), CancellationToken.None);

        Assert.That(await _store.AgentKeys.ForgetAsync("a", CancellationToken.None), Is.True);
        Assert.That(await _store.AgentKeys.ForgetAsync("a", CancellationToken.None), Is.False);

        _store.Dispose();
        using var again = StoreFixture.Open(_directory.File("store.db"));
        Assert.That(again.AgentKeys.Find("a"), Is.Null);
    }

    private static AgentKey Key(string id, string fingerprint) =>
        new(id, fingerprint, ImmutableSortedDictionary<string, string>.Empty, StoreFixture.Now);
}
