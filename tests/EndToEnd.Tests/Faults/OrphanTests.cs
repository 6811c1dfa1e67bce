using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Hostile;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>Whatever kills the parent of a local fleet, at whatever moment: no child and no socket of it is left.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class OrphanTests : BenchTest
{
    private static readonly TimeSpan _gone = TimeSpan.FromSeconds(90);

    [Test]
    public async Task Kill_AtAnyMoment_LeavesNothingBehind()
    {
        var random = new Random(LongTests.Seed(5));
        for (var round = 0; round < (LongTests.Wanted ? 100 : 6); round++)
        {
            var demo = Bench.LoadHarnessLine("demo -c 2k --ramp 1s --hold 5m");
            // From before the first child to the middle of the hold; most of it in the time in which children are made.
            var delay = random.Next(4) == 0 ? random.Next(5000) : random.Next(1500);
            await Task.Delay(delay);

            demo.Send(Signal.Kill);

            await AssertGoneAsync(demo, $"round {round}, killed after {delay} ms");
        }
    }

    [Test]
    public async Task Kill_WhileStopped_LeavesNothingBehind()
    {
        var demo = Bench.LoadHarnessLine("demo -c 2k --ramp 1s --hold 5m");
        await demo.HoldingAsync(2_000);
        demo.Send(Signal.Stop);
        await Task.Delay(500);

        demo.Send(Signal.Kill);

        await AssertGoneAsync(demo, "killed while stopped");
    }

    [Test]
    public async Task Kill_WithStoppedChildren_LeavesNothingBehind()
    {
        var demo = Bench.LoadHarnessLine("demo -c 2k --ramp 1s --hold 5m");
        await demo.HoldingAsync(2_000);
        // They cannot notice the end of their standard input: only the kernel's signal ends them.
        foreach (var child in demo.FamilyOf("loadharness-agent"))
            ProgramProcess.Send(child.Pid, Signal.Stop);

        demo.Send(Signal.Kill);

        await AssertGoneAsync(demo, "killed with stopped children");
    }

    private async Task AssertGoneAsync(ProgramProcess parent, string how)
    {
        await Bench.EventuallyAsync(() => parent.Family.Count == 0, () => $"{how}: still there: {string.Join("; ", parent.Family)}", _gone);
        await Bench.EventuallyAsync(
            () => Bench.Sockets.Lines("all", "( dport >= :9000 and dport <= :9009 )").All(l => l.StartsWith("TIME-WAIT", StringComparison.Ordinal)),
            () => $"{how}: sockets are left: {string.Join('\n', Bench.Sockets.Lines("all", "( dport >= :9000 and dport <= :9009 )").Take(5))}", _gone);
        // A process that ends loses its memory, by which it is known, before its descriptors.
        await Bench.EventuallyAsync(
            () => Bench.Sockets.Lines("listening", "( sport >= :9000 and sport <= :9009 )").Length == 0, () => $"{how}: somebody still listens", _gone);
    }
}
