using LoadHarness.Coordinator.Store;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.LocalFleet;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.Coordinator.Tests.Store;

/// <summary>A store on a file system of its own, which is really full.</summary>
[NonParallelizable]
public sealed class FullDiskTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private ListLog _log = null!;
    private TemporaryDirectory _directory = null!;
    private CoordinatorStore _store = null!;

    [SetUp]
    public void SetUp()
    {
        (_log, _directory) = (new ListLog(), new TemporaryDirectory());
        Command.Run("mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", _directory.Path);
        _store = StoreFixture.Open(_directory.File("store.db"), _log);
    }

    [TearDown]
    public void TearDown()
    {
        _store.Dispose();
        Command.Run("umount", _directory.Path);
        _directory.Dispose();
        _log.Dispose();
    }

    [Test]
    public async Task Write_DeviceIsFull_WaitsIsNamedAndGoesOnWhenThereIsRoom()
    {
        await _store.Runs.SaveAsync(StoreFixture.Run("r1"));
        FillDevice();
        var samples = Enumerable.Range(1, 100).Select(i => _store.Runs.AddSampleAsync(StoreFixture.Sample("r1", (ulong)i, 10_000))).ToArray();
        await UntilAsync(() => _store.Problem is not null);

        Assert.That(_store.Problem, Does.Contain("no room is left on the device").And.Contain(_directory.Path));
        Assert.That(samples[^1].IsCompleted, Is.False, "it is not stored, and nobody says so");
        var sent = await SendRevisionAsync();
        Assert.That(sent?.Message, Does.Contain("no room is left"), "a revision does not wait for a store that cannot write");

        Command.Run("mount", "-o", "remount,size=16m", _directory.Path);
        await Task.WhenAll(samples).WaitAsync(_patience);

        Assert.That(_store.Problem, Is.Null);
        Assert.That(_store.Runs.Samples("r1"), Has.Length.EqualTo(100));
        Assert.That(() => _store.Runs.LastRevisions("r1"), Has.Length.EqualTo(1).After(60_000, 20), "it was kept afterwards");
        Assert.That(
            _log.Lines.Select(l => l.Split(' ')[1]).Chunk(2), Is.All.EqualTo(new[] { "1301", "1302" }), "said when it begins and when it ends");
    }

    [Test]
    public void Dispose_DeviceIsFull_FailsWhatWaitsAndReturns()
    {
        FillDevice();
        var write = _store.Runs.SaveAsync(StoreFixture.Run("r1") with { Summary = new string('x', 2_000_000) });

        _store.Dispose();

        Assert.That(async () => await write, Throws.TypeOf<StoreException>().With.Message.Contains("no room"));
    }

    [Test]
    public void Open_DeviceIsFull_SaysSoAndLeavesNothing()
    {
        FillDevice();
        var path = _directory.File("other.db");

        Assert.That(() => StoreFixture.Open(path), Throws.TypeOf<StoreException>().With.Message.Contains("no room is left"));

        Assert.That(path, Does.Not.Exist);
    }

    [TestCase("deleted")]
    [TestCase("replaced")]
    public async Task Write_FileIsTakenAway_IsSaid(string how)
    {
        await _store.Runs.SaveAsync(StoreFixture.Run("r1"));

        if (how == "deleted")
            File.Delete(_directory.File("store.db"));
        else
            File.WriteAllText(_directory.File("other"), "x");
        if (how == "replaced")
            File.Move(_directory.File("other"), _directory.File("store.db"), overwrite: true);
        await UntilAsync(() => _store.Problem is not null);

        Assert.That(_store.Problem, Does.Contain($"store.db was {how}").And.Contain("start it again"));
        await _store.Runs.SaveAsync(StoreFixture.Run("r2")).WaitAsync(_patience);
        Assert.That(_log.Lines.Where(l => l.Split(' ')[1] == "1305"), Has.Exactly(1).Items);
    }

    private Task<StoreException?> SendRevisionAsync()
    {
        var sent = new TaskCompletionSource<StoreException?>();
        _store.Runs.AddRevision(new("r1", "a", 1, 1, [1]), StoreFixture.Now, sent.SetResult);
        return sent.Task.WaitAsync(_patience);
    }

    private void FillDevice()
    {
        using var file = File.Create(_directory.File("ballast"));
        Assert.That(
            () =>
            {
                for (var i = 0; i < 1000; i++)
                    file.Write(new byte[4096]);
                file.Flush();
            },
            Throws.InstanceOf<IOException>());
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var waited = TimeSpan.Zero; !condition(); waited += TimeSpan.FromMilliseconds(20))
        {
            Assert.That(waited, Is.LessThan(_patience));
            await Task.Delay(TimeSpan.FromMilliseconds(20));
        }
    }
}
