using System.Net;
using System.Net.Sockets;
using LoadHarness.Coordinator.LocalFleet;

namespace LoadHarness.Coordinator.Tests.LocalFleet;

public class LocalBackendTests
{
    private TemporaryDirectory _temporary = null!;

    [SetUp]
    public void SetUp() => _temporary = new TemporaryDirectory();

    [TearDown]
    public void TearDown() => _temporary.Dispose();

    [TestCase(1, 10)]
    [TestCase(50_000, 10)]
    [TestCase(250_001, 11)]
    [TestCase(2_000_000, 80)]
    [TestCase(100_000_000, 1_000)]
    public void PortsFor_Goal_LeavesEachPortRoom(long connections, int expected) =>
        Assert.That(LocalBackend.PortsFor(connections), Is.EqualTo(expected));

    [Test]
    public void FreePorts_OneIsTaken_BeginsBehindIt()
    {
        using var blocking = BindBelowTheEphemeralRange(out var port);
        Assert.That(LocalBackend.FreePorts(port - 1, 5).First, Is.GreaterThan(port));
    }

    [Test]
    public void FreePorts_NoRoom_SaysSo() =>
        Assert.That(() => LocalBackend.FreePorts(31_999, 5), Throws.TypeOf<LocalFleetException>().With.Message.Contains("127.0.0.1"));

    [Test]
    public async Task StartAsync_BackendDies_ShowsWhatItSaid()
    {
        var program = new AgentProgram(_temporary.Script("agent", "echo 'port is taken' >&2; exit 2"), [], null);
        await using var session = await LocalSession.StartAsync(
            new RuntimeRoot(_temporary.File("root")),
            program,
            InProcessCoordinator.StartAsync, TimeProvider.System, CancellationToken.None);
        Assert.That(
            async () => await LocalBackend.StartAsync(session, 1, CancellationToken.None),
            Throws.TypeOf<LocalFleetException>().With.Message.Contains("exit code 2").And.Message.Contains("port is taken"));
    }

    private static Socket BindBelowTheEphemeralRange(out int port)
    {
        var first = LocalBackend.FreePorts(20_000, 2);
        port = first.Last;
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        socket.Listen();
        return socket;
    }
}
