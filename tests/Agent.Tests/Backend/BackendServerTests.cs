using System.Net;
using System.Net.Sockets;
using LoadHarness.Agent.Backend;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.Agent.Tests.Backend;

[Parallelizable(ParallelScope.All)]
public sealed class BackendServerTests
{
    [Test]
    public void Start_AddressThatTheHostDoesNotHave_SaysWhichAndWhatToDo()
    {
        using var backend = new BackendServer(new BackendOptions { Listen = [(IpAddress.From(IPAddress.Parse("203.0.113.9")), 7500)] });

        Assert.That(backend.Start, Throws.InvalidOperationException.With.Message.Contains("203.0.113.9").And.Message.Contains("ip addr"));
    }

    [Test]
    public void Start_SecondReactorOnTheSameEndpoint_SharesWithTheFirst()
    {
        var address = LoopbackAddress.Next();
        using var backend = new BackendServer(new BackendOptions { Listen = [(IpAddress.From(address), 7501)], Reactors = 2 });
        backend.Start();

        var clients = Enumerable.Range(0, 200).Select(_ => Connect(address, 7501)).ToList();

        Assert.That(() => backend.Counts, Has.Property("Established").EqualTo(200).And.Property("Reactors").GreaterThanOrEqualTo(2).After(60_000, 20));
        clients.ForEach(c => c.Dispose());
        Assert.That(() => backend.Counts, Has.Property("Established").EqualTo(0).And.Property("Closed").EqualTo(200).After(60_000, 20));
    }

    [Test]
    public void Accept_ManyMoreThanTheFirstReactorsHold_AcceptsAndGreetsAll()
    {
        const int clients = 3000;
        var address = LoopbackAddress.Next();
        using var backend = new BackendServer(new BackendOptions
        {
            Listen = [(IpAddress.From(address), 7508), (IpAddress.From(address), 7509)],
            Greet = true,
            Reactors = 2,
            ConnectionsPerReactor = 100,
        });
        backend.Start();

        var sockets = Enumerable.Range(0, clients).AsParallel().Select(i => Connect(address, 7508 + (i % 2))).ToList();

        Assert.That(sockets.Sum(s => s.Receive(new byte[2])), Is.EqualTo(clients), "one byte for each");
        Assert.That(() => backend.Counts, Has.Property("Established").EqualTo(clients).After(60_000, 20));
        Assert.That(backend.Counts, Has.Property("Refused").EqualTo(0).And.Property("Reactors").GreaterThanOrEqualTo(clients / 100));
        sockets.ForEach(s => s.Dispose());
        Assert.That(() => backend.Counts, Has.Property("Established").EqualTo(0).After(60_000, 20));
    }

    [Test]
    public void Accept_RoomComesBack_IsUsedAgain()
    {
        var address = LoopbackAddress.Next();
        using var backend = new BackendServer(new BackendOptions
        {
            Listen = [(IpAddress.From(address), 7510)],
            Greet = true,
            Reactors = 1,
            ConnectionsPerReactor = 50,
        });
        backend.Start();

        for (var round = 0; round < 10; round++)
        {
            var sockets = Enumerable.Range(0, 200).Select(_ => Connect(address, 7510)).ToList();
            Assert.That(sockets.Sum(s => s.Receive(new byte[2])), Is.EqualTo(200));
            sockets.ForEach(s => s.Dispose());
            Assert.That(() => backend.Counts.Established, Is.Zero.After(60_000, 20));
        }

        Assert.That(backend.Counts.Reactors, Is.LessThan(40), "so many would be needed if no room came back; 200 need four, and the rest is room for growth");
    }

    [Test]
    public void Accept_OneAfterTheOther_SharesTheWorkAmongTheReactors()
    {
        var address = LoopbackAddress.Next();
        using var reactors = new BackendReactors(new BackendOptions { Listen = [(IpAddress.From(address), 7511)], Greet = true, Reactors = 4 });
        reactors.Start();

        // One that does not get a core for a while is passed over: it has its share later.
        var accepted = new Dictionary<int, long>();
        var clients = 0;
        while (clients < 2000 && accepted.Values.Count(a => a > 20) < 4)
        {
            for (var i = 0; i < 200; i++, clients++)
            {
                using var client = Connect(address, 7511);
                client.Receive(new byte[1]);
            }

            reactors.Look(TimeSpan.MaxValue, (snapshot, number) => accepted[number] = accepted.GetValueOrDefault(number) + snapshot.Counters.Opened);
        }

        Assert.That(accepted.Values.Sum(), Is.EqualTo(clients));
        Assert.That(accepted.Values.Count(a => a > 20), Is.GreaterThanOrEqualTo(4), string.Join(", ", accepted.Values));
    }

    [Test]
    public void Listen_V6AndV4OnTheSamePort_AreTwoEndpoints()
    {
        var port = FreePorts.Range(1);
        using var backend = new BackendServer(new BackendOptions
        {
            Listen = [(IpAddress.From(IPAddress.IPv6Loopback), port), (IpAddress.From(IPAddress.Loopback), port)],
            Reactors = 1,
        });
        backend.Start();

        using var v4 = Connect(IPAddress.Loopback, port);
        using var v6 = Connect(IPAddress.IPv6Loopback, port);

        Assert.That(() => backend.Counts.Established, Is.EqualTo(2).After(60_000, 20));
    }

    [Test]
    public void Greet_ClientThatWaits_GetsOneByteAndNoMore()
    {
        var address = LoopbackAddress.Next();
        using var backend = new BackendServer(new BackendOptions { Listen = [(IpAddress.From(address), 7502)], Greet = true, Reactors = 1 });
        backend.Start();
        using var client = Connect(address, 7502);

        var read = client.Receive(new byte[10]);
        client.Send(new byte[100]);
        client.Shutdown(SocketShutdown.Send);

        Assert.That((read, client.Receive(new byte[10])), Is.EqualTo((1, 0)));
    }

    [Test]
    public void Accepted_ClientSendsMuchAndCloses_IsReadAndEnded()
    {
        var address = LoopbackAddress.Next();
        using var backend = new BackendServer(new BackendOptions { Listen = [(IpAddress.From(address), 7503)], Reactors = 1 });
        backend.Start();
        using var client = Connect(address, 7503);

        var data = new byte[1 << 20];
        for (var i = 0; i < 20; i++)
            client.Send(data);
        client.Shutdown(SocketShutdown.Send);

        Assert.Multiple(() =>
        {
            Assert.That(client.Receive(new byte[1]), Is.Zero, "FIN, not RST: everything was read");
            Assert.That(() => backend.Counts, Has.Property("Closed").EqualTo(1).After(60_000, 20));
        });
    }

    [Test]
    public void Dispose_ConnectionsAreOpen_ClosesThemAndTheListeners()
    {
        var address = LoopbackAddress.Next();
        var backend = new BackendServer(new BackendOptions { Listen = [(IpAddress.From(address), 7504)], Reactors = 2 });
        backend.Start();
        using var client = Connect(address, 7504);
        Assert.That(() => backend.Counts.Established, Is.EqualTo(1).After(60_000, 20));

        backend.Dispose();

        Assert.Multiple(() =>
        {
            Assert.That(() => client.Receive(new byte[1]), Throws.InstanceOf<SocketException>());
            Assert.That(() => Connect(address, 7504), Throws.InstanceOf<SocketException>());
        });
    }

    [Test]
    public void Probe_TakenAndMissing_NamesEachWithItsRemedy()
    {
        var address = LoopbackAddress.Next();
        using var taken = new TcpListener(address, 7505);
        taken.Start();

        var problems = ListenProbe.Probe(
        [
            (IpAddress.From(address), 7505), (IpAddress.From(address), 7506), (IpAddress.From(IPAddress.Parse("203.0.113.9")), 7505),
            (IpAddress.From(IPAddress.Parse("2001:db8::9")), 7505),
        ]);

        Assert.Multiple(() =>
        {
            Assert.That(problems.Select(p => p.Port), Is.EqualTo(new[] { 7505, 7505, 7505 }));
            Assert.That(problems[0].Message, Does.Contain($"{address}:7505").And.Contain("taken").And.Contain("ss -ltnp"));
            Assert.That(problems[1].Message, Does.Contain("203.0.113.9"));
            Assert.That(problems[2].Message, Does.Contain("[2001:db8::9]:7505"));
        });
    }

    [Test]
    public void Probe_AnotherBackendListens_IsAProblem()
    {
        var address = LoopbackAddress.Next();
        using var backend = new BackendServer(new BackendOptions { Listen = [(IpAddress.From(address), 7507)], Reactors = 1 });
        backend.Start();

        Assert.That(ListenProbe.Probe([(IpAddress.From(address), 7507)]), Has.Count.EqualTo(1));
    }

    private static Socket Connect(IPAddress address, int port)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 60_000, SendTimeout = 60_000 };
        socket.Connect(address, port);
        return socket;
    }
}
