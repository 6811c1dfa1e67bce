using System.Net;
using System.Net.Sockets;
using LoadHarness.Agent.Transports;
using LoadHarness.TestKit.Networks;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Transports;

public sealed class PlainTransportTests
{
    private const int Econnreset = 104;
    private PlainTransport _transport = null!;
    private Socket _ours = null!;
    private Socket _theirs = null!;

    [SetUp]
    public void SetUp()
    {
        _transport = new PlainTransport();
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(LoopbackAddress.Next(), 0));
        listener.Listen();
        _ours = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        _ours.Connect(listener.LocalEndPoint!);
        _theirs = listener.Accept();
    }

    [TearDown]
    public void TearDown()
    {
        _transport.Dispose();
        _ours.Dispose();
        _theirs.Dispose();
    }

    private int Descriptor => (int)_ours.Handle;

    [Test]
    public void Discard_NothingHasCome_IsAgain()
    {
        var answer = _transport.Discard(Descriptor, out var bytes, out var fault);

        Assert.That((answer, bytes, fault), Is.EqualTo((TransportAnswer.Again, 0L, default(TransportFault))));
    }

    [Test]
    public void Discard_SomeBytes_TakesThemAll()
    {
        _theirs.Send(new byte[5000]);
        WaitForInput();

        var answer = _transport.Discard(Descriptor, out var bytes, out _);

        Assert.Multiple(() =>
        {
            Assert.That(answer, Is.EqualTo(TransportAnswer.Again));
            Assert.That(bytes, Is.EqualTo(5000));
            Assert.That(_ours.Available, Is.Zero);
        });
    }

    [Test]
    public void Discard_PeerHasClosed_IsFailedTheFin()
    {
        _theirs.Shutdown(SocketShutdown.Send);
        WaitForInput();

        var answer = _transport.Discard(Descriptor, out _, out var fault);

        Assert.That((answer, fault), Is.EqualTo((TransportAnswer.Failed, TransportFault.Fin)));
    }

    [Test]
    public void Discard_PeerHasReset_IsFailedWithItsErrno()
    {
        _theirs.Close(0);
        WaitForInput();

        var answer = _transport.Discard(Descriptor, out _, out var fault);

        Assert.That((answer, fault), Is.EqualTo((TransportAnswer.Failed, new TransportFault(FailureCause.Reset, Econnreset))));
    }

    [Test]
    public void Discard_PeerThatSendsWithoutEnd_StopsAtItsBound()
    {
        var stop = false;
        var sender = new Thread(() =>
        {
            var data = new byte[1 << 20];
            while (!Volatile.Read(ref stop))
                _theirs.Send(data);
        });
        sender.Start();
        var (most, done, total) = (0L, false, 0L);
        while (total < 200 << 20 && !done)
        {
            done = _transport.Discard(Descriptor, out var bytes, out _) == TransportAnswer.Done;
            most = Math.Max(most, bytes);
            total += bytes;
            Thread.Sleep(1);
        }

        Volatile.Write(ref stop, true);
        while (sender.IsAlive)
            _transport.Discard(Descriptor, out _, out _);

        Assert.That(most, Is.LessThanOrEqualTo(1 << 20));
    }

    [Test]
    public void Shutdown_Connected_SendsTheEndAndStillReceives()
    {
        var answer = _transport.Shutdown(Descriptor, out var fault);
        var read = _theirs.Receive(new byte[1]);
        _theirs.Send(new byte[7]);
        WaitForInput();
        _transport.Discard(Descriptor, out var bytes, out _);

        Assert.That((answer, fault, read, bytes), Is.EqualTo((TransportAnswer.Done, default(TransportFault), 0, 7L)));
    }

    [Test]
    public void Shutdown_NotConnectedAnyMore_IsFailed()
    {
        _theirs.Close(0);
        WaitForInput();
        _transport.Discard(Descriptor, out _, out _);

        Assert.That(_transport.Shutdown(Descriptor, out _), Is.EqualTo(TransportAnswer.Failed));
    }

    [Test]
    public void Handshake_PlainTcp_IsDone() => Assert.That(_transport.Handshake(Descriptor, out _), Is.EqualTo(TransportAnswer.Done));

    private void WaitForInput() => Assert.That(_ours.Poll(60_000_000, SelectMode.SelectRead), Is.True);
}
