using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Targets;

namespace LoadHarness.EndToEnd.Tests.Runs;

[Parallelizable(ParallelScope.All)]
public sealed class MisbehavingTargetTests : BenchTest
{
    private const int GoalMissed = 4;

    [Test]
    public async Task Target_RefusesEverything_RunEndsByItselfWithTheReason()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Refuse, Bench.Namespace, 9000);

        var ended = await Bench.RunAsync("run 127.0.0.1:9000 -c 500 --hold 10m --json");
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.EqualTo(GoalMissed), ended.Log);
            Assert.That(summary.Flag("result.reached"), Is.False);
            Assert.That(summary.Number("kernel.established"), Is.Zero);
            Assert.That(summary.Numbers("failures.byReason").Keys, Is.EqualTo(new[] { "connect/target/refused" }));
            Assert.That(ended.Error, Does.Contain("refused").And.Contain("127.0.0.1:9000"));
            Assert.That(ended.Log, Does.Not.Contain("   at "));
        }
    }

    [Test]
    public async Task Target_ClosesAfterAWhile_IsReopenedAndCounted()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, Bench.Namespace, 9000, TimeSpan.FromSeconds(2));

        var ended = await Bench.RunAsync("run 127.0.0.1:9000 -c 100 --ramp 1s --hold 6s --json");
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Number("result.closedByPeer"), Is.GreaterThanOrEqualTo(100), ended.Log);
            Assert.That(summary.Number("result.reopened"), Is.GreaterThanOrEqualTo(100));
            Assert.That(summary.Number("result.opened"), Is.EqualTo(target.Accepted));
        }
    }

    [Test]
    public async Task Target_ResetsAtOnce_IsNamedAsReset()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Reset, Bench.Namespace, 9000);

        var ended = await Bench.RunAsync("run 127.0.0.1:9000 -c 50 --ramp 1s --hold 3s --json");
        var reasons = ended.Summary().Numbers("failures.byReason");

        Assert.That(reasons.Keys, Has.Some.EndWith("target/reset"), ended.Log);
        Assert.That(ended.ExitCode, Is.EqualTo(GoalMissed));
    }

    [Test]
    public async Task Target_SendsAllTheTime_NothingStaysUnread()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Send, Bench.Namespace, 9000);
        var run = Bench.LoadHarnessLine("run 127.0.0.1:9000 -c 200 --ramp 1s --hold 4s --json");
        await run.HoldingAsync(200);

        await Task.Delay(1_000);
        var unread = Bench.Sockets.Lines("established", "( dport = :9000 )").Sum(l => int.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]));
        var ended = await Bench.FinishAsync(run);

        // Some 2 MB have arrived by now; what came in the last moments may still be there.
        Assert.That(unread, Is.LessThan(200 * 2_000));
        Assert.That(ended.ExitCode, Is.Zero, ended.Log);
        Assert.That(ended.Summary().Number("result.heldEstablishedMin"), Is.EqualTo(200));
    }

    [Test]
    public async Task Target_LosesEveryPacket_TimesOutAndSaysWho()
    {
        Bench.Namespace.LosePackets("10.99.0.1/24", "10.99.0.2");

        var ended = await Bench.RunAsync("run 10.99.0.2:443 -c 50 --ramp 1s --hold 10s --connect-timeout 1s --json");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.EqualTo(GoalMissed), ended.Log);
            Assert.That(ended.Summary().Numbers("failures.byReason").Keys, Has.Some.EqualTo("connect/network/timeout"));
            Assert.That(ended.Error, Does.Contain("10.99.0.2"));
        }
    }

    [Test]
    public async Task Target_AcceptQueueFull_NeverHangsTheRun()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Ignore, Bench.Namespace, 9000);

        var ended = await Bench.RunAsync("run 127.0.0.1:9000 -c 50 --ramp 1s --hold 2s --connect-timeout 1s --json");

        Assert.That(ended.ExitCode, Is.EqualTo(GoalMissed), ended.Log);
        Assert.That(ended.Summary().Flag("result.reached"), Is.False);
    }
}
