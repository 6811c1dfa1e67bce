using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.Cli.LiveView;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Cli.LiveView;

public class PlainRunDisplayTests
{
    [Test]
    public void Show_Ramp_WritesALineASecond() =>
        Assert.That(LinesOf(Enumerable.Range(0, 10).Select(i => At(RunState.Ramping, i * 0.5))), Has.Count.EqualTo(5));

    [Test]
    public void Show_SteadyHold_WritesALineEachTenSeconds() =>
        Assert.That(LinesOf(Enumerable.Range(0, 60).Select(i => At(RunState.Holding, i))), Has.Count.EqualTo(6));

    [Test]
    public void Show_SomethingHasChanged_WritesAtOnce()
    {
        var runs = Enumerable.Range(0, 10).Select(i => At(RunState.Holding, i, failed: i < 5 ? 0 : 1));
        Assert.That(LinesOf(runs), Has.Count.EqualTo(2));
    }

    [Test]
    public void Show_StateChanges_AreAllThere()
    {
        var lines = LinesOf([At(RunState.Ramping, 1), At(RunState.Holding, 1.2), At(RunState.Draining, 1.4), At(RunState.Completed, 1.5)]);
        Assert.That(lines.Select(l => l.Split(';')[0]),
            Is.EqualTo(new[] { "0:01 ramping", "0:01 holding", "0:01 draining", "0:01 completed" }));
    }

    [Test]
    public void Show_Events_AreWrittenOnceAsTheyComeAndFindingsAreNot()
    {
        EventView storm = new(TimeSpan.FromSeconds(1), "storm", "", "a storm"), finding = new(TimeSpan.FromSeconds(2), "finding", "a", "odd"),
            recovered = new(TimeSpan.FromSeconds(3), "recovered", "", "all is well");
        var lines = LinesOf([At(RunState.Holding, 1), At(RunState.Holding, 2) with { Events = [storm] }, At(RunState.Holding, 2) with { Events = [storm, finding] },
            At(RunState.Holding, 4) with { Events = [storm, finding, recovered] }]);
        Assert.That(lines.Skip(1), Is.EqualTo(new[] { "0:01 a storm", "0:03 all is well" }));
    }

    [Test]
    public void Show_Line_HasGoalRateKernelAndFailures() =>
        Assert.That(LinesOf([Samples.Holding()]).Single(), Is.EqualTo(
            "0:27 holding; 50,000 of 50,000; 4,167/s; connecting 12; closing 3; kernel ESTABLISHED 49,998, SYN-SENT 12 (0.4 s ago); "
            + "failures 9 x the target refused the connection, 3 x no answer within the connect timeout"));

    [Test]
    public async Task FollowAsync_NotesBeforeAndMeanwhile_AreWrittenWithTheirDetails()
    {
        var writer = new StringWriter();
        var notes = new RunNotes();
        notes.Add("before");
        var last = await new PlainRunDisplay(writer, notes).FollowAsync(At(RunState.Ramping, 0), Updates(notes).GetAsyncEnumerator());
        notes.Add("after");
        Assert.That(last.State, Is.EqualTo(RunState.Completed));
        var lines = writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.That(lines.Select(l => l.Split(';')[0]),
            Is.EqualTo(new[] { "before", "0:00 ramping", "meanwhile", "  its detail", "0:05 completed" }));
    }

    private static async IAsyncEnumerable<RunView> Updates(RunNotes notes)
    {
        notes.Add("meanwhile", "its detail");
        await Task.Yield();
        yield return At(RunState.Completed, 5);
    }

    private static List<string> LinesOf(IEnumerable<RunView> runs)
    {
        var writer = new StringWriter();
        var display = new PlainRunDisplay(writer, new RunNotes());
        foreach (var run in runs)
            display.Show(run);
        return [.. writer.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private static RunView At(RunState state, double seconds, long failed = 0) => Samples.Holding() with
    {
        State = state,
        Progress = Samples.Holding().Progress! with { Elapsed = TimeSpan.FromSeconds(seconds), Failed = failed },
    };
}
