using System.Net;
using System.Net.Sockets;
using LoadHarness.Coordinator.LocalFleet;

namespace LoadHarness.Coordinator.Tests.LocalFleet;

public class LocalBackendPortsTests
{
    [TestCase(1, 10)]
    [TestCase(50_000, 10)]
    [TestCase(250_001, 11)]
    [TestCase(2_000_000, 80)]
    [TestCase(100_000_000, 1_000)]
    public void PortsFor_Goal_LeavesEachPortRoom(long connections, int expected) =>
        Assert.That(LocalBackendPorts.PortsFor(connections), Is.EqualTo(expected));

    [Test]
    public void FreePorts_OneIsTaken_BeginsBehindIt()
    {
        using var blocking = BindBelowTheEphemeralRange(out var port);
        Assert.That(LocalBackendPorts.FreePorts(port - 1, 5).First, Is.GreaterThan(port));
    }

    [Test]
    public void FreePorts_NoRoom_SaysSo() =>
        Assert.That(() => LocalBackendPorts.FreePorts(31_999, 5), Throws.TypeOf<LocalFleetException>().With.Message.Contains("127.0.0.1"));

    private static Socket BindBelowTheEphemeralRange(out int port)
    {
        var first = LocalBackendPorts.FreePorts(20_000, 2);
        port = first.Last;
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        socket.Listen();
        return socket;
    }
}
