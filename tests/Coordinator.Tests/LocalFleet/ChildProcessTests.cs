using LoadHarness.Coordinator.LocalFleet;

namespace LoadHarness.Coordinator.Tests.LocalFleet;

public class ChildProcessTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private TemporaryDirectory _temporary = null!;
    private ChildStarter _starter = null!;

    [SetUp]
    public void SetUp()
    {
        _temporary = new TemporaryDirectory();
        _starter = new ChildStarter();
    }

    [TearDown]
    public void TearDown()
    {
        _starter.Dispose();
        _temporary.Dispose();
    }

    [Test]
    public async Task Exited_ChildDies_GivesCodeAndLastWords()
    {
        await using var child = await Start("echo first; echo second >&2; exit 3");
        var exit = await child.Exited.WaitAsync(_patience);
        Assert.That(exit.Code, Is.EqualTo(3));
        Assert.That(exit.Asked, Is.False);
        Assert.That(exit.How, Is.EqualTo("exit code 3"));
        Assert.That(child.Tail(10), Is.EquivalentTo(new[] { "first", "second" }));
    }

    [Test]
    public async Task Exited_KilledBySignal_NamesIt()
    {
        await using var child = await Start("kill -9 $$");
        Assert.That((await child.Exited.WaitAsync(_patience)).How, Does.StartWith("signal 9 (SIGKILL"));
    }

    [Test]
    public async Task StopAsync_ChildWatchesItsInput_GoesByItself()
    {
        await using var child = await Start("cat; exit 5");
        await child.StopAsync(_patience);
        var exit = await child.Exited;
        Assert.That(exit.Code, Is.EqualTo(5));
        Assert.That(exit.Asked, Is.True);
    }

    [Test]
    public async Task StopAsync_DeafChild_IsKilled()
    {
        await using var child = await Start("trap '' TERM; while :; do sleep 0.1; done");
        await child.StopAsync(TimeSpan.FromMilliseconds(100));
        Assert.That((await child.Exited).Code, Is.EqualTo(137));
    }

    [Test]
    public async Task StopAsync_ChildHasGone_DoesNothing()
    {
        await using var child = await Start("exit 0");
        await child.Exited.WaitAsync(_patience);
        await child.StopAsync(TimeSpan.Zero);
        Assert.That((await child.Exited).Asked, Is.False);
    }

    [Test]
    public async Task StartAsync_Several_ReadAnInputOfTheirOwn()
    {
        await using var first = await Start("cat", "first");
        await using var second = await Start("cat", "second");
        await first.StopAsync(_patience);
        Assert.That((await first.Exited).Code, Is.Zero, "the second child must not hold the first one's pipe");
        Assert.That(second.Exited.IsCompleted, Is.False);
    }

    [Test]
    public void StartAsync_NoProgram_NamesIt() =>
        Assert.That(async () => await _starter.StartAsync(Spec("x", new AgentProgram("/no/such/program", [], null))),
            Throws.TypeOf<LocalFleetException>().With.Message.Contains("/no/such/program"));

    [Test]
    public async Task StartAsync_TwoChildren_ComeFromOneLivingThread()
    {
        // The kernel does not tell which thread made a child; that there is one such thread, and that it lives on, can be seen.
        await using var first = await Start("cat", "first");
        await Task.Delay(50);
        await using var second = await Start("cat", "second");
        // That of the test before may still be on its way out.
        Assert.That(Starters, Is.EqualTo(1).After(60_000, 20));
    }

    private static int Starters() => Directory.GetDirectories("/proc/self/task").Count(IsStarter);

    private static bool IsStarter(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm")).Trim() == "child-starter";
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return false;
        }
    }

    [Test]
    public async Task StartAsync_Log_IsForItsOwnerOnly()
    {
        await using var child = await Start("exit 0");
        await child.Exited.WaitAsync(_patience);
        Assert.That(File.GetUnixFileMode(child.Spec.LogPath), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
    }

    private Task<ChildProcess> Start(string body, string name = "child") =>
        _starter.StartAsync(Spec(name, new AgentProgram(_temporary.Script(name, body), [], null)));

    private ChildSpec Spec(string name, AgentProgram program) => new(name, program, [], _temporary.File($"{name}.log"));
}
