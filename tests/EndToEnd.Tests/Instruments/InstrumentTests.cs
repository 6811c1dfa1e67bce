using System.Net;
using System.Net.Sockets;
using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;
using LoadHarness.TestKit.Proxies;
using LoadHarness.TestKit.Targets;

namespace LoadHarness.EndToEnd.Tests.Instruments;

/// <summary>The instruments that the product is held against, held against connections that the tests count themselves.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class InstrumentTests : BenchTest
{
    [Test]
    public async Task HaProxy_TwoProcesses_CountsOpenConnectionsOverBoth()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.None, Bench.Namespace, 9000);
        await using var proxy = await HaProxy.StartAsync(new("127.0.0.1:8443", "127.0.0.1:9000") { Namespace = Bench.Namespace, Processes = 2 });
        var clients = Enumerable.Range(0, 40).Select(_ => Connect(8443)).ToList();

        await Bench.EventuallyAsync(() => proxy.CurrentConnections() == 40, () => $"HAProxy counts {proxy.CurrentConnections()}");

        Assert.That(Enumerable.Range(0, 2).Select(i => int.Parse(proxy.Info(i)["CurrConns"])), Is.All.GreaterThan(0));
        Assert.That(Bench.Sockets.Established(8443, 8443), Is.EqualTo(40));
        // Accepted is not forwarded yet.
        await Bench.EventuallyAsync(() => Bench.Sockets.Established(9000, 9000) == 40, () => $"HAProxy has forwarded {Bench.Sockets.Established(9000, 9000)}");
        Assert.That(Bench.Sockets.Tcp()["inuse"], Is.GreaterThanOrEqualTo(160));
        clients.ForEach(c => c.Dispose());
        await Bench.EventuallyAsync(() => proxy.CurrentConnections() == 0, () => $"HAProxy counts {proxy.CurrentConnections()}");
    }

    [Test]
    public void Target_Refuse_Refuses()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Refuse, Bench.Namespace, 9000);

        Assert.That(ErrorOf(() => Connect(9000)), Is.EqualTo(SocketError.ConnectionRefused));
    }

    [Test]
    public void Target_Reset_ResetsWhatItAccepted()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Reset, Bench.Namespace, 9000);

        Assert.That(ErrorOf(() => Connect(9000).Receive(new byte[1])), Is.EqualTo(SocketError.ConnectionReset));
    }

    [Test]
    public void Target_Close_EndsWithoutData()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Close, Bench.Namespace, 9000, TimeSpan.FromMilliseconds(50));

        Assert.That(Connect(9000).Receive(new byte[1]), Is.Zero);
    }

    [Test]
    public void Target_Ignore_LeavesLaterConnectsWithoutAnswer()
    {
        using var target = MisbehavingTarget.Start(Misbehaviour.Ignore, Bench.Namespace, 9000);

        var connects = Enumerable.Range(0, 10).Select(_ => New().ConnectAsync(IPAddress.Loopback, 9000)).ToArray();
        Task.WaitAll(connects, TimeSpan.FromMilliseconds(500));

        Assert.That(connects.Count(c => c.IsCompleted), Is.LessThan(10));
        Assert.That(connects.Count(c => c.IsFaulted), Is.Zero);
    }

    [Test]
    public void Namespace_LosePackets_NeitherAnswersNorRefuses()
    {
        Bench.Namespace.LosePackets("10.99.0.1/24", "10.99.0.2");

        var connect = New().ConnectAsync(IPAddress.Parse("10.99.0.2"), 443);
        var answered = Task.WaitAny([connect], TimeSpan.FromMilliseconds(500)) == 0;

        Assert.That(answered, Is.False);
        Assert.That(Bench.Sockets.Count("syn-sent", 443, 443), Is.EqualTo(1));
    }

    [Test]
    public async Task Namespace_Disposed_TakesItsProcessesAlong()
    {
        var space = NetworkNamespace.Create();
        await using var sleeper = ProgramProcess.Start(new("sleep", "600") { Namespace = space });
        await Bench.EventuallyAsync(() => space.Exec("ip", "netns", "pids", space.Name).Contains($"{sleeper.Pid}"), () => "it never entered");

        space.Dispose();

        Assert.That(await sleeper.WaitForExitAsync(Bench.Soon), Is.EqualTo(128 + (int)Signal.Kill));
        Assert.That(File.Exists(space.Path), Is.False);
    }

    [Test]
    public async Task Process_Disposed_TakesOrphansAlong()
    {
        var parent = ProgramProcess.Start(new("sh", "-c", "sleep 600 & sleep 600 & echo up; kill -9 $$"));
        await parent.WaitForLineAsync("up", Bench.Soon);
        await Bench.EventuallyAsync(() => parent.HasExited, () => "it does not end");
        await Bench.EventuallyAsync(() => parent.FamilyOf("sleep").Count == 2, () => "the orphans are not found");

        await parent.DisposeAsync();

        Assert.That(parent.Family, Is.Empty);
    }

    [Test]
    public async Task Process_ThatDoesNotComeUp_ShowsWhatItWrote()
    {
        await using var process = ProgramProcess.Start(new("sh", "-c", "echo cannot >&2; exit 3"));

        var failure = await Assert.ThrowsAsync<ProgramException>(async () => await process.WaitForLineAsync("ready", Bench.Soon));

        Assert.That(failure!.Message, Does.Contain("cannot").And.Contain("ended").And.Contain("ready"));
    }

    private Socket Connect(int port)
    {
        var socket = New();
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private Socket New() => Bench.Namespace.Enter(() =>
        new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 90_000 });

    private static SocketError ErrorOf(Action action) => Assert.Throws<SocketException>(() => action())!.SocketErrorCode;
}
