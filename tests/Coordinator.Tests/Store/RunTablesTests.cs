using System.Collections.Immutable;
using LoadHarness.Coordinator.Store;
using LoadHarness.Coordinator.Tests.LocalFleet;

namespace LoadHarness.Coordinator.Tests.Store;

public sealed class RunTablesTests
{
    private TemporaryDirectory _directory = null!;
    private string _path = null!;
    private CoordinatorStore _store = null!;

    [SetUp]
    public void SetUp()
    {
        _directory = new TemporaryDirectory();
        _path = _directory.File("store.db");
        _store = StoreFixture.Open(_path);
    }

    [TearDown]
    public void TearDown()
    {
        _store.Dispose();
        _directory.Dispose();
    }

    [Test]
    public async Task SaveAsync_ChangedRun_IsReadBackAsItIsNow()
    {
        var run = StoreFixture.Run("r1", "q1");
        await _store.Runs.SaveAsync(run);
        var ended = run with
        {
            State = "Completed",
            Reason = "why",
            StartedAt = StoreFixture.Now.AddSeconds(1),
            EndedAt = StoreFixture.Now.AddMinutes(1),
            Plan = "{\"goal\":1}",
            Summary = "{}",
        };

        await _store.Runs.SaveAsync(ended);

        Assert.That(_store.Runs.Newest(10), Is.EqualTo([ended]));
    }

    [Test]
    public async Task Newest_MoreThanAsked_AreTheNewest()
    {
        foreach (var id in new[] { "20260101-1", "20260103-1", "20260102-1" })
            await _store.Runs.SaveAsync(StoreFixture.Run(id));

        Assert.That(_store.Runs.Newest(2).Select(r => r.Id), Is.EqualTo(["20260103-1", "20260102-1"]));
    }

    [Test]
    public async Task SaveAsync_RequestIdOfAnotherRun_IsRefused()
    {
        await _store.Runs.SaveAsync(StoreFixture.Run("r1", "q"));

        Assert.That(async () => await _store.Runs.SaveAsync(StoreFixture.Run("r2", "q")), Throws.TypeOf<StoreException>());
    }

    [Test]
    public async Task Enqueue_OneOfManyIsRefused_HurtsNoOther()
    {
        await _store.Runs.SaveAsync(StoreFixture.Run("r1"));
        var writes = Enumerable.Range(1, 500)
            .Select(i => _store.Runs.AddSampleAsync(StoreFixture.Sample(i == 250 ? "nowhere" : "r1", (ulong)i))).ToArray();

        await Task.WhenAll(writes).ContinueWith(_ => { }, TaskScheduler.Default);

        Assert.That(writes.Select((w, i) => (w.IsFaulted, i)).Where(w => w.IsFaulted).Select(w => w.i), Is.EqualTo([249]));
        Assert.That(_store.Runs.Samples("r1"), Has.Length.EqualTo(499));
    }

    [Test]
    public async Task AddRevision_Many_AreSentInOrderAndOnlyWhenTheyAreStored()
    {
        await _store.Runs.SaveAsync(StoreFixture.Run("r1"));
        var sent = ImmutableList<(ulong Number, bool Stored)>.Empty;
        var all = new TaskCompletionSource();
        const int Count = 300;
        for (var n = 1UL; n <= Count; n++)
        {
            var number = n;
            _store.Runs.AddRevision(new("r1", "a", 1, number, [(byte)number]), StoreFixture.Now, problem =>
            {
                // Looked up over a connection of its own: there it is only when it was committed.
                var stored = problem is null && _store.Runs.LastRevisions("r1").Single().Number >= number;
                sent = sent.Add((number, stored));
                if (number == Count)
                    all.SetResult();
            });
        }

        await all.Task.WaitAsync(TimeSpan.FromSeconds(60));

        Assert.That(sent, Is.EqualTo(Enumerable.Range(1, Count).Select(i => ((ulong)i, true))));
    }

    [Test]
    public async Task LastRevisions_SeveralEpochs_AreThoseOfTheNewest()
    {
        await _store.Runs.SaveAsync(StoreFixture.Run("r1"));
        var done = new TaskCompletionSource();
        _store.Runs.AddRevision(new("r1", "a", 1, 9, [1]), StoreFixture.Now, _ => { });
        _store.Runs.AddRevision(new("r1", "b", 1, 9, [2]), StoreFixture.Now, _ => { });
        _store.Runs.AddRevision(new("r1", "a", 2, 3, [3]), StoreFixture.Now, _ => done.SetResult());
        await done.Task;

        Assert.That(
            _store.Runs.LastRevisions("r1").Select(r => (r.AgentId, r.Epoch, r.Number, r.Assignment[0])),
            Is.EquivalentTo(new[] { ("a", 2UL, 3UL, (byte)3), ("b", 1UL, 9UL, (byte)2) }));
    }

    [Test]
    public async Task AddSampleAsync_Twice_ChangesNothing()
    {
        await _store.Runs.SaveAsync(StoreFixture.Run("r1"));
        await _store.Runs.AddSampleAsync(StoreFixture.Sample("r1", 1, bytes: 10));

        await _store.Runs.AddSampleAsync(StoreFixture.Sample("r1", 1, bytes: 20));

        Assert.That(_store.Runs.Samples("r1").Single().Sample, Has.Length.EqualTo(10));
    }

    [Test]
    public async Task DeleteAsync_Run_TakesEverythingOfItAlong()
    {
        await _store.Runs.SaveAsync(StoreFixture.Run("r1"));
        _store.Runs.AddRevision(new("r1", "a", 1, 1, [1]), StoreFixture.Now, _ => { });
        await _store.Runs.AddSampleAsync(StoreFixture.Sample("r1", 1));

        await _store.Runs.DeleteAsync("r1");

        Assert.That((_store.Runs.Newest(1).Length, _store.Runs.LastRevisions("r1").Length, _store.Runs.Samples("r1").Length), Is.EqualTo((0, 0, 0)));
    }

    [Test]
    public async Task Open_AfterAKillInTheMiddleOfWrites_HasWhateverWasReported()
    {
        await _store.Runs.SaveAsync(StoreFixture.Run("r1"));
        var stored = new List<ulong>();
        var writes = new List<Task>();
        for (var n = 1UL; n <= 2000; n++)
        {
            var number = n;
            writes.Add(_store.Runs.AddSampleAsync(StoreFixture.Sample("r1", n, 500)).ContinueWith(
                _ =>
                {
                    lock (stored)
                        stored.Add(number);
                },
                TaskScheduler.Default));
        }

        await writes[700];
        ulong[] reported;
        lock (stored)
            reported = [.. stored];
        // The file first: what moves from the log into the file in between is in both.
        var killed = StoreFixture.CopyAsKilled(_path, _directory);
        using var again = StoreFixture.Open(killed);

        var there = again.Runs.Samples("r1").Select(s => s.Sequence).ToHashSet();
        Assert.That(reported.Where(s => !there.Contains(s)), Is.Empty);
        Assert.That(again.Epoch, Is.EqualTo(2));
        await Task.WhenAll(writes);
    }

    [Test]
    public void Dispose_WithWritesWaiting_StoresThem()
    {
        var writes = Enumerable.Range(0, 3000).Select(i => _store.Runs.SaveAsync(StoreFixture.Run($"r{i:0000}"))).ToArray();

        _store.Dispose();

        Assert.That(writes.All(w => w.IsCompletedSuccessfully), Is.True);
        using var again = StoreFixture.Open(_path);
        Assert.That(again.Runs.Newest(5000), Has.Length.EqualTo(3000));
        Assert.That(async () => await _store.Runs.SaveAsync(StoreFixture.Run("late")), Throws.TypeOf<StoreException>().With.Message.Contains("closed"));
    }
}
