using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Docs;

/// <summary>The README's chapter on what a connection does, typed line by line into a shell on an empty host.</summary>
public sealed class WorkloadChapterTests
{
    private const string Run = "loadharness run ";

    private ProgramGroup _programs = null!;
    private NetworkNamespace _host = null!;

    [SetUp]
    public void MakeHost() => (_programs, _host) = (new(), NetworkNamespace.Create());

    [TearDown]
    public async Task RemoveHost()
    {
        if (TestContext.CurrentContext.Result.Outcome.Status == NUnit.Framework.Interfaces.TestStatus.Failed)
            await TestContext.Out.WriteLineAsync(_programs.Describe());
        await _programs.DisposeAsync();
        _host.Dispose();
    }

    [Test]
    public async Task Chapter_TypedOnAnEmptyHost_EachRunPassesAndTheKernelAgrees()
    {
        var chapter = ReadmeShell.Lines.SkipWhile(l => l != "## What a connection does").Skip(1).TakeWhile(l => !l.StartsWith("## ", StringComparison.Ordinal))
            .Where(l => l.StartsWith("    ", StringComparison.Ordinal)).Select(l => l[4..]).ToList();
        var first = chapter.FindIndex(l => l.StartsWith(Run, StringComparison.Ordinal));
        var runs = chapter.Where(l => l.StartsWith(Run, StringComparison.Ordinal)).ToList();
        Assert.That(runs, Has.Count.GreaterThanOrEqualTo(6), "closed, open, https, heartbeats, a mix, PROXY");
        var shell = ReadmeShell.Start(_programs, _host, "home");

        await shell.TypeAsync(chapter.Take(first));
        // Whoever types the next line takes longer for it.
        var sockets = new SocketStatistics(_host);
        await Bench.EventuallyAsync(() => sockets.Lines("listening", "( sport = :8443 )").Length > 0, () => $"HAProxy does not listen:\n{_programs.Describe()}");
        foreach (var run in runs)
        {
            var written = await shell.TypeAsync(run);

            Assert.That(written, Does.Contain("REACHED").And.Contain("agrees with our count").And.Contain("PASSED"), run);
            Assert.That(written, Does.Match("failures +none"), run);
        }
    }
}
