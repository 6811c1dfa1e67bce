using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.EndToEnd.Tests.Runs;

[Parallelizable(ParallelScope.All)]
public sealed class EndpointSpaceTests : BenchTest
{
    [Test]
    public async Task Sources_Several_AreFilledEvenlyAndCountedPerSource()
    {
        await Bench.BackendAsync("127.0.0.1:9000-9003");
        var run = Bench.LoadHarnessLine("run 127.0.0.1:9000-9003 -c 4k --agents 2 --sources 127.1.0.1-127.1.0.4 --ramp 2s --hold 12s --json");
        await run.HoldingAsync(4_000);

        var lines = Bench.Sockets.Lines("established", "( dport >= :9000 and dport <= :9003 )");
        var (bySource, byTarget) = (CountBy(lines, 2), CountBy(lines, 3));
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(bySource, Has.Count.EqualTo(4));
            Assert.That(bySource.Values.Max() - bySource.Values.Min(), Is.LessThanOrEqualTo(400), "sources fill evenly");
            Assert.That(byTarget.Values.Max() - byTarget.Values.Min(), Is.LessThanOrEqualTo(40), "destinations fill evenly");
            Assert.That(summary.Numbers("kernel.bySource"), Is.EquivalentTo(bySource), "the kernel's counts per source, to the connection");
        }
    }

    [Test]
    public async Task Target_OverIPv6_IsHeldToo()
    {
        await Bench.BackendAsync("[::1]:9000-9001");

        var ended = await Bench.RunAsync("run [::1]:9000-9001 -c 1k --ramp 1s --hold 8s --json");

        Assert.That(ended.ExitCode, Is.Zero, ended.Log);
        Assert.That(ended.Summary().Number("kernel.established"), Is.EqualTo(1_000));
        Assert.That(ended.Summary().Flag("kernel.agrees"), Is.True);
    }

    [Test]
    public async Task Target_InAnotherNamespace_IsHeldFromEveryAddressOfTheHost()
    {
        using var far = NetworkNamespace.Create();
        var device = Bench.Namespace.Connect("10.7.0.1/24", far, "10.7.0.9/24");
        Bench.Namespace.AddAddress("10.7.0.2/24", device);
        using var target = TestKit.Targets.MisbehavingTarget.Start(
            TestKit.Targets.Misbehaviour.None, far, 9000, address: System.Net.IPAddress.Parse("10.7.0.9"));

        var ended = await Bench.RunAsync("run 10.7.0.9:9000 -c 500 --sources auto --ramp 1s --hold 8s --json");
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Numbers("kernel.bySource").Keys, Is.EquivalentTo(new[] { "10.7.0.1", "10.7.0.2" }));
            Assert.That(target.Accepted, Is.EqualTo(500));
            Assert.That(target.Received, Is.Zero, "who only holds sends nothing");
        }
    }

    private static Dictionary<string, long> CountBy(string[] lines, int column) => lines
        .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[column])
        .GroupBy(e => column == 2 ? e[..e.LastIndexOf(':')] : e)
        .ToDictionary(g => g.Key, g => (long)g.Count());
}
