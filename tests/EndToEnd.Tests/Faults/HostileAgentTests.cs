using System.Globalization;
using Grpc.Core;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.EndToEnd.Tests.Fleet;
using LoadHarness.Protos;
using LoadHarness.TestKit.Hostile;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;
using LoadHarness.V1;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>
/// Two honest agents hold their shares of a run whose third agent does harm: they notice nothing, what they report is whole, the third is
/// named in words, and the coordinator's memory stays within what docs/design/failures.md promises.
/// </summary>
[NonParallelizable]
public sealed class HostileAgentTests : FleetTest
{
    private const string Target = "10.77.0.6";
    private const int Parts = 4;
    private const int FirstPort = 9000;
    private const int LastPort = 17_191;
    private const int Share = 500;
    // Of tests that wait for its end; honest agents must live through a machine that stands still for seconds.
    private const string Brief = "10s";
    private const long MostGrowthBytes = 100L << 20;

    private readonly List<NetworkNamespace> _honest = [];

    private static readonly Dictionary<string, (Func<OddAgent, Assignment, CancellationToken, Task> Do, string[] Words)> _misconducts = new()
    {
        ["floods heartbeats"] = (Misconduct.FloodHeartbeatsAsync, ["more messages than the 100 a second"]),
        ["floods statuses of 4 MB"] = (Misconduct.FloodStatusesAsync, ["more messages than the 100 a second"]),
        ["floods samples"] = (Misconduct.FloodSamplesAsync, ["more samples than the 20 a second"]),
        ["floods samples of 4 MB"] = (Misconduct.FloodLargeSamplesAsync, ["not an HdrHistogram"]),
        ["reads nothing"] = (Misconduct.ReadNothingAsync, ["did not confirm that it has closed everything"]),
        ["sends impossible samples"] = (Misconduct.SendImpossibleSamplesAsync,
            ["no interval of a run", "out of range", "histogram layout", "more than a host can do", "s have passed"]),
    };

    private static TimeSpan HowLong => TimeSpan.FromSeconds(LongTests.Wanted ? 120 : 8);

    private static IEnumerable<string> Misconducts => _misconducts.Keys;

    [TestCaseSource(nameof(Misconducts))]
    public async Task Run_WithAnAgentThatDoesHarm_GoesOnForTheOthers(string how)
    {
        var (misconduct, words) = _misconducts[how];
        await StartAsync();
        var (rogue, working) = await DialAsync("rogue", "10.77.9.1");
        await using var _ = rogue;
        await Fleet.IdleAsync("a1", "a2", "rogue");
        var before = ResidentBytes();
        var run = Fleet.User($"run {Target}:9000 -c {3 * Share} --agents 3 --ramp 1s --hold {HowLong.TotalSeconds + 300}s --json");
        var work = await working.WaitAsync(Bench.Soon);
        await Bench.EventuallyAsync(() => Held() == 2 * Share, () => $"{Held()} are held");

        using var cancel = new CancellationTokenSource();
        var harm = misconduct(rogue, work, cancel.Token);
        var (fewest, most) = (2 * Share, new long[Parts]);
        for (var began = DateTime.UtcNow; DateTime.UtcNow - began < HowLong; await Task.Delay(100))
        {
            var part = Math.Min((int)(Parts * (DateTime.UtcNow - began) / HowLong), Parts - 1);
            (fewest, most[part]) = (Math.Min(fewest, Held()), Math.Max(most[part], ResidentBytes()));
        }

        // A slow machine floods slowly: then it takes longer until there is something to notice. Who reads nothing is noticed at the end.
        if (how != "reads nothing")
        {
            await Bench.EventuallyAsync(
                async () =>
                {
                    var lines = NamesRogue((await Fleet.RunAsync("runs report --json")).Summary()).ToList();
                    return words.All(w => lines.Exists(l => l.Contains(w, StringComparison.Ordinal)));
                },
                () => $"not all of it is said: {string.Join(", ", words)}",
                Bench.Patience);
        }

        await cancel.CancelAsync();
        await harm.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Fleet.RunAsync("runs stop");
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();
        await TestContext.Out.WriteLineAsync(string.Create(
            CultureInfo.InvariantCulture, $"RSS {before >> 20} MB before, at most {string.Join(", ", most.Select(m => m >> 20))} MB in each quarter"));

        using (Assert.EnterMultipleScope())
        {
            Assert.That(fewest, Is.EqualTo(2 * Share), "the honest ones held their shares");
            Assert.That(most.Max() - before, Is.LessThan(MostGrowthBytes), "bytes that the coordinator grew by");
            AssertHonestAreWhole(summary, ended.Log);
            foreach (var word in words)
                Assert.That(NamesRogue(summary), Has.Some.Contains(word));
        }
    }

    // Its answers to heartbeats alone would fill a connection in minutes: this run's assignments have 90 kB, for no two of its ports are in a row.
    [Test]
    public async Task Run_WithAnAgentThatReadsNothingOfMuch_CutsItOffAndGoesOn()
    {
        var ports = Enumerable.Range(0, 4096).Select(i => (FirstPort + (2 * i)).ToString(CultureInfo.InvariantCulture));
        await StartAsync(FormattableString.Invariant($"{FirstPort}-{LastPort}"), Brief);
        var (rogue, working) = await DialAsync("rogue", "10.77.9.1");
        await using var _ = rogue;
        await Fleet.IdleAsync("a1", "a2", "rogue");
        var run = Fleet.User($"run {Target}:{string.Join(',', ports)} -c {3 * Share} --agents 3 --ramp 1s --hold 5m --json");
        await working.WaitAsync(Bench.Soon);
        await Bench.EventuallyAsync(() => Held() == 2 * Share, () => $"{Held()} are held");

        rogue.StopReading();
        for (var more = 1; more <= 3; more++)
            Assert.That((await Fleet.RunAsync($"runs scale {(3 * Share) + (3 * more)}")).ExitCode, Is.Zero);
        await Bench.EventuallyAsync(
            () => Fleet.Coordinator.Log.Everything.Contains("rogue breaks the contract: attach: it has read nothing for 10 s", StringComparison.Ordinal),
            () => $"the coordinator says nothing of it:\n{Fleet.Coordinator.Log.Everything}");
        await Bench.EventuallyAsync(() => rogue.CutOff.IsFaulted, () => "its call goes on");
        await Bench.EventuallyAsync(() => Held() == (2 * Share) + 6, () => $"{Held()} are held");
        await Fleet.RunAsync("runs stop");
        var ended = await Bench.FinishAsync(run);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(NamesRogue(ended.Summary()), Has.Some.Contains("broke the contract and was cut off"));
            Assert.That(ended.Summary().List("agents").Where(a => a.Text("id") != "rogue").Select(a => (a.Number("peakEstablished"), a.Flag("lost"))),
                Is.EqualTo(new[] { (Share + 3L, false), (Share + 3L, false) }));
            Assert.That(ended.Summary().Number("result.closedByPeer"), Is.Zero);
        }
    }

    [Test]
    public async Task Upload_InTheNameOfAnother_IsRefusedAndCountsNothing()
    {
        await StartAsync();
        var (rogue, working) = await DialAsync("rogue", "10.77.9.1");
        await using var _ = rogue;
        var (victim, _) = await DialAsync("victim", "10.77.9.2", "spare");
        await using var __ = victim;
        await Fleet.IdleAsync("a1", "a2", "rogue", "victim");
        var run = Fleet.User($"run {Target}:9000 -c {3 * Share} --select part=load --agents 3 --ramp 1s --hold 15s --json");
        var work = await working.WaitAsync(Bench.Soon);
        await Bench.EventuallyAsync(() => Held() == 2 * Share, () => $"{Held()} are held");

        var answers = await Misconduct.UploadAsAnotherAsync(rogue, victim, "a1", work);
        var ended = await Bench.FinishAsync(run);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(answers, Is.EqualTo(new[] { StatusCode.FailedPrecondition, StatusCode.PermissionDenied, StatusCode.FailedPrecondition }));
            AssertHonestAreWhole(ended.Summary(), ended.Log);
        }
    }

    [Test]
    public async Task Run_WithAnAgentThatIsStopped_GoesOnForTheOthers()
    {
        await StartAsync(lease: Brief);
        var host = Fleet.Lan.AddHost("10.77.9.1/16");
        var stopped = Fleet.Agent(host, "rogue", $"--allow {Target}:9000 --label part=load");
        await Fleet.IdleAsync("a1", "a2", "rogue");
        var run = Fleet.User($"run {Target}:9000 -c {3 * Share} --agents 3 --ramp 1s --hold 5m --json");
        await run.HoldingAsync(3 * Share);

        stopped.Send(Signal.Stop);
        var fewest = 2 * Share;
        for (var end = DateTime.UtcNow.AddSeconds(13); DateTime.UtcNow < end; await Task.Delay(100))
            fewest = Math.Min(fewest, Held());
        stopped.Send(Signal.Continue);
        await Bench.EventuallyAsync(
            async () => NamesRogue((await Fleet.RunAsync("runs report --json")).Summary()).Any(l => l.Contains("lease", StringComparison.Ordinal)),
            () => "nothing is said about its lease");
        await Fleet.RunAsync("runs stop");
        var ended = await Bench.FinishAsync(run);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(fewest, Is.EqualTo(2 * Share));
            Assert.That(NamesRogue(ended.Summary()), Has.Some.Contains("lease"));
            foreach (var agent in ended.Summary().List("agents").Where(a => a.Text("id") != "rogue"))
                Assert.That((agent.Number("peakEstablished"), agent.Flag("lost")), Is.EqualTo(((long)Share, false)), agent.ToString());
            Fleet.ExpectNoGaps(ended.Summary(), IsHonest);
        }
    }

    private void AssertHonestAreWhole(Json summary, string log)
    {
        foreach (var agent in summary.List("agents").Where(a => a.Text("id") != "rogue"))
            Assert.That((agent.Number("peakEstablished"), agent.Flag("lost")), Is.EqualTo(((long)Share, false)), agent.ToString());
        Assert.That(summary.List("agents"), Has.Count.EqualTo(3), log);
        Assert.That(summary.Number("result.opened"), Is.EqualTo(2 * Share), "nothing that the third claimed was counted");
        Assert.That(summary.Number("result.closed"), Is.EqualTo(2 * Share));
        Assert.That(summary.Number("result.closedByPeer"), Is.Zero);
        Fleet.ExpectNoGaps(summary, IsHonest);
    }

    private static bool IsHonest(Json gap) => gap.Text("agent") is "a1" or "a2";

    private async Task StartAsync(string ports = "9000", string lease = "30s")
    {
        var target = Fleet.Lan.AddHost($"{Target}/16");
        await Fleet.ServeAsync("--lease", lease);
        Fleet.AgentStart(target, "backend", "--listen", $"{Target}:{ports}");
        for (var i = 1; i <= 2; i++)
        {
            _honest.Add(Fleet.Lan.AddHost(FormattableString.Invariant($"10.77.1.{i}/16")));
            Fleet.Agent(_honest[^1], FormattableString.Invariant($"a{i}"), $"--allow {Target}:{ports} --label part=load");
        }
    }

    // It does as it is told, until it works.
    private async Task<(OddAgent Agent, Task<Assignment> Working)> DialAsync(string id, string address, string part = "load")
    {
        var working = new TaskCompletionSource<Assignment>(TaskCreationOptions.RunContinuationsAsynchronously);
        var (agent, _) = await OddAgent.DialAsync(Fleet, Fleet.Lan.AddHost($"{address}/16"), id, hello =>
        {
            hello.Labels["part"] = part;
            hello.Capabilities.Remove(Capabilities.Checks);
        });
        agent.Respond = assignment =>
        {
            if (assignment.Phase == Phase.Running)
                working.TrySetResult(assignment);
            return OddAgent.Obey(assignment);
        };
        return (agent, working.Task);
    }

    private IEnumerable<string> NamesRogue(Json summary) => summary.Texts("notes").Concat(summary.List("events").Select(e => e.Text("message")))
        .Concat(Fleet.Coordinator.Log.Everything.Split('\n')).Where(l => l.Contains("rogue", StringComparison.Ordinal));

    private int Held() => _honest.Sum(h => new SocketStatistics(h).Established(FirstPort, LastPort));

    private long ResidentBytes()
    {
        var line = File.ReadLines($"/proc/{Fleet.Coordinator.Pid.ToString(CultureInfo.InvariantCulture)}/status")
            .First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) << 10;
    }
}
