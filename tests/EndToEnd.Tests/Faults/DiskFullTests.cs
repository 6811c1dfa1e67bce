using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Faults;

/// <summary>The state folder lies on a file system of 1 MB, which fills during a run.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class DiskFullTests : FleetTest
{
    private const string Target = "10.77.0.6";
    private const int Goal = 500;

    private bool _mounted;

    [TearDown]
    public async Task Unmount()
    {
        if (!_mounted)
            return;
        Fleet.Coordinator.Send(Signal.Kill);
        await Fleet.Coordinator.WaitForExitAsync(Bench.Soon);
        Command.Run("umount", "-l", Fleet.PathOf("state"));
    }

    [Test]
    public async Task Run_WhoseDeviceFills_GoesOnSaysSoAndIsCompleteWhenThereIsRoom()
    {
        MountSmall();
        var client = Fleet.Lan.AddHost("10.77.1.1/16");
        await Fleet.ServeAsync();
        Fleet.AgentStart(Fleet.Lan.AddHost($"{Target}/16"), "backend", "--listen", $"{Target}:9000");
        Fleet.Agent(client, "a1", $"--allow {Target}:9000");
        await Fleet.IdleAsync("a1");
        var run = Fleet.User($"run {Target}:9000 -c {Goal} --ramp 2s --hold 30s --json");
        await run.HoldingAsync(Goal);

        Fill();
        await run.WaitForLineAsync("record of the run cannot be kept", Bench.Soon);
        var listed = await Fleet.RunAsync("runs list");
        var held = new SocketStatistics(client).Lines("established", "( dport = :9000 )").Length;
        Command.Run("mount", "-o", "remount,size=32m", Fleet.PathOf("state"));

        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(listed.Log, Does.Contain("no room is left on the device"));
            Assert.That(held, Is.EqualTo(Goal), "the run goes on");
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(Goal));
            Fleet.ExpectNoGaps(summary);
            Assert.That(summary.List("events").Select(e => e.Text("kind")), Is.SupersetOf(["store-blocked", "store-recovered"]));
            Assert.That(Fleet.Coordinator.Log.Everything, Does.Contain("can be written again"));
        }
    }

    // Keys and tokens are there already: they move along.
    private void MountSmall()
    {
        var (state, aside) = (Fleet.PathOf("state"), Fleet.PathOf("state-aside"));
        Directory.Move(state, aside);
        Directory.CreateDirectory(state, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Command.Run("mount", "-t", "tmpfs", "-o", "size=1m,mode=700", "tmpfs", state);
        _mounted = true;
        Command.Run("cp", "-a", $"{aside}/.", state);
    }

    private void Fill()
    {
        using var file = File.Create(Fleet.PathOf("state/ballast"));
        var block = new byte[4096];
        try
        {
            while (true)
                file.Write(block);
        }
        catch (IOException)
        {
            // Full.
        }
    }
}
