using System.Globalization;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>
/// The wall clock of the coordinator steps by an hour while it serves and while it is away. The clock of the machine stays as it is: a
/// library in front of the coordinator's libc adds what a file says.
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed class ClockStepTests : FleetTest
{
    private const string Target = "10.77.0.6";
    private const int Goal = 500;

    private const string Shim =
        """
        #define _GNU_SOURCE
        #include <stdio.h>
        #include <stdlib.h>
        #include <time.h>
        #include <unistd.h>
        #include <sys/syscall.h>
        int clock_gettime(clockid_t clock, struct timespec *now) {
          int result = (int)syscall(SYS_clock_gettime, clock, now);
          if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
            FILE *step = fopen(getenv("CLOCK_STEP_FILE"), "r");
            long seconds = 0;
            if (step) { if (fscanf(step, "%ld", &seconds) == 1) now->tv_sec += seconds; fclose(step); }
          }
          return result;
        }
        """;

    // Never before the certificates were made: a coordinator does not start with one that is not valid yet.
    [TestCase(0, 3600, 7200)]
    [TestCase(7200, 3600, 0)]
    public async Task WallClock_StepsByAnHour_ChangesNothing(int first, int second, int third)
    {
        var (library, step) = await BuildAsync();
        await StepAsync(step, first);
        var client = Fleet.Lan.AddHost("10.77.1.1/16");
        await ServeAsync(library, step);
        Fleet.AgentStart(Fleet.Lan.AddHost($"{Target}/16"), "backend", "--listen", $"{Target}:9000");
        Fleet.Agent(client, "a1", $"--allow {Target}:9000");
        await Fleet.IdleAsync("a1");
        Assert.That((await Fleet.RunAsync($"run {Target}:9000 -c {Goal} --ramp 2s --hold 25s --detach")).ExitCode, Is.Zero);
        await Bench.EventuallyAsync(() => Established(client) == Goal, () => $"{Established(client)} are established");

        await StepAsync(step, second);
        await Task.Delay(1500);
        Assert.That(Established(client), Is.EqualTo(Goal), "stepped while it serves");
        Fleet.Coordinator.Send(Signal.Kill);
        await Fleet.Coordinator.WaitForExitAsync(Bench.Soon);
        await StepAsync(step, third);
        await ServeAsync(library, step);
        Assert.That(Established(client), Is.EqualTo(Goal), "stepped while it was away");

        await Bench.FinishAsync(Fleet.User("runs watch"));
        var summary = (await Fleet.RunAsync("runs report --json")).Summary();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(summary.Text("run.state"), Is.EqualTo("completed"), summary.ToString());
            Assert.That(summary.Number("result.opened"), Is.EqualTo(Goal));
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(Goal));
            Assert.That(summary.Real("run.durationSeconds"), Is.InRange(27, 600));
            Fleet.ExpectNoGaps(summary);
            Assert.That(summary.List("events").Select(e => e.Text("kind")), Does.Not.Contain("agent-lost"));
        }
    }

    private async Task<(string Library, string Step)> BuildAsync()
    {
        var (source, library, step) = (Fleet.PathOf("shim.c"), Fleet.PathOf("shim.so"), Fleet.PathOf("step"));
        await File.WriteAllTextAsync(source, Shim);
        Command.Run("gcc", "-shared", "-fPIC", "-O1", "-o", library, source);
        return (library, step);
    }

    // At once: whoever reads a file that is just being written reads no step.
    private static async Task StepAsync(string file, int seconds)
    {
        await File.WriteAllTextAsync($"{file}.new", seconds.ToString(CultureInfo.InvariantCulture));
        File.Move($"{file}.new", file, overwrite: true);
    }

    private Task ServeAsync(string library, string step) => Fleet.ServeWithAsync([("LD_PRELOAD", library), ("CLOCK_STEP_FILE", step)]);

    private static int Established(NetworkNamespace client) => new SocketStatistics(client).Lines("established", "( dport = :9000 )").Length;
}
