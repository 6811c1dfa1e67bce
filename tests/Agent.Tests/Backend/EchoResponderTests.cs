using System.Net;
using System.Net.Sockets;
using LoadHarness.Agent.Backend;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.Agent.Tests.Backend;

/// <summary>The backend's echo over real sockets.</summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class EchoResponderTests
{
    private const int Timeout = 120_000;
    private const string Get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

    private readonly IPEndPoint _endpoint = new(LoopbackAddress.Next(), 7401);
    private readonly List<Socket> _clients = [];
    private BackendServer _backend = null!;

    [TearDown]
    public void TearDown()
    {
        _clients.ForEach(c => c.Dispose());
        _backend.Dispose();
    }

    [TestCase(1)]
    [TestCase(100)]
    [TestCase(65_536)]
    [TestCase(3_000_000)]
    public void Serve_Messages_ComeBackAsTheyAre(int size)
    {
        var client = Start();
        var message = Bytes(size);

        for (var i = 0; i < 3; i++)
        {
            var reading = Task.Factory.StartNew(() => Read(client, size), TaskCreationOptions.LongRunning);
            client.Send(message);
            Assert.That(reading.Result.AsSpan().SequenceEqual(message), Is.True);
        }

        Assert.That(() => _backend.Counts.Established, Is.EqualTo(1).After(Timeout, 20));
    }

    [Test]
    public void Serve_ClientClosesItsSide_GetsTheRestAndThenTheFin()
    {
        var client = Start();
        var message = Bytes(50_000);

        client.Send(message);
        client.Shutdown(SocketShutdown.Send);

        Assert.That(Read(client, message.Length), Is.EqualTo(message));
        Assert.That(client.Receive(new byte[1]), Is.Zero);
        Assert.That(() => _backend.Counts, Has.Property("Established").EqualTo(0).And.Property("Closed").EqualTo(1).After(Timeout, 20));
    }

    [Test]
    public void Serve_ClientThatDoesNotRead_IsReadNoFurtherAndGetsEveryByteInTheEnd()
    {
        var client = Start();
        var block = Bytes(1 << 16);
        var sent = SendUntilHeldUp(client, block);
        // More than this can only be kept by the program: the sockets of both sides hold what the kernel lets them.
        Assert.That(sent, Is.GreaterThan(1 << 20).And.LessThan(1 << 28));

        client.Blocking = true;
        client.Shutdown(SocketShutdown.Send);
        var (length, wrong) = (0L, -1L);
        var buffer = new byte[1 << 16];
        for (var read = client.Receive(buffer); read > 0; read = client.Receive(buffer))
        {
            for (var i = 0; i < read; i++, length++)
            {
                if (buffer[i] != block[length % block.Length] && wrong < 0)
                    wrong = length;
            }
        }

        Assert.That((length, wrong), Is.EqualTo((sent, -1L)));
    }

    [Test]
    public void Serve_ManyThatDoNotRead_TakeNoMoreMemoryThanOneReadOfEach()
    {
        const int Clients = 20;
        var client = Start();
        var block = Bytes(1 << 16);
        SendUntilHeldUp(client, block);
        var before = Environment.WorkingSet;

        var sent = 0L;
        for (var i = 0; i < Clients; i++)
            sent += SendUntilHeldUp(Connect(), block);

        // Kernel buffers are not of this process.
        Assert.That(sent, Is.GreaterThan(Clients * (1L << 20)));
        Assert.That(Environment.WorkingSet - before, Is.LessThan(sent / 2), $"{sent} bytes were sent");
    }

    [Test]
    public void Serve_ClientResetsWhileItIsOwed_IsForgotten()
    {
        var client = Start();
        SendUntilHeldUp(client, Bytes(1 << 16));

        client.Close(0);

        Assert.That(() => _backend.Counts, Has.Property("Established").EqualTo(0).And.Property("Closed").EqualTo(1).After(Timeout, 20));
    }

    [Test]
    public void Dispose_WhileClientsAreOwed_Returns()
    {
        SendUntilHeldUp(Start(), Bytes(1 << 16));

        Assert.That(_backend.Dispose, Throws.Nothing);
    }

    [Test]
    public void Serve_WithHttp_TellsThemApartByTheFirstByte()
    {
        var http = Start(http: true);
        var echo = Connect();

        for (var i = 0; i < 3; i++)
        {
            http.Send(System.Text.Encoding.ASCII.GetBytes(Get));
            // Once a connection is one of echo it stays so, whatever comes.
            var message = i == 0 ? Bytes(100) : System.Text.Encoding.ASCII.GetBytes(Get);
            echo.Send(message);
            Assert.That(Read(echo, message.Length), Is.EqualTo(message));
        }

        Assert.That(() => _backend.Counts.Requests, Is.EqualTo(3).After(Timeout, 20));
        Assert.That(System.Text.Encoding.ASCII.GetString(Read(http, 15)), Is.EqualTo("HTTP/1.1 200 OK"));
    }

    [Test]
    public void Serve_WithHttp_ADescriptorThatIsUsedAgainIsAskedAgain()
    {
        var first = Start(http: true);
        first.Send(Bytes(10));
        Read(first, 10);
        first.Dispose();
        Assert.That(() => _backend.Counts.Closed, Is.EqualTo(1).After(Timeout, 20));

        var second = Connect();
        second.Send(System.Text.Encoding.ASCII.GetBytes(Get));

        Assert.That(System.Text.Encoding.ASCII.GetString(Read(second, 15)), Is.EqualTo("HTTP/1.1 200 OK"));
    }

    private Socket Start(bool http = false)
    {
        _backend = new BackendServer(new BackendOptions
        {
            Listen = [(IpAddress.From(_endpoint.Address), _endpoint.Port)],
            Http = http,
            Echo = true,
            Reactors = 1,
        });
        _backend.Start();
        return Connect();
    }

    private Socket Connect()
    {
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = Timeout, SendTimeout = Timeout };
        _clients.Add(client);
        client.Connect(_endpoint);
        return client;
    }

    /// <summary>Sends without reading until nothing more is taken for a while.</summary>
    /// <returns>Bytes that were taken.</returns>
    private static long SendUntilHeldUp(Socket client, byte[] block)
    {
        client.Blocking = false;
        var (sent, idle) = (0L, 0);
        while (idle < 50)
        {
            var at = (int)(sent % block.Length);
            var taken = client.Send(block, at, block.Length - at, SocketFlags.None, out var error);
            Assert.That(error, Is.EqualTo(SocketError.Success).Or.EqualTo(SocketError.WouldBlock));
            sent += error == SocketError.Success ? taken : 0;
            idle = error == SocketError.Success ? 0 : idle + 1;
            if (idle > 0)
                Thread.Sleep(10);
        }

        return sent;
    }

    // No capital letter at the beginning.
    private static byte[] Bytes(int size)
    {
        var bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        bytes[0] = 0x80;
        return bytes;
    }

    private static byte[] Read(Socket client, int size)
    {
        var bytes = new byte[size];
        for (var read = 0; read < size;)
        {
            var more = client.Receive(bytes.AsSpan(read));
            Assert.That(more, Is.Positive);
            read += more;
        }

        return bytes;
    }
}
