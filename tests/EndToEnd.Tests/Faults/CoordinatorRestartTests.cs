using System.Security.Cryptography;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.EndToEnd.Tests.Fleet;
using LoadHarness.TestKit.Processes;
using LoadHarness.V1;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>
/// The coordinator is killed while a run goes on and started again within the lease: no connection of the run closes, and its summary
/// is that of an undisturbed run.
/// </summary>
[NonParallelizable]
public sealed class CoordinatorRestartTests : FleetTest
{
    private static Json _undisturbed = null!;
    private Random _random = null!;
    private TwoAgentRun _run = null!;

    [OneTimeSetUp]
    public static async Task RunUndisturbed()
    {
        await using var fleet = await FleetBench.CreateAsync();
        try
        {
            var run = new TwoAgentRun(fleet);
            run.Listen();
            await GatherAsync(fleet, run);
            await run.StartAsync("--agents 2");
            _undisturbed = await run.EndAsync();
            ExpectAsTheSpecSays(_undisturbed);
            fleet.ExpectNoGaps(_undisturbed);
        }
        catch
        {
            await TestContext.Out.WriteLineAsync(fleet.Describe());
            throw;
        }
    }

    [SetUp]
    public void PrepareRun()
    {
        _random = RandomFaults.Seeded();
        _run = new TwoAgentRun(Fleet);
    }

    [Test]
    public async Task Kill_WhileItWaitsForAgents_WaitsAgain()
    {
        _run.Listen();
        await Fleet.ServeAsync();
        _run.Join(1);
        await Fleet.IdleAsync("a1");
        var asking = await _run.AskAsync("--agents 2");
        await _run.UntilAsync("pending");
        await Task.Delay(Moment(1000));

        await _run.KillAndServeAsync();
        await _run.UntilAsync("pending");
        _run.Join(2);

        Assert.That((await Bench.FinishAsync(asking)).ExitCode, Is.Zero, "whoever asked for the run was told that it begins");
        await ExpectUndisturbedAsync();
    }

    // The third agent never gets ready; it leaves when it has come back, and the run goes on with the other two.
    [Test]
    public async Task Kill_WhileAgentsGetReady_GetsReadyAgain()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var host = Fleet.Lan.AddHost("10.77.9.1/16");
        _run.Listen();
        await GatherAsync(Fleet, _run);
        var (slow, _) = await OddAgent.DialAsync(Fleet, host, "slow", _ => { }, key);
        await using var dying = slow;
        await _run.StartAsync("--agents 3");
        await _run.UntilAsync("preparing");
        await Task.Delay(Moment(1000));

        await _run.KillAndServeAsync();
        await _run.UntilAsync("preparing");
        var (back, _) = await OddAgent.DialAsync(Fleet, host, "slow", h => h.Incarnation = slow.Hello.Incarnation, key);
        await using var leaving = back;
        await back.SendAsync(new() { Goodbye = new() { Reason = "it is not ready" } });

        var summary = await ExpectUndisturbedAsync("notes", "events");
        Assert.That(summary.Texts("notes"), Has.Some.Contains("agent slow was left out"));
    }

    [Test]
    public async Task Kill_InTheRamp_GoesOnWithEveryConnection()
    {
        await StartAsync();
        await _run.EstablishedAsync(1);
        await Task.Delay(Moment(2500));
        var before = _run.Tuples();

        await _run.KillAndServeAsync();

        Assert.That(before.Except(_run.Tuples()), Is.Empty, "closed meanwhile");
        await ExpectUndisturbedAsync();
    }

    [Test]
    public async Task Kill_InTheHold_GoesOnWithEveryConnection()
    {
        await StartAsync();
        await _run.UntilAsync("holding");
        await Task.Delay(Moment(2500));
        var before = _run.Tuples();

        await _run.KillAndServeAsync();

        Assert.That(_run.Tuples(), Is.EquivalentTo(before));
        // The last second before the kill need not have been stored: the samples that come again tell of it.
        ProgramResult shown = null!;
        await Bench.EventuallyAsync(
            async () => (shown = await Fleet.RunAsync($"runs report {_run.Id} --json")).ExitCode == 0 && shown.Summary().Text("run.state") == "holding",
            () => $"the report so far does not say that the run holds:\n{shown.Log}",
            giveUp: () => _run.Tuples().Count == 0);
        await ExpectUndisturbedAsync();
    }

    [Test]
    public async Task Kill_InTheDrain_FinishesIt()
    {
        var listener = await StartAsync();
        await _run.EstablishedAsync(TwoAgentRun.Goal);
        // Whoever does not read closes nothing: so the drain lasts, until its deadline of 10 s.
        listener.Send(Signal.Stop);
        await Bench.EventuallyAsync(() => _run.Tuples().Count < TwoAgentRun.Goal, () => "nothing closes");
        await Task.Delay(Moment(2000));

        var serving = _run.KillAndServeAsync();
        await Task.WhenAny(serving, Task.Delay(TimeSpan.FromSeconds(3)));
        listener.Send(Signal.Continue);
        await serving;

        await ExpectUndisturbedAsync();
        Assert.That(_run.Tuples(), Is.Empty);
    }

    [Test]
    public async Task Kill_WithBackends_GoesOnWithBothEndsOfEveryConnection()
    {
        await Fleet.ServeAsync();
        _run.JoinBackend();
        await JoinAsync(Fleet, _run, "b");
        await _run.StartAsync("--agents 2 --backends 1 --backend-listen 9000");
        await _run.EstablishedAsync(1);
        await Task.Delay(Moment(6000));
        var (before, accepted) = (_run.Tuples(), _run.ServerTuples());

        await _run.KillAndServeAsync();

        Assert.That(before.Except(_run.Tuples()), Is.Empty, "client ends that closed meanwhile");
        Assert.That(accepted.Except(_run.ServerTuples()), Is.Empty, "server ends that closed meanwhile");
        var summary = await ExpectUndisturbedAsync("backends");
        var backend = summary.List("backends").Single();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(backend.Text("id"), Is.EqualTo("b"));
            Assert.That(backend.Number("accepted"), Is.EqualTo(summary.Number("result.opened")));
            Assert.That(backend.Number("peakEstablished"), Is.EqualTo(TwoAgentRun.Goal));
            Assert.That(backend.Number("established"), Is.EqualTo(TwoAgentRun.Goal), "when the drain began");
            Assert.That(backend.Number("kernelEstablished"), Is.EqualTo(TwoAgentRun.Goal));
            Assert.That(backend.Flag("lost"), Is.False);
        }
    }

    private static async Task GatherAsync(FleetBench fleet, TwoAgentRun run)
    {
        await fleet.ServeAsync();
        await JoinAsync(fleet, run);
    }

    private static async Task JoinAsync(FleetBench fleet, TwoAgentRun run, params string[] others)
    {
        run.Join(1);
        run.Join(2);
        await fleet.IdleAsync(["a1", "a2", .. others]);
    }

    private async Task<ProgramProcess> StartAsync()
    {
        var listener = _run.Listen();
        await GatherAsync(Fleet, _run);
        await _run.StartAsync("--agents 2");
        return listener;
    }

    private TimeSpan Moment(int atMostMillis) => TimeSpan.FromMilliseconds(_random.Next(atMostMillis));

    // Beside the fields that the test looks at itself.
    private async Task<Json> ExpectUndisturbedAsync(params string[] beside)
    {
        var summary = await _run.EndAsync();
        SummaryComparison.ExpectSame(_undisturbed, summary, beside);
        Fleet.ExpectNoGaps(summary);
        return summary;
    }

    // Two summaries that are wrong in the same way are equal too.
    private static void ExpectAsTheSpecSays(Json summary)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Text("run.state"), Is.EqualTo("completed"));
            Assert.That(summary.Number("result.opened"), Is.EqualTo(TwoAgentRun.Goal));
            Assert.That(summary.Number("result.closed"), Is.EqualTo(TwoAgentRun.Goal));
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(TwoAgentRun.Goal));
            Assert.That(summary.Number("kernel.established"), Is.EqualTo(TwoAgentRun.Goal));
            Assert.That(summary.Number("latency.connect.count"), Is.EqualTo(TwoAgentRun.Goal));
            Assert.That(summary.List("run.stages").Select(s => s.Text("name")), Is.EqualTo(["prepare", "ramp", "hold", "drain"]));
            Assert.That(summary.Number("exitCode"), Is.Zero);
        }
    }
}
