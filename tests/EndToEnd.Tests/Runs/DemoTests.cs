using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Runs;

[NonParallelizable]
public sealed class DemoTests : BenchTest
{
    [Test]
    public async Task Demo_AsShipped_HoldsFiftyThousandAndAgreesWithSsToTheConnection()
    {
        var demo = Bench.LoadHarness("demo", "--json");
        await demo.HoldingAsync(50_000);
        var agents = demo.FamilyOf("loadharness-agent").Count(p => p.Arguments.Contains("join"));
        var counted = Bench.Sockets.Established(9000, 9009);
        // While it holds: the summary is not there yet.
        await Bench.ShowOnceKernelSaysAsync(counted);
        Assert.That(demo.HasExited, Is.False);

        var ended = await Bench.FinishAsync(demo);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(agents, Is.GreaterThanOrEqualTo(2), "agent processes");
            Assert.That(counted, Is.EqualTo(50_000), "what ss counts");
            Assert.That(summary.Number("kernel.established"), Is.EqualTo(counted), "the kernel view in the summary");
            Assert.That(summary.Flag("kernel.agrees"), Is.True);
            Assert.That(summary.Flag("result.reached"), Is.True);
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(50_000));
            Assert.That(summary.Number("failures.total"), Is.Zero);
            Assert.That(summary.Number("exitCode"), Is.Zero);
        }

        Assert.That(Bench.Sockets.Established(9000, 9009), Is.Zero, "connections that the run left behind");
    }

    [Test]
    public async Task Demo_WithTheJitAgent_Works()
    {
        Bench.AgentProgram = Programs.JitAgent;

        var ended = await Bench.RunAsync("demo -c 5k --hold 8s --json");

        Assert.That(ended.ExitCode, Is.Zero, ended.Log);
        Assert.That(ended.Summary().Number("kernel.established"), Is.EqualTo(5_000));
    }

    [Test]
    public async Task Demo_WithoutJson_PrintsASummaryForPeopleOfAtMost80Columns()
    {
        var ended = await Bench.RunAsync("demo -c 1k --hold 8s");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(ended.Output, Does.Contain("1,000").And.Contain("ESTABLISHED"));
            Assert.That(ended.Output.Split('\n').Max(l => l.Length), Is.LessThanOrEqualTo(80), ended.Output);
        }
    }
}
