using System.Net;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;
using LoadHarness.TestKit.Proxies;
using LoadHarness.TestKit.Targets;

namespace LoadHarness.EndToEnd.Tests.Runs;

/// <summary>
/// Targets that do not do what a good one does: each ends in the right counters, the right words and the right exit code. One agent
/// meets them all, one after the other, and shows that nothing of a run is left in it.
/// </summary>
[NonParallelizable]
public sealed class MisbehavingTargetTests
{
    private const int Passed = 0;
    private const int GoalMissed = 4;
    private const string Agent = "client";
    private const string Target = "10.77.2.1";

    // Both on the agent's own network: one whose hardware address nobody has, and one that nobody answers for.
    private const string BlackHole = "10.77.2.8";
    private const string Nobody = "10.77.2.9";

    private static FleetBench _fleet = null!;
    private static NetworkNamespace _client = null!;
    private static NetworkNamespace _target = null!;
    private static AgentTraces _traces = null!;

    private static IEnumerable<TargetCase> Cases =>
    [
        new("Refuses", $"{Target}:9001 -c 200 --hold 10m", GoalMissed)
        {
            Start = Misbehaving(Misbehaviour.Refuse, 9001),
            Reasons = ["connect/target/refused"],
            Words = ["refused", $"{Target}:9001"],
            Expect = s => Assert.That(s.Number("kernel.established"), Is.Zero),
        },
        // More than it could leave unanswered for some seconds.
        new("ResetsAtOnce", $"{Target}:9002 -c 500 --ramp 5s --hold 2s", GoalMissed)
        {
            Start = Misbehaving(Misbehaviour.Reset, 9002),
            Reasons = ["hold/target/reset"],
            Words = ["as soon as they are established"],
            Expect = s => Assert.That(s.Real("targetCloses.cluster.ageSeconds"), Is.LessThan(1)),
        },
        new("AcceptsAndNeverAnswers", $"{Target}:9003 -c 200 --ramp 1s --hold 8s", Passed)
        {
            Start = Misbehaving(Misbehaviour.None, 9003),
            Expect = s => Assert.That(s.Number("result.heldEstablishedMin"), Is.EqualTo(200)),
        },
        new("NeverGreets", $"{Target}:9004 -c 200 --ramp 1s --hold 8s --expect-greeting", Passed)
        {
            Start = Misbehaving(Misbehaviour.None, 9004),
            Words = ["None of the 200 connections was greeted", "--expect-greeting"],
            Expect = s => Assert.That(s.Number("result.confirmed"), Is.Zero),
        },
        // Ten times: those that a busy machine was late to close are few beside the others.
        new("ClosesAfterAWhile", $"{Target}:9005 -c 100 --ramp 1s --hold 22s", Passed)
        {
            Start = Misbehaving(Misbehaviour.Close, 9005, seconds: 2),
            Reasons = ["hold/target/closed"],
            Words = ["at an age of 2", "a time-out of the target and not the load", "timeout client"],
            Expect = s =>
            {
                Assert.That(s.Real("targetCloses.cluster.ageSeconds"), Is.InRange(1.9, 3));
                Assert.That(s.Number("result.reopened"), Is.GreaterThanOrEqualTo(100));
            },
        },
        new("ClosesHalf", $"{Target}:9006 -c 50 --ramp 1s --hold 9s", Passed)
        {
            Start = Misbehaving(Misbehaviour.HalfClose, 9006, seconds: 2),
            Reasons = ["hold/target/closed"],
            Expect = s => Assert.That(s.Number("result.closedByPeer"), Is.GreaterThanOrEqualTo(50)),
        },
        new("Floods", $"{Target}:9007 -c 10 --ramp 1s --hold 8s", Passed)
        {
            Start = Misbehaving(Misbehaviour.Flood, 9007),
            // It does not look at what comes from us: our FIN has no answer until the drain's deadline.
            Reasons = ["close/network/timeout"],
            Expect = s =>
            {
                Assert.That(s.Number("result.heldEstablishedMin"), Is.EqualTo(10));
                Assert.That(s.Number("drain.aborted"), Is.EqualTo(10));
            },
        },
        new("SendsUnaskedData", $"{Target}:9008 -c 200 --ramp 1s --hold 12s", Passed)
        {
            Start = Misbehaving(Misbehaviour.Send, 9008),
            Meanwhile = ExpectNothingUnreadAsync,
            Expect = s => Assert.That(s.Number("result.heldEstablishedMin"), Is.EqualTo(200)),
        },
        new("SwallowsSyns", $"{BlackHole}:443 -c 50 --ramp 1s --hold 10s --connect-timeout 1s", GoalMissed)
        {
            Reasons = ["connect/network/timeout"],
            Words = [BlackHole],
        },
        new("IsNotThere", $"{Nobody}:443 -c 50 --ramp 1s --hold 20s --connect-timeout 8s", GoalMissed)
        {
            Reasons = ["connect/network/unreachable"],
            Words = [Nobody],
        },
        new("HasAFullAcceptQueue", $"{Target}:9009 -c 50 --ramp 1s --hold 2s --connect-timeout 1s", GoalMissed)
        {
            Start = Misbehaving(Misbehaviour.Ignore, 9009),
            // Those that the kernel took for it are never closed by it.
            Reasons = ["connect/network/timeout", "close/network/timeout"],
            // SYNs that come together (those of 100 ms at most) find room that only one of them will have.
            Expect = s => Assert.That(s.Number("result.peakEstablished"), Is.InRange(1, 7), "what the kernel accepted for it"),
        },
        new("IsBehindABadLine", $"{Target}:9010 -c 300 --ramp 2s --hold 10s", Passed)
        {
            Start = host => new BadLine(host, Misbehaving(Misbehaviour.None, 9010)(host)),
            Expect = s =>
            {
                Assert.That(s.Number("kernel.counters.synRetransmits"), Is.Positive);
                Assert.That(s.Real("latency.connect.max"), Is.GreaterThan(900), "the kernel sends a SYN again after a second");
                Assert.That(s.Number("result.heldEstablishedEnd"), Is.EqualTo(300));
            },
        },
    ];

    [OneTimeSetUp]
    public static async Task MakeFleet()
    {
        _fleet = await FleetBench.CreateAsync();
        (_client, _target) = (_fleet.Lan.AddHost("10.77.1.1/16"), _fleet.Lan.AddHost($"{Target}/16"));
        _client.Ip("neighbour", "add", BlackHole, "lladdr", "02:00:00:00:00:01", "dev", "eth0", "nud", "permanent");
        await _fleet.ServeAsync();
        _traces = new(_fleet, _client, Agent, _fleet.Agent(_client, Agent, "--allow 10.77.0.0/16").Pid);
        await _fleet.IdleAsync(Agent);
        using var target = Misbehaving(Misbehaviour.None, 9000)(_target);
        await _fleet.RunAsync($"run {Target}:9000 -c 10 --hold 1s --json");
        _traces.Remember();
    }

    [OneTimeTearDown]
    public static Task RemoveFleet() => _fleet.DisposeAsync().AsTask();

    [TestCaseSource(nameof(Cases))]
    public async Task Run_AgainstATargetThat(TargetCase target)
    {
        ProgramResult ended;
        using (target.Start?.Invoke(_target))
        {
            var run = _fleet.User($"run {target.Line} --json");
            if (target.Meanwhile is { } meanwhile)
                await meanwhile(run);
            ended = await Bench.FinishAsync(run);
        }

        var summary = ended.Summary();
        var report = string.Join('\n', summary.Texts("notes").Append(summary.Text("run.reason")).Append(ended.Error));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.EqualTo(target.ExitCode), ended.Log);
            Assert.That(summary.Numbers("failures.byReason").Keys, target.Reasons.Length == 0 ? Is.Empty : Is.Not.Empty.And.SubsetOf(target.Reasons));
            foreach (var words in target.Words)
                Assert.That(report, Does.Contain(words));
            target.Expect(summary);
            Assert.That(ended.Log, Does.Not.Contain("   at "), "no trace of a stack");
            await _traces.ExpectNoneAsync();
        }
    }

    [Test]
    public async Task HaProxy_ReloadedDuringAHold_OldProcessKeepsItsConnectionsUntilItsTimeIsOver()
    {
        const int goal = 300;
        using var server = Misbehaving(Misbehaviour.None, 9101)(_target);
        await using var proxy = await HaProxy.StartAsync(new($"{Target}:8443", $"{Target}:9101")
        {
            Namespace = _target,
            HardStopAfter = TimeSpan.FromSeconds(10),
        });
        var run = _fleet.User($"run {Target}:8443 -c {goal} --ramp 2s --hold 30s --json");
        await run.HoldingAsync(goal);

        proxy.Reload();
        await Bench.EventuallyAsync(() => proxy.CurrentConnections() == 0, () => "the new process does not come up");
        var kept = new SocketStatistics(_client).Established(8443, 8443);
        await Bench.EventuallyAsync(() => proxy.CurrentConnections() == goal, () => $"the new process has {proxy.CurrentConnections()}");
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(kept, Is.EqualTo(goal), "with the old process while the new one is there");
            Assert.That(summary.Number("result.closedByPeer"), Is.EqualTo(goal));
            Assert.That(summary.Number("result.reopened"), Is.EqualTo(goal));
            Assert.That(summary.Number("result.heldEstablishedEnd"), Is.EqualTo(goal));
            Assert.That(summary.Texts("notes"), Has.Some.Contain("a restart or a reload of the target"));
            Assert.That(summary.Number("targetCloses.burst.count"), Is.EqualTo(goal));
        }

        await _traces.ExpectNoneAsync();
    }

    private static Func<NetworkNamespace, IDisposable> Misbehaving(Misbehaviour what, int port, double seconds = 0) =>
        host => MisbehavingTarget.Start(what, host, port, TimeSpan.FromSeconds(seconds), IPAddress.Parse(Target));

    // Some 2 MB have arrived by then; what came in the last moments may still be there.
    private static async Task ExpectNothingUnreadAsync(ProgramProcess run)
    {
        await run.HoldingAsync(200);
        await Task.Delay(1_000);
        await Bench.EventuallyAsync(() => Unread() < 200 * 2_000, () => $"{Unread()} bytes are unread");
    }

    private static int Unread() => new SocketStatistics(_client).Lines("established", "( dport = :9008 )")
        .Sum(l => int.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]));

    /// <summary>
    /// The target on a host that loses a twentieth of what comes in, but of each connection one packet at most (a SYN that is lost again and
    /// again would outlast any hold), and sends little at a time.
    /// </summary>
    private sealed class BadLine : IDisposable
    {
        private readonly NetworkNamespace _host;
        private readonly IDisposable _on;

        public BadLine(NetworkNamespace host, IDisposable on)
        {
            (_host, _on) = (host, on);
            host.Exec("tc", "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "1mbit", "burst", "10kb", "latency", "400ms");
            host.Exec("nft", "add table inet line; add chain inet line in { type filter hook input priority 0; }; "
                + "add set inet line hit { type inet_service; flags dynamic; size 65535; }; "
                + "add rule inet line in tcp dport 9010 tcp sport != @hit numgen random mod 100 < 5 add @hit { tcp sport } drop");
        }

        public void Dispose()
        {
            _host.Exec("nft", "delete table inet line");
            _host.Exec("tc", "qdisc", "del", "dev", "eth0", "root");
            _on.Dispose();
        }
    }
}
