using System.Net;
using System.Net.Sockets;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Processes;
using LoadHarness.TestKit.Targets;

namespace LoadHarness.EndToEnd.Tests.Agents;

/// <summary>
/// Reactors live in descriptor tables of their own. Nothing of the runtime may live there with them, and no signal may
/// be handled there: its handler would write to a number that means something else, such as one of our connections.
/// </summary>
[Parallelizable(ParallelScope.All)]
[TestFixture(true)]
[TestFixture(false)]
public sealed class ReactorTests(bool native) : BenchTest
{
    private const int Goal = 200;
    private const string Run = "run 127.0.0.1:9000 -c 200 --agents 1 --ramp 1s --json";

    [SetUp]
    public void ChooseAgent() => Bench.AgentProgram = native ? Programs.AotAgent : Programs.JitAgent;

    [Test]
    public async Task Descriptors_OfEveryThread_OnlyReactorsLackTheLink()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.None, Bench.Namespace, 9000);
        var run = Bench.LoadHarnessLine($"{Run} --hold 1m");
        await run.HoldingAsync(Goal);
        var agent = run.FamilyOf("loadharness-agent").Single();

        // The sockets of the link: what the main thread has all the while (a reading of the kernel has one of its own), and a reactor
        // inherited and closed.
        var link = SocketsOf(agent, agent.Pid);
        var sockets = agent.Threads.ToDictionary(t => t, t => SocketsOf(agent, t.Id));
        link.IntersectWith(SocketsOf(agent, agent.Pid));
        var reactors = ReactorsOf(agent);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(link, Is.Not.Empty, "sockets of the main thread");
            // Threads of a pool that nobody needs end; one that ends has no table any more.
            foreach (var thread in agent.Threads.Except(reactors).Where(sockets.ContainsKey))
                Assert.That(sockets[thread], Is.SupersetOf(link), $"{thread} lives in the table of a reactor");
            foreach (var reactor in reactors)
                Assert.That(sockets[reactor].Intersect(link), Is.Empty, $"{reactor} has sockets of the link");
            Assert.That(reactors.Sum(r => sockets[r].Count), Is.GreaterThanOrEqualTo(Goal));
        }
    }

    [TestCase(Signal.Hangup)]
    [TestCase(Signal.Child)]
    [TestCase(Signal.Continue)]
    public async Task Signal_AimedAtAReactor_DoesNoHarm(Signal signal)
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.None, Bench.Namespace, 9000);
        var run = Bench.LoadHarnessLine($"{Run} --hold 12s");
        await run.HoldingAsync(Goal);
        var agent = run.FamilyOf("loadharness-agent").Single();

        for (var i = 0; i < 50; i++)
            SendToReactors(agent, signal);
        var ended = await Bench.FinishAsync(run);
        var summary = ended.Summary();

        using (Assert.EnterMultipleScope())
        {
            Assert.That(target.Received, Is.Zero, "bytes that somebody wrote into a connection");
            Assert.That(ended.ExitCode, Is.Zero, ended.Log);
            Assert.That(summary.Number("result.heldEstablishedMin"), Is.EqualTo(Goal));
            Assert.That(summary.Number("failures.total"), Is.Zero);
            Assert.That(summary.Number("result.closedByPeer"), Is.Zero);
        }
    }

    [Test]
    public async Task Terminate_AimedAtAReactor_Drains()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.None, Bench.Namespace, 9000);
        var run = Bench.LoadHarnessLine($"{Run} --hold 10m");
        await run.HoldingAsync(Goal);
        var agent = run.FamilyOf("loadharness-agent").Single();

        // To one only: the second signal means "at once".
        ProgramProcess.SendToThread(agent.Pid, ReactorsOf(agent)[0].Id, Signal.Terminate);

        // FIN and not RST: the target reads an end. The agent's handler has run, or nothing would close.
        await Bench.EventuallyAsync(() => target.Open == 0, () => $"the target still has {target.Open} connections");
        await Bench.EventuallyAsync(() => run.FamilyOf("loadharness-agent").Count == 0, () => "the agent does not end");
        var ended = await Bench.FinishAsync(run);

        using (Assert.EnterMultipleScope())
        {
            Assert.That(target.Received, Is.Zero, "bytes that somebody wrote into a connection");
            Assert.That(target.Resets, Is.Zero, "connections that were reset and not closed");
            Assert.That(ended.Log, Does.Not.Contain("SIGABRT").And.Not.Contain("exit code 134"));
            Assert.That(ended.Summary().Flag("result.reached"), Is.True);
        }
    }

    [TestCase(Signal.Hangup)]
    [TestCase(Signal.Interrupt)]
    public async Task EndingSignal_AimedAtAReactorOfABackend_IsHandled(Signal signal)
    {
        // Nobody decides for this one: its own handler has to run.
        var backend = await Bench.BackendAsync("127.0.0.1:9000");
        var clients = Bench.Namespace.Enter(() => Enumerable.Range(0, 50).Select(_ => Connect()).ToList());
        await backend.WaitForLineAsync("established 50,", Bench.Soon);

        ProgramProcess.SendToThread(backend.Pid, ReactorsOf(new ProcessEntry(backend.Pid, []))[0].Id, signal);
        var ended = await Bench.FinishAsync(backend, Bench.Soon);
        var received = clients.Sum(ReceivedBeforeTheEnd);
        clients.ForEach(c => c.Dispose());

        Assert.That(ended.ExitCode, Is.Zero, ended.Log);
        Assert.That(ended.Error, Does.Contain($"ended by {(signal == Signal.Hangup ? "SIGHUP" : "SIGINT")}: established 50"));
        Assert.That(received, Is.Zero, "bytes that somebody wrote into a connection");
    }

    private static Socket Connect()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 60_000 };
        socket.Connect(IPAddress.Loopback, 9000);
        return socket;
    }

    private static int ReceivedBeforeTheEnd(Socket socket)
    {
        try
        {
            return socket.Receive(new byte[16]);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionReset)
        {
            return 0;
        }
    }

    private static void SendToReactors(ProcessEntry agent, Signal signal)
    {
        foreach (var (id, _) in ReactorsOf(agent))
            ProgramProcess.SendToThread(agent.Pid, id, signal);
    }

    private static List<(int Id, string Name)> ReactorsOf(ProcessEntry agent)
    {
        var reactors = agent.Threads.Where(t => t.Name.StartsWith("reactor-", StringComparison.Ordinal)).ToList();
        Assert.That(reactors, Is.Not.Empty);
        return reactors;
    }

    // None: the thread has ended.
    private static HashSet<string> SocketsOf(ProcessEntry process, int thread)
    {
        try
        {
            return [.. process.DescriptorsOf(thread).Values.Where(t => t.StartsWith("socket:", StringComparison.Ordinal))];
        }
        catch (IOException)
        {
            return [];
        }
    }
}
