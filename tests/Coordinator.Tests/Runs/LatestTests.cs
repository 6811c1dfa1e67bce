using LoadHarness.Coordinator.Runs;

namespace LoadHarness.Coordinator.Tests.Runs;

public sealed class LatestTests
{
    [Test]
    public async Task WatchAsync_SlowWatcher_SeesTheNewestAndTheLast()
    {
        var latest = new Latest<string>("0");
        var seen = new List<string>();

        await foreach (var value in latest.WatchAsync(v => v == "end", CancellationToken.None))
        {
            seen.Add(value);
            // Everything that comes while the watcher is busy is one value to it: the newest.
            for (var i = 1; i <= 100 && value == "0"; i++)
                latest.Set($"{i}");
            if (value == "100")
                latest.Set("end");
        }

        Assert.That(seen, Is.EqualTo(new[] { "0", "100", "end" }));
    }

    [Test]
    public async Task WatchAsync_SeveralWatchers_AllSeeTheLast()
    {
        var latest = new Latest<string>("0");
        var watchers = Enumerable.Range(0, 10).Select(_ => LastOf(latest)).ToArray();
        for (var i = 0; i < 1000; i++)
            latest.Set($"{i}");
        latest.Set("end");

        Assert.That(await Task.WhenAll(watchers), Is.All.EqualTo("end"));
    }

    [Test]
    public void WatchAsync_Cancelled_Ends()
    {
        using var cancel = new CancellationTokenSource();
        cancel.Cancel();

        Assert.That(
            async () => await new Latest<string>("0").WatchAsync(_ => false, cancel.Token).CountAsync(),
            Throws.InstanceOf<OperationCanceledException>());
    }

    private static async Task<string> LastOf(Latest<string> latest) =>
        await latest.WatchAsync(v => v == "end", CancellationToken.None).LastAsync();
}
