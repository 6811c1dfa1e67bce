using System.Globalization;
using System.Net;
using LoadHarness.Agent.Backend;
using LoadHarness.Agent.KernelView;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using Destination = LoadHarness.Protos.Destination;

namespace LoadHarness.Agent.Tests.Assignments;

/// <summary>Descriptor tables of reactors and their limits. These tests want the process for themselves.</summary>
[NonParallelizable]
public sealed class RunnerDescriptorTests
{
    private const int Many = 25_000;

    [Test]
    public void Hold_MoreThanOneDescriptorTableHolds_IsHeldByPrivateTables()
    {
        var address = LoopbackAddress.Next();
        using var marker = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.InterNetwork, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Tcp);
        // One reactor: the others are started and steered to when it fills up.
        using var backend = new BackendServer(new BackendOptions { Listen = [.. Enumerable.Range(7600, 10).Select(p => (IpAddress.From(address), p))], Greet = true, Reactors = 1 });
        backend.Start();
        using var run = new RunnerFixture();
        var hold = run.Hold(address, 7600, Many, 10_000, ports: 10, portBlocks: 12) with { ExpectGreeting = true, DrainTimeout = TimeSpan.FromSeconds(12) };
        hold = hold with { KernelView = new KernelViewScope(hold.Destinations, hold.Slice.Blocks, 0.5) };
        run.Apply(hold);
        run.WaitFor(() => run.Samples.Any(s => s.Counts.Confirmed == Many && s.Kernel?.States[TcpState.Established] == Many), "25,000 confirmed and seen by the kernel");
        var reactors = Threads().Where(t => t.Name.StartsWith("reactor-", StringComparison.Ordinal)).Select(t => t.Id).ToList();
        var (with, without) = ThreadsByTheirTable(LinkOf(marker));
        var accepted = backend.Counts;

        run.Drain(hold);

        Assert.Multiple(() =>
        {
            Assert.That(reactors, Has.Count.GreaterThanOrEqualTo(4), "two of the run, two of the backend");
            Assert.That(with.Intersect(reactors), Is.Empty, "reactors that hold a socket of others");
            Assert.That(without.Except(reactors), Is.Empty, "threads that live in a reactor's table");
            Assert.That(accepted.Reactors, Is.GreaterThanOrEqualTo(2));
            Assert.That(accepted.Established, Is.EqualTo(Many));
            Assert.That(run.Sum(c => c.Closed), Is.EqualTo(Many));
            Assert.That(run.Failures, Is.Empty);
            Assert.That(Connected(address), Is.Empty, "sockets that are left");
        });
    }

    [Test]
    public void Hold_DescriptorsRunOut_IsCountedAsOursAndGoesOnOnceThereAreMore()
    {
        // So many listeners that the backend, too, runs out, and before the runner does; and tuples enough for any limit.
        const int ports = 64;
        var address = LoopbackAddress.Next();
        using var backend = new BackendServer(new BackendOptions { Listen = [.. Enumerable.Range(7700, ports).Select(p => (IpAddress.From(address), p))], Reactors = 1 });
        backend.Start();
        using var run = new RunnerFixture();
        // One block: one reactor.
        var hold = run.Reach(run.Hold(address, 7700, 10, 5000, ports: ports));
        var full = LowestPossibleLimit(600);
        var connections = full + 300;
        try
        {
            SetLimit(full);
            run.Apply(run.Next(hold, a => a with { Share = connections, Schedule = RunnerFixture.Ramp(TimeSpan.Zero, 10, connections, 5000) }));
            run.WaitFor(
                () => run.Failures.GetValueOrDefault((FailureStage.Connect, FailureParty.Us, FailureCause.Descriptors)) > 20 && backend.Counts.Refused > 0,
                "no descriptor left on either side");
            Thread.Sleep(1500);
        }
        finally
        {
            SetLimit(null);
        }

        var (failures, samples) = (run.Failures, run.Samples.ToList());
        run.WaitFor(() => run.Now.Established == connections && backend.Counts.Established == connections, "all of them once there are descriptors again");
        run.Drain(hold);

        Assert.Multiple(() =>
        {
            Assert.That(failures.Keys, Is.EqualTo(new[] { (FailureStage.Connect, FailureParty.Us, FailureCause.Descriptors) }));
            Assert.That(samples.Max(s => s.Counts.Established), Is.LessThan(full));
            Assert.That(samples.Where(s => s.Failures.Sum(f => f.Count) > 600 * (1 + ((s.ToMillis - s.FromMillis) / 1000))), Is.Empty, "a storm of failures");
            Assert.That(run.Sum(c => c.Closed), Is.EqualTo(connections));
        });
    }

    [Test]
    public void Dispose_ManyRunsOneAfterTheOther_LeavesNoDescriptorAndNoThread()
    {
        using var target = WatchfulTarget.Start(LoopbackAddress.Next());
        Once(target);
        var (descriptors, threads) = (OwnDescriptors(), Reactors());

        for (var i = 0; i < 8; i++)
            Once(target);

        Assert.Multiple(() =>
        {
            // The target's own sockets go as it notices.
            Assert.That(OwnDescriptors, Is.LessThanOrEqualTo(descriptors + 5).After(60_000, 50));
            Assert.That(Reactors, Is.EqualTo(threads).After(60_000, 50));
        });

        static void Once(WatchfulTarget target)
        {
            using var run = new RunnerFixture();
            run.Apply(run.Hold(target.EndPoint.Address, target.EndPoint.Port, 20, 1000, portBlocks: 2) with
            {
                KernelView = new KernelViewScope([new Destination(new IpRange(IpAddress.From(target.EndPoint.Address), 1), new(1, 65535), "")], [], 0.1),
            });
            run.WaitFor(() => run.Now.Established == 20, "20 ESTABLISHED");
            run.Runner.Drain("enough");
        }
    }

    // What this process has open already must stay below the limit.
    private static int LowestPossibleLimit(int wanted) =>
        Math.Max(wanted, Directory.GetFileSystemEntries("/proc/self/fd").Max(e => int.Parse(Path.GetFileName(e), CultureInfo.InvariantCulture)) + 100);

    /// <summary>Sets the soft limit of this process; null takes the hard one.</summary>
    private static void SetLimit(int? limit)
    {
        var pid = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        if (limit is { } soft)
        {
            Command.Run("prlimit", "--pid", pid, $"--nofile={soft}:");
            return;
        }

        var hard = Command.Run("prlimit", "--pid", pid, "--nofile", "--output=HARD", "--noheadings").Trim();
        Command.Run("prlimit", "--pid", pid, $"--nofile={hard}:");
    }

    private static List<(int Id, string Name)> Threads() =>
        [.. Directory.GetDirectories("/proc/self/task").Select(t => (int.Parse(Path.GetFileName(t), CultureInfo.InvariantCulture), Read(Path.Combine(t, "comm")))).Where(t => t.Item2.Length > 0)];

    private static int Reactors() => Threads().Count(t => t.Name.StartsWith("reactor-", StringComparison.Ordinal));

    private static int OwnDescriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    private static string LinkOf(System.Net.Sockets.Socket socket) => new FileInfo($"/proc/self/fd/{socket.Handle}").LinkTarget!;

    // Those that have ended meanwhile have no table.
    private static (List<int> With, List<int> Without) ThreadsByTheirTable(string link)
    {
        var tables = Threads().Select(t => (t.Id, Links: Links($"/proc/self/task/{t.Id}/fd").ToList())).Where(t => t.Links.Count > 0).ToList();
        return ([.. tables.Where(t => t.Links.Contains(link)).Select(t => t.Id)], [.. tables.Where(t => !t.Links.Contains(link)).Select(t => t.Id)]);
    }

    private static IEnumerable<string?> Links(string directory)
    {
        try
        {
            return [.. Directory.GetFileSystemEntries(directory).Select(e => new FileInfo(e).LinkTarget)];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static string[] Connected(IPAddress address) =>
        [.. new SocketStatistics(null).Lines("connected", $"dst {address}").Where(l => !l.StartsWith("TIME-WAIT", StringComparison.Ordinal))];
}
