using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>What ends a program of a fleet, what it does then, and its exit code: the table of docs/design/failures.md. Of local runs see LiveRunTests.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class EndsTests : FleetTest
{
    private const string Target = "10.77.0.6";
    private const string Ports = "( dport = :9000 )";

    private NetworkNamespace _client = null!;
    // The fleet disposes them.
    private readonly List<ProgramProcess> _programs = [];

    [TestCase(Signal.Terminate)]
    [TestCase(Signal.Interrupt)]
    [TestCase(Signal.Hangup)]
    public async Task Join_FirstSignal_DrainsSaysGoodbyeAndEndsWithZero(Signal signal)
    {
        await HoldAsync(500);

        Agent.Send(signal);
        var code = await Agent.WaitForExitAsync(Bench.Soon);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(code, Is.Zero, Agent.Log.Everything);
            Assert.That(Established(), Is.Zero);
            Assert.That(new SocketStatistics(_client).Lines("time-wait", Ports), Is.Not.Empty, "drained with FIN");
        }

        await Fleet.Coordinator.WaitForLineAsync("a1 detached: it said goodbye", Bench.Soon);
    }

    [TestCase(Signal.Terminate, 143)]
    [TestCase(Signal.Interrupt, 130)]
    public async Task Join_SecondSignal_EndsAtOnce(Signal signal, int exitCode)
    {
        // A target that never answers a FIN makes the drain last for its whole deadline.
        await HoldAsync(500);
        Backend.Send(Signal.Stop);

        Agent.Send(signal);
        await Agent.WaitForLineAsync(": draining: ", Bench.Soon);
        Agent.Send(signal);
        var code = await Agent.WaitForExitAsync(Bench.Soon);
        Backend.Send(Signal.Continue);

        // A drain that comes to its end, as it does by its deadline, ends with zero.
        Assert.That(code, Is.EqualTo(exitCode), Agent.Log.Everything);
    }

    [Test]
    public async Task Join_DrainThatTheTargetHinders_EndsByItsDeadline()
    {
        await HoldAsync(500);
        Backend.Send(Signal.Stop);

        Agent.Send(Signal.Terminate);
        // 10 s, then RST, samples and goodbye; without the deadline the stopped target would let it wait for ever.
        var code = await Agent.WaitForExitAsync(Bench.Soon);
        Backend.Send(Signal.Continue);

        Assert.That(code, Is.Zero, Agent.Log.Everything);
        Assert.That(new SocketStatistics(_client).Lines("connected", Ports).Count(l => !l.StartsWith("TIME-WAIT", StringComparison.Ordinal)), Is.Zero);
    }

    [Test]
    public async Task MaxDuration_CoordinatorIsGone_AgentsEndByItLongBeforeTheirLeases()
    {
        // No schedule outlasts --max-duration, so nobody but an agent that hears no end any more has to keep it.
        await StartAsync("--lease", "5m");
        var run = Fleet.User($"run {Target}:9000 -c 500 --ramp 1s --hold 19s --max-duration 20s");
        await run.HoldingAsync(500);

        Fleet.Coordinator.Send(Signal.Kill);
        await Task.Delay(1_000);
        var held = Established();
        await Bench.EventuallyAsync(() => Established() == 0, () => $"{Established()} are still established");

        Assert.That(held, Is.EqualTo(500), "the lease goes on");
        Assert.That(Agent.HasExited, Is.False, Agent.Log.Everything);
    }

    [Test]
    public async Task Backend_SecondSignal_EndsLikeTheFirst()
    {
        await StartAsync();
        Backend.Send(Signal.Stop);
        Backend.Send(Signal.Terminate);
        Backend.Send(Signal.Interrupt);
        Backend.Send(Signal.Continue);

        var code = await Backend.WaitForExitAsync(Bench.Soon);

        // Either may be handled first; the other ends it at once unless it has ended by itself.
        Assert.That(code, Is.AnyOf(0, 130, 143), Backend.Log.Everything);
    }

    [TestCase(Signal.Interrupt)]
    [TestCase(Signal.Terminate)]
    public async Task RemoteRun_FirstAndSecondSignal_DrainAndEnd(Signal signal)
    {
        var run = await HoldAsync(500);
        Backend.Send(Signal.Stop);

        run.Send(signal);
        await run.WaitForLineAsync("draining; once more", Bench.Soon);
        run.Send(signal);
        var ended = await Bench.FinishAsync(run, Bench.Soon);
        Backend.Send(Signal.Continue);

        Assert.That(ended.ExitCode, Is.EqualTo(130), ended.Log);
        await Bench.EventuallyAsync(() => Established() == 0, () => $"{Established()} are still established");
    }

    [Test]
    public async Task Serve_SecondSignal_EndsAtOnceAndAgentsDrainByTheirLeases()
    {
        await HoldAsync(500, "--lease", "10s");
        Backend.Send(Signal.Stop);

        Fleet.Coordinator.Send(Signal.Terminate);
        await Fleet.Coordinator.WaitForLineAsync("draining the runs", Bench.Soon);
        Fleet.Coordinator.Send(Signal.Terminate);
        var code = await Fleet.Coordinator.WaitForExitAsync(Bench.Soon);
        Backend.Send(Signal.Continue);

        Assert.That(code, Is.Zero, Fleet.Coordinator.Log.Everything);
        await Bench.EventuallyAsync(() => Established() == 0, () => $"{Established()} are still established");
    }

    [TestCase(Signal.Terminate)]
    [TestCase(Signal.Interrupt)]
    [TestCase(Signal.Hangup)]
    public async Task Backend_Signal_ClosesAndEndsWithZero(Signal signal)
    {
        await HoldAsync(100);

        Backend.Send(signal);
        var code = await Backend.WaitForExitAsync(Bench.Soon);

        Assert.That(code, Is.Zero, Backend.Log.Everything);
        Assert.That(Backend.Log.Everything, Does.Contain("ended by SIG").And.Contain("accepted 1"));
    }

    private async Task<ProgramProcess> HoldAsync(int connections, params string[] options)
    {
        await StartAsync(options);
        var run = Fleet.User($"run {Target}:9000 -c {connections} --ramp 1s --hold 5m");
        await run.HoldingAsync(connections);
        return run;
    }

    private async Task StartAsync(params string[] options)
    {
        _programs.Clear();
        _client = Fleet.Lan.AddHost("10.77.1.1/16");
        await Fleet.ServeAsync(options);
        _programs.Add(Fleet.AgentStart(Fleet.Lan.AddHost($"{Target}/16"), "backend", "--listen", $"{Target}:9000"));
        _programs.Add(Fleet.Agent(_client, "a1", $"--allow {Target}:9000"));
        await Fleet.IdleAsync("a1");
    }

    private ProgramProcess Backend => _programs[0];

    private ProgramProcess Agent => _programs[1];

    private int Established() => new SocketStatistics(_client).Lines("established", Ports).Length;
}
