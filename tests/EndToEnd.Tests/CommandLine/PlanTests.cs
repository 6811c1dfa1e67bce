using LoadHarness.EndToEnd.Tests.Benches;

namespace LoadHarness.EndToEnd.Tests.CommandLine;

/// <summary>The arithmetic before anything is opened, and what hosts say of themselves.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class PlanTests : BenchTest
{
    private const int DoesNotFit = 7;

    [Test]
    public async Task Plan_OneSourceOneDestinationEphemeralPorts_ShowsTheKnownCeilings()
    {
        var plan = await Bench.RunAsync(
            "plan 10.0.0.5:443 -c 30k --agents 1 --sources-per-agent 1 --source-ports 32768-60999 --force", Bench.Soon);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.Output, Does.Contain("28,232"), "the ports of the ephemeral range");
            Assert.That(plan.Output, Does.Contain("470"), "28,232 in 60 s");
            Assert.That(plan.Output, Does.Contain("60 s").And.Contain("120 s"), "TIME-WAIT on Linux, and what older texts say");
            Assert.That(plan.Output.Split('\n').Max(l => l.Length), Is.LessThanOrEqualTo(80), plan.Output);
        }
    }

    [Test]
    public async Task Plan_ThatDoesNotFit_SaysWhatARunWouldAndOpensNothing()
    {
        const string Spec = "127.0.0.1:9000 -c 100k --source-ports 20480-21503";
        await Bench.BackendAsync("127.0.0.1:9000");

        var plan = await Bench.RunAsync($"plan {Spec}", Bench.Soon);
        var run = await Bench.RunAsync($"run {Spec}", Bench.Soon);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(plan.ExitCode, Is.EqualTo(DoesNotFit), plan.Log);
            Assert.That(run.ExitCode, Is.EqualTo(DoesNotFit), run.Log);
            foreach (var result in new[] { plan, run })
                Assert.That(result.Output + result.Error, Does.Contain("1,024").And.Contain("100,000").And.Contain("--sources"));
            Assert.That(Bench.Sockets.Established(9000, 9000), Is.Zero);
        }
    }

    [Test]
    public async Task Plan_OfThisMachine_FitsAndIsJson()
    {
        var plan = await Bench.RunAsync("plan 127.0.0.1:9000-9003 -c 50k --json", Bench.Soon);

        Assert.That(plan.ExitCode, Is.Zero, plan.Log);
        var json = Json.Parse(plan.Output);
        Assert.That(json.Text("schema"), Is.EqualTo("loadharness/plan/v1"));
        Assert.That(json.Flag("fits"), Is.True);
    }

    [Test]
    public async Task Check_OfThisMachine_AndOfTheAgentAlone_NameTheSameLimits()
    {
        var all = await Bench.RunAsync("check -c 50k --json", Bench.Soon);
        var alone = await Bench.FinishAsync(Bench.Agent("check", "--connections", "50k", "--json"), Bench.Soon);

        using (Assert.EnterMultipleScope())
        {
            foreach (var name in new[] { "RLIMIT_NOFILE", "fs.file-max", "net.ipv4.tcp_mem", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_timestamps" })
            {
                Assert.That(all.Output, Does.Contain(name), all.Log);
                Assert.That(alone.Output, Does.Contain(name), alone.Log);
            }
        }
    }
}
