using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using LoadHarness.Agent.KernelView;
using LoadHarness.Protos;
using LoadHarness.V1;
using BlockRange = LoadHarness.Protos.BlockRange;
using Destination = LoadHarness.Protos.Destination;

namespace LoadHarness.Agent.Tests.KernelView;

/// <summary>Counts real sockets, each test on addresses of its own.</summary>
public class SockDiagReaderTests
{
    [Test]
    public void Read_EveryStateOfAClient_CountsEachOnce()
    {
        using var pairs = new SocketPairs();
        var target = pairs.Listen("127.77.1.1");
        for (var i = 0; i < 7; i++)
            pairs.Connect(target, "127.77.1.2");
        for (var i = 0; i < 5; i++)
            pairs.Connect(target, "127.77.1.3");
        for (var i = 0; i < 4; i++)
            pairs.Connect(target, "127.77.1.2").Client.Shutdown(SocketShutdown.Send); // FIN-WAIT-2
        for (var i = 0; i < 3; i++)
            pairs.Connect(target, "127.77.1.2").Server.Shutdown(SocketShutdown.Send); // CLOSE-WAIT
        for (var i = 0; i < 2; i++)
        {
            var (client, server) = pairs.Connect(target, "127.77.1.2");
            client.Shutdown(SocketShutdown.Send);
            server.Close();
            Assert.That(client.Receive(new byte[1]), Is.Zero); // TIME-WAIT
        }

        var reader = new SockDiagReader(Scope([Of(target)], "127.77.1.2", 2));

        // The server may delay the acknowledgement of a FIN by 40 ms: until then it is FIN-WAIT-1.
        Assert.That(() => reader.Read().Ok && reader.States[TcpState.FinWait1] == 0, Is.True.After(60_000, 20));
        Assert.That(reader.States, Is.EqualTo(StateCounts.Of(
            [(TcpState.Established, 12L), (TcpState.FinWait2, 4L), (TcpState.CloseWait, 3L), (TcpState.TimeWait, 2L)])));
        Assert.That(reader.BySource[new(Ip("127.77.1.3"))], Is.EqualTo(StateCounts.Of([(TcpState.Established, 5L)])));
        Assert.That(reader.BySource[new(Ip("127.77.1.2"))][TcpState.TimeWait], Is.EqualTo(2));
        Assert.That(reader.ByDestination.Single(), Is.EqualTo(KeyValuePair.Create(new EndpointAddress(Ip("127.77.1.1"), target.Port), reader.States)));
        Assert.That(Established(reader),
            Is.EquivalentTo(new Dictionary<IpAddress, long> { [Ip("127.77.1.2")] = 7, [Ip("127.77.1.3")] = 5 }));
        Assert.That(reader.Foreign, Is.Zero);
        Assert.That(Ss($"state established dst {target.Address} dport = :{target.Port}"), Is.EqualTo(12));
        Assert.That(Ss($"state fin-wait-2 dst {target.Address} dport = :{target.Port}"), Is.EqualTo(4));
        Assert.That(Ss($"state time-wait dst {target.Address} dport = :{target.Port}"), Is.EqualTo(2));
    }

    [Test]
    public void Read_SynSent_IsCounted()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Parse("127.77.2.1"), 0));
        listener.Listen(0);
        var target = (IPEndPoint)listener.LocalEndPoint!;
        var clients = Enumerable.Range(0, 6)
            .Select(_ => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)).ToList();
        foreach (var client in clients)
        {
            client.Bind(new IPEndPoint(IPAddress.Parse("127.77.2.2"), 0));
            client.Blocking = false;
            Assert.That(() => client.Connect(target), Throws.InstanceOf<SocketException>()
                .With.Property("SocketErrorCode").EqualTo(SocketError.WouldBlock)
                .Or.With.Property("SocketErrorCode").EqualTo(SocketError.InProgress));
        }

        var reader = new SockDiagReader(Scope([Of(target)], "127.77.2.2", 1));

        // A backlog of 0 takes one connection, whose SYN may still be on its way; the others are never answered.
        Assert.That(() => reader.Read().Ok && reader.States[TcpState.Established] > 0, Is.True.After(60_000, 20));
        Assert.That(reader.States, Is.EqualTo(StateCounts.Of([(TcpState.Established, 1L), (TcpState.SynSent, 5L)])));
        clients.ForEach(c => c.Dispose());
    }

    [Test]
    public void Read_SourcesOutsideTheBlocks_AreForeign()
    {
        using var pairs = new SocketPairs();
        var target = pairs.Listen("127.77.3.1");
        pairs.Connect(target, "127.77.3.2", 5120); // first port of the block
        pairs.Connect(target, "127.77.3.2", 5375); // its last port
        pairs.Connect(target, "127.77.3.2", 5119);
        pairs.Connect(target, "127.77.3.2", 5376);
        pairs.Connect(target, "127.77.3.3", 5200);

        var reader = new SockDiagReader(new([Of(target)], [new(new(Ip("127.77.3.2"), 1), 5120, 1)], 0.1));

        Assert.That(reader.Read().Ok, Is.True);
        Assert.That(reader.States, Is.EqualTo(StateCounts.Of([(TcpState.Established, 2L)])));
        Assert.That(reader.Foreign, Is.EqualTo(3));
    }

    [Test]
    public void Read_ServerEndsWhoseClientPortIsATargetPort_AreLeftOut()
    {
        using var pairs = new SocketPairs();
        var first = pairs.Listen("127.77.4.1");
        var second = pairs.Listen("127.77.4.1");
        // The client sits on the second listener's port of another address, which the destinations include.
        pairs.Connect(first, "127.77.4.2", second.Port);
        var destinations = new[] { first, second }.Select(e => new Destination(new(Ip("127.77.4.1"), 2), new(e.Port, e.Port), ""));

        var reader = new SockDiagReader(Scope([.. destinations], "127.77.4.0", 8));

        Assert.That(reader.Read().Ok, Is.True);
        Assert.That(reader.States, Is.EqualTo(StateCounts.None), "both ends look like a server's end, and neither is counted twice");
        Assert.That(reader.Foreign, Is.Zero);
    }

    [Test]
    public void Read_V6AndV4Mapped_AreBothCounted()
    {
        using var pairs = new SocketPairs();
        var v6 = pairs.Listen("::1");
        var v4 = pairs.Listen("127.77.5.1");
        for (var i = 0; i < 3; i++)
            pairs.Connect(v6, "::1");
        for (var i = 0; i < 2; i++)
            pairs.Connect(v4, "::ffff:127.77.5.2", through: new(v4.Address.MapToIPv6(), v4.Port));
        pairs.Connect(v4, "127.77.5.2");

        var both = new SockDiagReader(new([Of(v6), Of(v4)], [AllPorts("::1", 1), AllPorts("127.77.5.2", 1)], 0.1));
        var onlyV4 = new SockDiagReader(new([Of(v4)], [AllPorts("127.77.5.2", 1)], 0.1));

        Assert.That(both.Read().Ok, Is.True);
        Assert.That(Established(both),
            Is.EquivalentTo(new Dictionary<IpAddress, long> { [Ip("::1")] = 3, [Ip("127.77.5.2")] = 3 }));
        Assert.That(onlyV4.Read().Ok, Is.True);
        Assert.That(Established(onlyV4), Is.EquivalentTo(new Dictionary<IpAddress, long> { [Ip("127.77.5.2")] = 3 }));
    }

    /// <summary>80 ports are filtered in the kernel; 600 are more than one filter takes and are matched here.</summary>
    [TestCase(80, 40)]
    [TestCase(600, 6)]
    public void Read_ThousandsOfSockets_CountsThoseOfTheDestinations(int listeners, int perListener)
    {
        using var pairs = new SocketPairs();
        var targets = Enumerable.Range(0, listeners).Select(_ => pairs.Listen("127.77.6.1")).OrderBy(e => e.Port).ToList();
        foreach (var target in targets)
        {
            for (var i = 0; i < perListener; i++)
                pairs.Connect(target, $"127.77.6.{2 + (i % 2)}");
        }

        // Every second port is a destination, so that those in between must be told apart.
        var destinations = targets.Where((_, i) => i % 2 == 0).Select(Of);
        var reader = new SockDiagReader(Scope([.. destinations], "127.77.6.2", 2));

        Assert.That(reader.Read().Ok, Is.True);
        var half = listeners * perListener / 4;
        Assert.That(reader.States, Is.EqualTo(StateCounts.Of([(TcpState.Established, 2L * half)])));
        Assert.That(Established(reader),
            Is.EquivalentTo(new Dictionary<IpAddress, long> { [Ip("127.77.6.2")] = half, [Ip("127.77.6.3")] = half }));
        Assert.That(reader.Foreign, Is.Zero);
    }

    [Test]
    public void Read_Again_AllocatesNothingPerSocket()
    {
        using var pairs = new SocketPairs();
        var target = pairs.Listen("127.77.7.1");
        var reader = new SockDiagReader(Scope([Of(target)], "127.77.7.2", 1));
        long Measure()
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.That(reader.Read().Ok, Is.True);
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        pairs.Connect(target, "127.77.7.2");
        Measure();
        var withOne = Measure();
        for (var i = 0; i < 500; i++)
            pairs.Connect(target, "127.77.7.2");

        Assert.That(Measure(), Is.EqualTo(withOne));
        Assert.That(reader.States[TcpState.Established], Is.EqualTo(501));
    }

    [TestCase(4096, true)]
    [TestCase(4097, false)]
    public void Read_MoreDestinationsThanAreCounted_CountsByAddress(int ports, bool byPort)
    {
        using var pairs = new SocketPairs();
        var target = pairs.Listen("127.77.8.1");
        pairs.Connect(target, "127.77.8.2");
        var first = Math.Clamp(target.Port - 2000, 1, 65535 - ports);
        var reader = new SockDiagReader(Scope([new(new(Ip("127.77.8.1"), 1), new(first, first + ports - 1), "")], "127.77.8.2", 1));

        Assert.That(reader.Read().Ok, Is.True);

        Assert.That(reader.ByDestination.Keys, Is.EqualTo(new[] { new EndpointAddress(Ip("127.77.8.1"), byPort ? target.Port : 0) }));
    }

    [Test]
    public void Read_MoreAddressesThanAreCounted_CountsNoDestination()
    {
        using var pairs = new SocketPairs();
        var target = pairs.Listen("127.77.9.1");
        pairs.Connect(target, "127.78.9.2");
        var reader = new SockDiagReader(Scope([new(new(Ip("127.77.0.0"), 4097), new(target.Port, target.Port), "")], "127.78.9.2", 1));

        Assert.That(reader.Read().Ok, Is.True);

        Assert.That(reader.States[TcpState.Established], Is.EqualTo(1));
        Assert.That(reader.ByDestination, Is.Empty);
    }

    private static Dictionary<IpAddress, long> Established(SockDiagReader reader) =>
        reader.BySource.ToDictionary(s => s.Key.Address, s => s.Value[TcpState.Established]);

    private static IpAddress Ip(string text) => IpAddress.From(IPAddress.Parse(text));

    private static Destination Of(IPEndPoint target) => new(new(IpAddress.From(target.Address), 1), new(target.Port, target.Port), "");

    private static BlockRange AllPorts(string first, int count) => new(new(Ip(first), count), 0, 256);

    private static KernelViewScope Scope(ImmutableArray<Destination> destinations, string first, int count) =>
        new(destinations, [AllPorts(first, count)], 0.1);

    /// <summary>Counts with ss(8), which asks the kernel by itself.</summary>
    private static int Ss(string filter)
    {
        using var ss = Process.Start(new ProcessStartInfo("ss", ["-Htn", .. filter.Split(' ')]) { RedirectStandardOutput = true })!;
        var lines = ss.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;
        ss.WaitForExit();
        return lines;
    }
}
