using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.Store;
using LoadHarness.V1;
using RunState = LoadHarness.V1.RunState;

namespace LoadHarness.Coordinator.Tests.Runs;

/// <summary>Who reads the kernel of a network namespace after the coordinator was started again.</summary>
public sealed class ReaderResumeTests
{
    private const int Goal = 100;

    // The first one that was named says nothing of the kernel, so the other one is named: that choice must outlive the coordinator.
    [Test]
    public async Task Start_InTheHold_LeavesOneReaderInEachNamespaceAndItStaysTheSame()
    {
        await using var before = await FleetFixture.StartAsync();
        var agents = await AttachAsync(before, ["a", "b"], ["c"]);
        agents[0].Measure = (assignment, second, goal) => agents[0].MakeSample(assignment.RunId, second, goal);
        await before.CreateAsync(RunFixture.Spec(Goal, 3, holdSeconds: 20));
        await before.UntilAsync(() => agents[1].Assignments is [.., { KernelView: not null }], RunFixture.Long, "the second agent is the reader");

        await using var after = await RestartAsync(before);
        var back = await ComeBackAsync(after, agents);

        Assert.That(ReadersOf(back), Is.EqualTo(new[] { "b", "c" }));
        await after.PassAsync(TimeSpan.FromSeconds(10));
        Assert.That(ReadersOf(back), Is.EqualTo(new[] { "b", "c" }), "they read, so nobody else is named");
        Assert.That(back.Select(a => a.Assignments.Count), Is.All.EqualTo(1), "no revision for nothing");
    }

    [Test]
    public async Task Start_ReaderDoesNotComeBack_NamesTheOtherOneOfItsNamespace()
    {
        await using var before = await FleetFixture.StartAsync();
        var agents = await AttachAsync(before, ["a", "b"], ["c"]);
        await before.CreateAsync(RunFixture.Spec(Goal, 3, holdSeconds: 30));
        await before.UntilAsync(RunState.Holding);
        Assert.That(ReadersOf(agents), Is.EqualTo(new[] { "a", "c" }));

        await using var after = await RestartAsync(before);
        var back = await ComeBackAsync(after, agents[1..]);
        Assert.That(ReadersOf(back), Is.EqualTo(new[] { "c" }), "there is time for the other one yet");

        await after.UntilAsync(() => ReadersOf(back).SequenceEqual(["b", "c"]), TimeSpan.FromSeconds(10), "another reader");
    }

    // The agents know nothing of acknowledgements and send everything again, readings of the kernel too.
    [Test]
    public async Task Start_SamplesComeAgain_CountsNoSecondTwice()
    {
        await using var before = await FleetFixture.StartAsync();
        var agents = await AttachAsync(before, ["a", "b"], []);
        await before.CreateAsync(RunFixture.Spec(Goal, 2));
        await before.UntilAsync(RunState.Holding);

        await using var after = await RestartAsync(before);
        await ComeBackAsync(after, agents);
        var (run, summary) = await after.EndAsync();

        await after.Host.DisposeAsync();
        using var store = StoreFixture.Open(after.StorePath);
        var (seconds, intervals) = (store.Folds.Seconds(run.Id), store.Folds.Agents(run.Id));
        var (result, kernel) = (summary.GetProperty("result"), summary.GetProperty("kernel"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.State, Is.EqualTo(RunState.Completed), run.StateReason);
            Assert.That(result.GetProperty("opened").GetInt64(), Is.EqualTo(Goal));
            Assert.That(result.GetProperty("peakEstablished").GetInt64(), Is.EqualTo(Goal));
            // A fake reader counts its own connections alone.
            Assert.That(kernel.GetProperty("established").GetInt64(), Is.EqualTo(Goal / 2), "one reader");
            Assert.That(seconds.Select(s => s.Second), Is.EqualTo(Enumerable.Range(0, seconds.Length)));
            Assert.That(seconds.Sum(s => s.Counters.Opened), Is.EqualTo(Goal), "by second");
            Assert.That(intervals.Sum(a => a.Counters.Opened), Is.EqualTo(Goal), "by interval");
            Assert.That(summary.GetProperty("gaps").GetArrayLength(), Is.Zero);
        }
    }

    private static async Task<List<FakeAgent>> AttachAsync(FleetFixture fixture, params string[][] byNamespace)
    {
        var agents = new List<FakeAgent>();
        for (var n = 0; n < byNamespace.Length; n++)
        {
            foreach (var id in byNamespace[n])
                agents.Add(await fixture.AttachAsync(FakeAgent.MakeHello(id, $"boot/{n}")));
        }

        return agents;
    }

    private static Task<FleetFixture> RestartAsync(FleetFixture before) =>
        FleetFixture.StartAsync(storeOf: before.DirectoryPath, at: before.Time.GetUtcNow().AddSeconds(2));

    private static async Task<List<FakeAgent>> ComeBackAsync(FleetFixture after, IEnumerable<FakeAgent> agents)
    {
        var back = new List<FakeAgent>();
        foreach (var agent in agents)
        {
            var (hello, last) = (agent.Hello.Clone(), agent.Assignments[^1]);
            hello.Held = new() { RunId = last.RunId, Revision = last.Revision, StoreId = last.StoreId, Phase = last.Phase, Held = (ulong)last.Share };
            back.Add(await after.AttachAsync(hello));
        }

        await after.UntilAsync(() => back.TrueForAll(a => a.Assignments.Count > 0), RunFixture.Long, "assignments");
        return back;
    }

    private static IEnumerable<string> ReadersOf(IEnumerable<FakeAgent> agents) =>
        agents.Where(a => a.Assignments is [.., { KernelView: not null }]).Select(a => a.Id).ToArray();
}
