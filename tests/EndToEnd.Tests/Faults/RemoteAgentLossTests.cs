using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>
/// Agents on other hosts that fall silent, say goodbye, wake up late or join. Nobody sees them end: a share is given away after lease
/// (10 s: longer than a busy machine stands still), drain (10 s and a little), resets and margin (5 s).
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed class RemoteAgentLossTests : FleetTest
{
    private const string Target = "10.77.0.6";

    private readonly List<(NetworkNamespace Host, ProgramProcess Agent)> _agents = [];
    private NetworkNamespace _target = null!;

    [Test]
    public async Task Silence_OfAnAgentThatWasKilled_TheOthersTakeOverAfterTheLease()
    {
        var random = RandomFaults.Seeded();
        await StartAsync(4);
        await using var target = new TargetWatch(_target, 9000, 9009);
        var run = Fleet.User($"run {Target}:9000-9009 -c 20k --connect-rate 5000/s --hold 70s --json");
        await run.HoldingAsync(20_000);

        // The way to the coordinator only: what the dying process sends to the target arrives.
        var (host, agent) = _agents[random.Next(_agents.Count)];
        host.Ip("route", "add", "blackhole", FleetBench.Address);
        agent.Send(Signal.Kill);
        await agent.WaitForExitAsync(Bench.Soon);
        await Task.Delay(10_000);
        var early = target.Now();
        await Bench.EventuallyAsync(() => target.Now() == 20_000, () => $"{target.Now()} are established");
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(early, Is.EqualTo(15_000), "nothing proves yet that its connections are closed");
            Assert.That(target.Most, Is.EqualTo(20_000), $"over {target.Samples} samples");
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Number("result.heldEstablishedEnd"), Is.EqualTo(20_000));
            Assert.That(summary.List("events").Select(e => e.Text("kind")), Is.SupersetOf(new[] { "agent-lost", "rebalanced" }));
            Assert.That(summary.Texts("notes"), Has.Some.Contains("unless its process is stopped"));
        }
    }

    [Test]
    public async Task Stop_ForLongerThanTheLease_DrainsFirstAndTheReportStatesTheExcess()
    {
        await StartAsync(4);
        await using var target = new TargetWatch(_target, 9000, 9009);
        var run = Fleet.User($"run {Target}:9000-9009 -c 8k --connect-rate 4000/s --hold 80s --json");
        await run.HoldingAsync(8_000);
        var (host, agent) = _agents[1];
        var sockets = new SocketStatistics(host);

        agent.Send(Signal.Stop);
        await Bench.EventuallyAsync(() => target.Now() == 10_000, () => $"{target.Now()} are established: the share was not taken over");
        var held = sockets.Established(9000, 9009);
        agent.Send(Signal.Continue);
        await Bench.EventuallyAsync(() => sockets.Established(9000, 9009) == 0, () => "it did not drain when it woke");
        await Bench.EventuallyAsync(() => target.Now() == 8_000, () => $"{target.Now()} are established");
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(held, Is.EqualTo(2_000), "a stopped process keeps its sockets");
            Assert.That(target.Most, Is.LessThanOrEqualTo(10_000));
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Texts("notes"), Has.Some.Contains("up to 2,000 connections more than the goal"));
            Assert.That(summary.List("agents"), Has.Count.EqualTo(4), "each agent once");
            Assert.That(summary.Number("result.opened"), Is.EqualTo(10_000), "it opened nothing when it was back");
            Assert.That(summary.List("events").Select(e => e.Text("kind")), Is.SupersetOf(new[] { "agent-lost", "rebalanced", "agent-returned" }));
        }
    }

    [Test]
    public async Task Goodbye_MoreThanTheOthersMayHold_IsFilledByWhoJoins()
    {
        await StartAsync(2, "--max-connections 2500");
        await using var target = new TargetWatch(_target, 9000, 9009);
        var run = Fleet.User($"run {Target}:9000-9009 -c 4k --connect-rate 2000/s --hold 45s --json");
        await run.HoldingAsync(4_000);

        _agents[0].Agent.Send(Signal.Terminate);
        await Bench.EventuallyAsync(() => target.Now() == 2_500, () => $"{target.Now()} are established, and one agent may hold 2,500");
        Join(3, "");
        await Bench.EventuallyAsync(() => target.Now() == 4_000, () => $"{target.Now()} are established: who joined did not fill");
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(target.Most, Is.EqualTo(4_000));
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Texts("notes"), Has.Some.Contains("2,500 of 4,000 fit").And.Some.Contains("agent a3 joined"));
            Assert.That(summary.List("agents").Single(a => a.Text("id") == "a3").Number("assigned"), Is.EqualTo(1_500));
        }
    }

    [Test]
    public async Task Restart_OfTheOnlyAgent_TheRunWaitsForItAndGoesOn()
    {
        await StartAsync(1);
        await using var target = new TargetWatch(_target, 9000, 9009);
        var run = Fleet.User($"run {Target}:9000-9009 -c 2k --agents 1 --connect-rate 2000/s --hold 30s --json");
        await run.HoldingAsync(2_000);

        _agents[0].Agent.Send(Signal.Terminate);
        await _agents[0].Agent.WaitForExitAsync(Bench.Soon);
        var between = target.Now();
        await Fleet.Coordinator.WaitForLineAsync("a1 detached: it said goodbye", Bench.Soon);
        _agents.Add((_agents[0].Host, Fleet.Agent(_agents[0].Host, "a1", $"--allow {Target}:9000-9009")));
        await Bench.EventuallyAsync(() => target.Now() == 2_000, () => $"{target.Now()} are established: the next process did not take the share over");
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(between, Is.Zero);
            Assert.That(target.Most, Is.EqualTo(2_000));
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Number("result.opened"), Is.EqualTo(4_000));
            Assert.That(summary.List("agents"), Has.Count.EqualTo(1), "each agent once");
            Assert.That(summary.Texts("notes"), Has.Some.Contains("one that joins is waited for"));
        }
    }

    [Test]
    [NonParallelizable]
    public async Task Load_ThatTakesEveryCore_IsNoReasonToLoseAnAgentOrItsLease()
    {
        await StartAsync(4);
        var run = Fleet.User($"run {Target}:9000-9009 -c 8k --ramp 1s --workload churn --lifetime 100ms --close rst --hold 25s --json");
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.List("agents").Any(a => a.Flag("lost")), Is.False, ended.Log);
            Assert.That(summary.Texts("notes"), Has.None.Contains("drained by itself"));
            Assert.That(summary.Number("result.opened"), Is.GreaterThan(100_000), "it was busy");
        }
    }

    private async Task StartAsync(int agents, string options = "")
    {
        _agents.Clear();
        _target = Fleet.Lan.AddHost($"{Target}/16");
        await Fleet.ServeAsync("--lease", "10s");
        Fleet.AgentStart(_target, "backend", "--listen", $"{Target}:9000-9009");
        for (var i = 1; i <= agents; i++)
            Join(i, options);
        await Fleet.IdleAsync([.. Enumerable.Range(1, agents).Select(i => FormattableString.Invariant($"a{i}"))]);
    }

    private void Join(int number, string options)
    {
        var host = Fleet.Lan.AddHost(FormattableString.Invariant($"10.77.1.{number}/16"));
        _agents.Add((host, Fleet.Agent(host, FormattableString.Invariant($"a{number}"), $"--allow {Target}:9000-9009 {options}")));
    }
}
