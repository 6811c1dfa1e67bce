using System.Collections.Immutable;
using LoadHarness.Coordinator.Security;
using Microsoft.Extensions.Time.Testing;

namespace LoadHarness.Coordinator.Tests.Security;

public sealed class EnrolmentTests
{
    private static readonly ImmutableSortedDictionary<string, string> _none = ImmutableSortedDictionary<string, string>.Empty;
    private static readonly AgentCaller _joining = new(new string('1', 64)) { JoinToken = new("t", _none) };

    [Test]
    public async Task BindAsync_TwoKeysAtOnce_OnlyOneGetsTheIdentity()
    {
        var keys = new SlowKeys();
        var enrolment = new Enrolment(keys, new FakeTimeProvider());
        AgentCaller[] callers = [_joining, _joining with { Fingerprint = new string('2', 64) }];

        Task[] claims = [.. callers.Select(c => enrolment.BindAsync(c, "a", _none, CancellationToken.None))];
        keys.Release();
        await Task.WhenAll(claims.Select(c => c.ContinueWith(_ => { }, TaskScheduler.Default)));

        var winner = keys.Find("a")!.Fingerprint;
        var loser = Array.FindIndex(callers, c => c.Fingerprint != winner);
        Assert.That(claims[1 - loser].IsCompletedSuccessfully, Is.True);
        Assert.That(async () => await claims[loser], Throws.TypeOf<EnrolmentException>().With.Message.Contains(winner[..16]));
    }

    [Test]
    public async Task BindAsync_TokenWithLabels_KeepsThemWithTheKey()
    {
        var keys = new MemoryAgentKeys();
        var time = new FakeTimeProvider(DateTimeOffset.UnixEpoch.AddYears(50));
        var labels = _none.Add("zone", "a");
        var caller = _joining with { JoinToken = new("t", labels) };

        await new Enrolment(keys, time).BindAsync(caller, "a", labels, CancellationToken.None);

        Assert.That(keys.Find("a"), Is.EqualTo(new AgentKey("a", caller.Fingerprint, labels, time.GetUtcNow())));
        Assert.That(keys.IsBound(caller.Fingerprint), Is.True);
        Assert.That(await keys.ForgetAsync("a", CancellationToken.None), Is.True);
        Assert.That(keys.IsBound(caller.Fingerprint), Is.False);
    }

    [Test]
    public async Task BindAsync_LocalCaller_BindsNothing()
    {
        var keys = new MemoryAgentKeys();

        await new Enrolment(keys, new FakeTimeProvider()).BindAsync(new LocalCaller(), "a", _none, CancellationToken.None);

        Assert.That(keys.Find("a"), Is.Null);
    }

    /// <summary>Binds when it is told to, so that two claims are under way at once.</summary>
    private sealed class SlowKeys : IAgentKeys
    {
        private readonly MemoryAgentKeys _keys = new();
        private readonly TaskCompletionSource _released = new();

        public AgentKey? Find(string agentId) => _keys.Find(agentId);

        public bool IsBound(string fingerprint) => _keys.IsBound(fingerprint);

        public async Task<AgentKey> BindAsync(AgentKey key, CancellationToken cancel)
        {
            await _released.Task;
            return await _keys.BindAsync(key, cancel);
        }

        public Task<bool> ForgetAsync(string agentId, CancellationToken cancel) => _keys.ForgetAsync(agentId, cancel);

        public void Release() => _released.SetResult();
    }
}
