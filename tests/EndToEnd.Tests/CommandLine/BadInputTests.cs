using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.CommandLine;

/// <summary>One message for each thing that is wrong: the field or address, the cause, the remedy; no stack trace.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class BadInputTests : BenchTest
{
    private const int Usage = 2;
    private const int GoalMissed = 4;
    private const int DoesNotFit = 7;

    [TestCase("run 127.0.0.1:0 -c 10", "--target 127.0.0.1:0", "1 to 65")]
    [TestCase("run 127.0.0.1:70000 -c 10", "--target 127.0.0.1:70000", "1 to 65")]
    [TestCase("run --target udp://127.0.0.1:9000 -c 10", "--target udp://127.0.0.1:9000", "tcp://")]
    [TestCase("run 127.0.0.1:9000 --connections -5", "--connections -5", "500k")]
    [TestCase("run 127.0.0.1:9000 --connections 5X", "--connections 5X", "500k")]
    [TestCase("run 127.0.0.1:9000 -c 0", "--connections 0", "1 to 100,000,000")]
    [TestCase("run 127.0.0.1:9000", "--connections", "50k")]
    [TestCase("run -c 10", "--target", "tcp://127.0.0.1:9000")]
    [TestCase("run no-such-host.invalid:443 -c 10", "no-such-host.invalid", "")]
    [TestCase("run 127.0.0.1:9000 -c 10 --hold soon", "--hold soon", "10m")]
    [TestCase("run 127.0.0.1:9000 -c 10 --ramp 10s --connect-rate 5/s", "--ramp", "--connect-rate")]
    [TestCase("run 127.0.0.1:9000 -c 10 --sources 300.1.1.1", "--sources 300.1.1.1", "")]
    [TestCase("run 127.0.0.1:9000 -c 10 --sources ::1", "--sources", "IPv")]
    [TestCase("run 127.0.0.1:9000 -c 10 --conections 5", "--conections", "--connections")]
    [TestCase("run 127.0.0.1:9000 -c 10 --sources 10.0.1.5/24", "--sources 10.0.1.5/24", "10.0.1.0/24 for the network")]
    [TestCase("run 127.0.0.1:9000 -c 10 --sources 10.0.1.9-10.0.1.2", "runs backwards", "10.0.1.2-10.0.1.9")]
    [TestCase("run 127.0.0.1:9000 -c 10 --sources 127.0.0.0/24,127.0.0.7", "--sources 127.0.0.7", "overlaps 127.0.0.0/24")]
    [TestCase("run 127.0.0.1:9000 -c 10 --sources 127.0.0.1,::1", "--sources ::1", "IPv6")]
    [TestCase("run [::1]:9000 -c 10 --sources fd00::/64", "2^64", "/104")]
    [TestCase("run 127.0.0.1:9000 -c 10 --sources dev:nosuch0", "nosuch0", "there are: lo")]
    [TestCase("run 127.0.0.1:9000 -c 10 --source-ports 9000-9100", "127.0.0.1:9000", "9001-9100")]
    [TestCase("run 127.0.0.1:9000 -c 10 --source-ports 200-100", "--source-ports 200-100", "10000-30000")]
    [TestCase("run 127.0.0.1:9000 -c 10 --lifetime 5s", "--lifetime 5s", "--workload churn")]
    [TestCase("run 127.0.0.1:9000 -c 10 --workload churn", "--lifetime", "10s")]
    [TestCase("run 127.0.0.1:9000,weight=0 -c 10", "weight '0'", "1 to 1,000")]
    [TestCase("run 127.0.0.1:9000 -c 10 --provision-sources 10.0.1.0/24", "--provision-sources 10.0.1.0/24", "@eth0")]
    [TestCase("walk 127.0.0.1:9000", "walk", "run")]
    [TestCase("runs scale many", "many", "500k")]
    public async Task Arguments_Wrong_NameFieldAndRemedy(string line, string named, string allowed)
    {
        var result = await Bench.RunAsync(line, Bench.Soon);

        Expect(result, Usage, named, allowed);
    }

    [Test]
    public async Task Arguments_SeveralWrong_AreAllReportedAtOnce()
    {
        var result = await Bench.RunAsync("run 127.0.0.1:70000 --connections 5X --hold never --sources 1.2.3.400 --agents 0", Bench.Soon);

        Expect(result, Usage, "--target 127.0.0.1:70000", "--connections 5X", "--hold never", "--sources 1.2.3.400", "--agents 0");
    }

    [Test]
    public async Task Sources_AddressThatTheHostDoesNotHave_IsNamed()
    {
        await Bench.BackendAsync("127.0.0.1:9000");

        var result = await Bench.RunAsync("run 127.0.0.1:9000 -c 10 --sources 127.0.0.1,192.0.2.9", Bench.Soon);

        Expect(result, [Usage, DoesNotFit], "192.0.2.9", "no such address", "ip addr add");
    }

    [Test]
    public async Task Sources_SliceTooSmallForTheGoal_ShowsTheArithmetic()
    {
        await Bench.BackendAsync("127.0.0.1:9000");

        var result = await Bench.RunAsync("run 127.0.0.1:9000 -c 2k --source-ports 20480-21503", Bench.Soon);

        Expect(result, DoesNotFit, "1,024", "2,000", "--sources");
    }

    [Test]
    public async Task SourcePorts_AllOfTheEphemeralRange_AreRefused()
    {
        // The host of the tests has only this namespace's loopback here, but nobody told the agent that the namespace is for it alone.
        await Bench.BackendAsync("127.0.0.1:9000");
        Bench.Namespace.SetSysctl("net.ipv4.ip_local_port_range", "20480 21503");

        var result = await Bench.RunAsync("run 127.0.0.1:9000 -c 1k --source-ports 20480-21503 --ramp 1s --hold 1s", Bench.Soon);

        Expect(result, [Usage, DoesNotFit], "--source-ports", "ip_local_port_range");
    }

    [Test]
    public async Task Target_OwnSource_IsNeverConnectedToItself()
    {
        // Nobody listens; the only tuple that would connect is the target's own address and port.
        var result = await Bench.RunAsync("run 127.0.0.1:20480 -c 1 --source-ports 20480-20480 --hold 1s", Bench.Soon);

        Expect(result, [Usage, DoesNotFit], "127.0.0.1", "20480");
    }

    [Test]
    public async Task Target_Unreachable_EndsByItselfWithReason()
    {
        // 192.0.2.0/24 has no route in the namespace.
        var result = await Bench.RunAsync("run 192.0.2.1:443 -c 10 --hold 2s", Bench.Soon);

        Expect(result, [Usage, GoalMissed, DoesNotFit], "192.0.2.1", "route");
    }

    [TestCase("runs show")]
    [TestCase("runs stop")]
    [TestCase("agents list")]
    public async Task Verb_WithoutAnyRun_SaysWhatToStart(string line)
    {
        var result = await Bench.RunAsync(line, Bench.Soon);

        Expect(result, 6, "no run", "loadharness run");
    }

    private static void Expect(ProgramResult result, int code, params string[] parts) => Expect(result, [code], parts);

    private static void Expect(ProgramResult result, int[] codes, params string[] parts)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(codes, Does.Contain(result.ExitCode), result.Log);
            foreach (var part in parts)
                Assert.That(result.Error + result.Output, Does.Contain(part));
            Assert.That(result.Log, Does.Not.Contain("   at ").And.Not.Contain("Unhandled").And.Not.Contain("internal error"));
        }
    }
}
