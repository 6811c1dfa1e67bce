using System.Net;
using System.Net.Sockets;
using System.Text;
using LoadHarness.EndToEnd.Tests.Benches;

namespace LoadHarness.EndToEnd.Tests.Backend;

[Parallelizable(ParallelScope.All)]
public sealed class BackendCommandTests : BenchTest
{
    [Test]
    public async Task Listen_PortsTaken_NamesEachWithCauseAndRemedy()
    {
        await Bench.BackendAsync("127.0.0.1:9001-9002");

        var second = await Bench.FinishAsync(Bench.Agent("backend", "--listen", "127.0.0.1:9000-9003"), Bench.Soon);

        Assert.That(second.ExitCode, Is.EqualTo(2), second.Log);
        Assert.That(second.Error, Does.Contain("127.0.0.1:9001").And.Contain("127.0.0.1:9002").And.Not.Contain("127.0.0.1:9003"));
        Assert.That(second.Error, Does.Contain("taken").And.Contain("ss -ltnp"));
        Assert.That(second.Log, Does.Not.Contain("   at "));
    }

    [Test]
    public async Task Listen_AddressThatIsNotHere_SaysSo()
    {
        var backend = await Bench.FinishAsync(Bench.Agent("backend", "--listen", "192.0.2.7:9000"), Bench.Soon);

        Assert.That(backend.ExitCode, Is.EqualTo(2), backend.Log);
        Assert.That(backend.Error, Does.Contain("192.0.2.7").And.Contain("no address").And.Contain("ip addr"));
        Assert.That(backend.Log, Does.Not.Contain("   at "));
    }

    [TestCase("127.0.0.1:0", "0")]
    [TestCase("127.0.0.1:70000", "70000")]
    [TestCase("127.0.0.1", "127.0.0.1")]
    [TestCase("nonsense", "nonsense")]
    public async Task Listen_WrongText_NamesIt(string listen, string named)
    {
        var backend = await Bench.FinishAsync(Bench.Agent("backend", "--listen", listen), Bench.Soon);

        Assert.That(backend.ExitCode, Is.EqualTo(2), backend.Log);
        Assert.That(backend.Error, Does.Contain("--listen").And.Contain(named));
        Assert.That(backend.Log, Does.Not.Contain("   at "));
    }

    [TestCase("--http")]
    [TestCase("--echo")]
    public async Task Greet_BesideAnAnswer_IsRefused(string answer)
    {
        var backend = await Bench.FinishAsync(Bench.Agent("backend", "--listen", "127.0.0.1:9000", "--greet", answer), Bench.Soon);

        Assert.That(backend.ExitCode, Is.EqualTo(2), backend.Log);
        Assert.That(backend.Error, Does.Contain($"--greet cannot stand together with {answer}"));
    }

    [Test]
    public async Task Backend_FewDescriptorsAndManyClients_ServesEachOfThem()
    {
        const int clients = 2_000;
        await Bench.BackendAsync("127.0.0.1:9000-9003", 400, "--http");

        var sockets = Bench.Namespace.Enter(() => Enumerable.Range(0, clients).Select(i => Connect(9000 + (i % 4))).ToList());

        // The first came before any table was full, the last after many were.
        foreach (var socket in sockets)
            socket.Send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"u8);
        Assert.That(sockets.Select(Answer).Distinct(), Is.EqualTo(new[] { "HTTP/1.1 200" }));
        sockets.ForEach(s => s.Dispose());
    }

    [Test]
    public async Task Backend_AskedToEnd_PrintsItsCounts()
    {
        var backend = await Bench.BackendAsync("127.0.0.1:9000", "--http");
        Bench.Namespace.Exec("curl", "-sS", "http://127.0.0.1:9000/");
        // What has reached it is counted, and curl's FIN may still be on its way.
        await Bench.EventuallyAsync(() => Bench.Sockets.Lines("established", "( sport = :9000 )").Length == 0, () => "curl does not close");

        backend.Send(TestKit.Processes.Signal.Terminate);
        var ended = await Bench.FinishAsync(backend, Bench.Soon);

        Assert.That(ended.ExitCode, Is.Zero, ended.Log);
        Assert.That(ended.Log, Does.Contain("accepted 1, closed 1, requests 1"));
    }

    private static Socket Connect(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 90_000 };
        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }

    private static string Answer(Socket socket)
    {
        var answer = "";
        var buffer = new byte[1024];
        for (var read = socket.Receive(buffer); read > 0; read = socket.Receive(buffer))
            answer += Encoding.ASCII.GetString(buffer, 0, read);
        return answer[..Math.Min(answer.Length, 12)];
    }
}
