using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.V1;

namespace LoadHarness.EndToEnd.Tests.Fleet;

/// <summary>Which agents a run gets, and what becomes of it when one of them is not as it should be.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class ChoosingAgentsTests : FleetTest
{
    private const string Target = "10.77.0.6";
    private const int DoesNotFit = 7;

    [Test]
    public async Task Run_OverAgentsThatShareANamespace_CountsItOnceAndSharesOneEndpointSpace()
    {
        var (shared, alone) = (Fleet.Lan.AddHost("10.77.1.1/16"), Fleet.Lan.AddHost("10.77.2.1/16"));
        await StartAsync((shared, "a1", ""), (shared, "a2", ""), (alone, "b1", ""));

        var run = Fleet.User($"run {Target}:9000-9003 -c 6000 --agents 3 --ramp 2s --hold 15s --json");
        await run.HoldingAsync(6_000);
        var tuples = Tuples(shared).Concat(Tuples(alone)).ToList();
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(tuples, Has.Count.EqualTo(6_000));
            Assert.That(tuples, Is.Unique);
            Assert.That(summary.Number("kernel.established"), Is.EqualTo(6_000), "each namespace counted once");
            Assert.That(summary.Flag("kernel.agrees"), Is.True);
            Assert.That(summary.List("agents").Select(a => a.Text("namespace")).Distinct().Count(), Is.EqualTo(2));
        }
    }

    [Test]
    public async Task Run_TwoAtOnceInOneNamespace_ShareNoTupleAndAThirdIsToldWhoIsBusy()
    {
        var host = Fleet.Lan.AddHost("10.77.1.1/16");
        await StartAsync((host, "a1", "--label zone=east"), (host, "a2", "--label zone=west"));

        var east = Fleet.User($"run {Target}:9000 -c 2000 --select zone=east --ramp 1s --hold 30s --json");
        var west = Fleet.User($"run {Target}:9000 -c 2000 --select zone=west --ramp 1s --hold 30s --json");
        await east.HoldingAsync(2_000);
        await west.HoldingAsync(2_000);
        var tuples = Tuples(host).ToList();
        var third = await Fleet.RunAsync($"run {Target}:9000 -c 10 --hold 1s");
        var nobody = await Fleet.RunAsync($"run {Target}:9000 -c 10 --hold 1s --select zone=north");
        var ended = new[] { await Bench.FinishAsync(east), await Bench.FinishAsync(west) };

        using (Assert.EnterMultipleScope())
        {
            Assert.That(tuples, Has.Count.EqualTo(4_000));
            Assert.That(tuples, Is.Unique);
            Assert.That(third.ExitCode, Is.EqualTo(DoesNotFit), third.Log);
            Assert.That(third.Error, Does.Contain("a1").And.Contain("a2").And.Contain(ended[0].Summary().Text("run.id")));
            Assert.That(nobody.ExitCode, Is.EqualTo(DoesNotFit), nobody.Log);
            Assert.That(nobody.Error, Does.Contain("zone=north"));
            foreach (var run in ended)
            {
                Assert.That(run.ExitCode, Is.Zero, run.Log);
                Assert.That(run.Summary().Number("result.heldEstablishedMin"), Is.EqualTo(2_000));
                Assert.That(run.Summary().List("agents"), Has.Count.EqualTo(1));
            }
        }
    }

    [Test]
    public async Task Hello_OfAnotherMajorVersion_IsRefusedInWords()
    {
        await Fleet.ServeAsync();

        var (agent, answer) = await OddAgent.DialAsync(
            Fleet, Fleet.Lan.AddHost("10.77.9.1/16"), "future", hello => hello.Version = new() { Major = Protocol.Major + 1, Minor = 0 });
        await agent.DisposeAsync();

        Assert.That(answer.Refusal?.Code, Is.EqualTo(Refusal.Types.Code.Version));
        Assert.That(answer.Refusal!.Message, Does.Contain($"version {Protocol.Major + 1}").And.Contain($"version {Protocol.Major}"));
    }

    [Test]
    public async Task Run_WithAnAgentThatLacksACapability_EndsAndNamesBoth()
    {
        await Fleet.ServeAsync();
        var (agent, _) = await OddAgent.DialAsync(Fleet, Fleet.Lan.AddHost("10.77.9.1/16"), "old", hello => hello.Capabilities.Remove(Capabilities.Greeting));
        agent.Respond = assignment => assignment.RequiredCapabilities.Contains(Capabilities.Greeting)
            ? Refused(assignment, "required_capabilities", "capability", "this agent lacks greeting")
            : OddAgent.Obey(assignment);
        await Fleet.IdleAsync("old");

        var run = await Fleet.RunAsync($"run {Target}:9000 -c 10 --hold 1s --expect-greeting");
        await agent.DisposeAsync();

        Assert.That(run.ExitCode, Is.Not.Zero.And.Not.EqualTo(1), run.Log);
        Assert.That(run.Error + run.Output, Does.Contain("old").And.Contain("greeting"));
    }

    [Test]
    public async Task Run_WithAnAgentThatNeverGetsReady_GoesOnWithoutItOrNamesIt()
    {
        var host = Fleet.Lan.AddHost("10.77.1.1/16");
        await StartAsync((host, "a1", "--label speed=fast"));
        var (agent, _) = await OddAgent.DialAsync(Fleet, Fleet.Lan.AddHost("10.77.9.1/16"), "idler", hello => hello.Labels["speed"] = "slow");
        agent.Respond = assignment => assignment.Phase == Phase.Drained ? OddAgent.Obey(assignment) : null;
        await Fleet.IdleAsync("a1", "idler");

        var both = await Fleet.RunAsync($"run {Target}:9000 -c 1000 --agents 2 --ready-timeout 8s --ramp 1s --hold 2s --json");
        await Fleet.IdleAsync("a1", "idler");
        var one = await Fleet.RunAsync($"run {Target}:9000 -c 1000 --select speed=slow --ready-timeout 2s --ramp 1s --hold 2s");
        await agent.DisposeAsync();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(both.ExitCode, Is.Zero, both.Log);
            Assert.That(both.Summary().Texts("notes"), Has.Some.Contain("idler"));
            Assert.That(both.Summary().Number("result.heldEstablishedMin"), Is.EqualTo(1_000));
            Assert.That(one.ExitCode, Is.EqualTo(5), one.Log);
            Assert.That(one.Output + one.Error, Does.Contain("idler"));
        }
    }

    [Test]
    public async Task Run_ThatWantsMoreAgentsThanThereAre_WaitsForThem()
    {
        var host = Fleet.Lan.AddHost("10.77.1.1/16");
        await StartAsync((host, "a1", ""));
        var run = Fleet.User($"run {Target}:9000 -c 1000 --agents 2 --ramp 1s --hold 2s --json");
        await run.WaitForLineAsync("1 of 2 agents", Bench.Soon);

        Fleet.Agent(host, "a2", $"--allow {Target}:9000-9003");
        var ended = await Bench.FinishAsync(run);

        Assert.That(ended.ExitCode, Is.Zero, ended.Log);
        Assert.That(ended.Summary().List("agents"), Has.Count.EqualTo(2));
    }

    private async Task StartAsync(params (NetworkNamespace Host, string Id, string Options)[] agents)
    {
        await Fleet.ServeAsync();
        Fleet.AgentStart(Fleet.Lan.AddHost($"{Target}/16"), "backend", "--listen", $"{Target}:9000-9003");
        foreach (var (host, id, options) in agents)
            Fleet.Agent(host, id, $"--allow {Target}:9000-9003 {options}");
        await Fleet.IdleAsync([.. agents.Select(a => a.Id)]);
    }

    private static AssignmentStatus Refused(Assignment assignment, string field, string rule, string message) => new()
    {
        RunId = assignment.RunId,
        Revision = assignment.Revision,
        StoreId = assignment.StoreId,
        Refused = new() { Field = field, Rule = rule, Message = message },
    };

    private static IEnumerable<string> Tuples(NetworkNamespace host) =>
        new SocketStatistics(host).Lines("established", "( dport >= :9000 and dport <= :9003 )")
            .Select(line => string.Join(' ', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2..4]));
}
