using System.Net;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;

namespace LoadHarness.EndToEnd.Tests.Runs;

/// <summary>Where connections come from and go to, in the forms that people write.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class SourcesTests : BenchTest
{
    private const string Far = "10.7.0.9";

    [Test]
    public async Task Source_RemovedUnderTheRun_IsNamedAndItsShareGoesToTheOthers()
    {
        using var far = NetworkNamespace.Create();
        var device = Bench.Namespace.Connect("10.7.0.1/24", far, $"{Far}/24");
        Bench.Namespace.AddAddress("10.7.0.2/24", device);
        Bench.Namespace.AddAddress("10.7.0.3/24", device);
        using var target = MisbehavingTarget.Start(Misbehaviour.None, far, 9000, address: IPAddress.Parse(Far));
        var run = Bench.LoadHarnessLine($"run {Far}:9000 -c 300 --agents 1 --sources dev:{device} --ramp 1s --hold 10m --json");
        await run.HoldingAsync(300);

        var gone = Bench.Sockets.Lines("established", "( src 10.7.0.3 and dport = :9000 )").Length;
        Bench.Namespace.Ip("address", "del", "10.7.0.3/24", "dev", device);
        var scaled = await Bench.RunAsync("runs scale 900 --over 1s");
        await Bench.EventuallyAsync(() => Bench.Sockets.Established(9000, 9000) == 900, () => $"{Bench.Sockets.Established(9000, 9000)} established");
        var bySource = Bench.Sockets.Lines("established", "( dport = :9000 )").GroupBy(SourceOf).ToDictionary(g => g.Key, g => g.Count());
        await run.WaitForLineAsync("10\\.7\\.0\\.3.*", Bench.Soon);
        await Bench.RunAsync("runs stop");
        var ended = await Bench.FinishAsync(run);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(scaled.ExitCode, Is.Zero, scaled.Log);
            Assert.That(bySource["10.7.0.3"], Is.EqualTo(gone), "what was there stays the kernel's");
            Assert.That(bySource["10.7.0.1"] - bySource["10.7.0.2"], Is.EqualTo(0).Within(256), "the others share the rest, but for a block");
            Assert.That(string.Join(' ', ended.Summary().Texts("notes")), Does.Contain("10.7.0.3"));
        }
    }

    [Test]
    public async Task Targets_Weighted_FillInProportion()
    {
        await Bench.BackendAsync("127.0.0.1:9000-9001");
        var run = Bench.LoadHarnessLine("run --target 127.0.0.1:9000,weight=3 --target 127.0.0.1:9001 -c 4000 --ramp 1s --hold 12s --json");
        await run.HoldingAsync(4_000);

        var (heavy, light) = (Bench.Sockets.Established(9000, 9000), Bench.Sockets.Established(9001, 9001));
        var ended = await Bench.FinishAsync(run);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(heavy, Is.EqualTo(3_000).Within(40));
            Assert.That(light, Is.EqualTo(1_000).Within(40));
            Assert.That(ended.Summary().Numbers("kernel.byDestination"), Is.EquivalentTo(new Dictionary<string, long>
            {
                ["127.0.0.1:9000"] = heavy,
                ["127.0.0.1:9001"] = light,
            }));
        }
    }

    [Test]
    public async Task Sockets_OfALiveRun_AreTheTableThatSsAwkSortAndUniqMake()
    {
        await Bench.BackendAsync("127.0.0.1:9000-9001");
        var run = Bench.LoadHarnessLine("run 127.0.0.1:9000-9001 -c 3000 --sources 127.1.0.1-127.1.0.3 --ramp 1s --hold 10m --json");
        await run.HoldingAsync(3_000);
        await Bench.ShowOnceKernelSaysAsync(3_000);

        // Counts by source travel every ten seconds at most.
        Json table;
        for (var end = DateTime.UtcNow + Bench.Soon; ; await Task.Delay(500))
        {
            var asked = await Bench.RunAsync("runs sockets --json", Bench.Soon);
            Assert.That(asked.ExitCode, Is.Zero, asked.Log);
            table = Json.Parse(asked.Output);
            if (Established(table, "bySource").Values.Sum() == 3_000)
                break;
            Assert.That(DateTime.UtcNow, Is.LessThan(end), asked.Output);
        }

        var lines = Bench.Sockets.Lines("established", "( dport >= :9000 and dport <= :9001 )");
        var text = await Bench.RunAsync("runs sockets", Bench.Soon);
        await Bench.RunAsync("runs stop --now");
        await Bench.FinishAsync(run);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(Established(table, "bySource"), Is.EquivalentTo(Count(lines, SourceOf)));
            Assert.That(Established(table, "byDestination"), Is.EquivalentTo(Count(lines, l => Words(l)[3])));
            Assert.That(text.Output, Does.Contain("127.1.0.2").And.Contain("127.0.0.1:9001").And.Contain("ESTAB"));
            Assert.That(text.Output.Split('\n').Max(l => l.Length), Is.LessThanOrEqualTo(80), text.Output);
        }
    }

    private static Dictionary<string, long> Established(Json table, string side) =>
        table.Members(side).ToDictionary(e => e.Key, e => e.Value.Number("ESTABLISHED"));

    private static Dictionary<string, long> Count(IEnumerable<string> lines, Func<string, string> key) =>
        lines.GroupBy(key).ToDictionary(g => g.Key, g => (long)g.Count());

    // "0 0 10.77.1.1:1024 10.77.0.5:8443"
    private static string SourceOf(string line) => Words(line)[2][..Words(line)[2].LastIndexOf(':')];

    private static string[] Words(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
