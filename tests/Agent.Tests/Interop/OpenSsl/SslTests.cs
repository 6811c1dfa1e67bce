using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using LoadHarness.Agent.Interop.Libc;
using LoadHarness.Agent.Interop.OpenSsl;
using LoadHarness.Agent.Tests.Link;

namespace LoadHarness.Agent.Tests.Interop.OpenSsl;

public sealed class SslTests
{
    private const int Tls12 = 0x0303;
    private const int Tls13 = 0x0304;

    private readonly TestAuthority _authority = new();
    private readonly List<IDisposable> _resources = [];
    private SslContext _context = null!;

    [SetUp]
    public void TrustTheAuthority()
    {
        _context = new SslContext();
        Assert.That(_context.Trust(Encoding.ASCII.GetBytes(_authority.Certificate)), Is.True);
    }

    [TearDown]
    public void End()
    {
        IDisposable[] resources = [.. Enumerable.Reverse(_resources)];
        _resources.Clear();
        Array.ForEach(resources, r => r.Dispose());
        _context.Dispose();
    }

    [OneTimeTearDown]
    public void EndAuthority() => _authority.Dispose();

    [TestCase(Tls12)]
    [TestCase(Tls13)]
    public void Handshake_WithATrustedCertificate_CarriesBytesBothWays(int version)
    {
        var server = Serve();
        _context.SetVersions(version, version);
        var client = Connect(server.Endpoint);

        Assert.That(client.Handshake(), Is.EqualTo((TlsResult.Done, 0)));
        Assert.That(client.Exchange("hello"), Is.EqualTo("hello"));
        Assert.That(client.Ssl.VerifyResult, Is.Zero);
    }

    [TestCase("localhost", -1, "certificate has expired")]
    [TestCase("another.example", 10, "hostname mismatch")]
    public void Handshake_WithAWrongCertificate_FailsWithTheReason(string name, int days, string reason)
    {
        var client = Connect(Serve(name, days).Endpoint);

        Assert.That(client.Handshake().Result, Is.EqualTo(TlsResult.Failed));
        Assert.That(TlsErrors.DescribeVerifyResult(client.Ssl.VerifyResult), Is.EqualTo(reason));
        Assert.That(TlsErrors.Describe(TlsErrors.Take(out _)), Is.EqualTo("certificate verify failed"));
    }

    [Test]
    public void Handshake_WithACertificateThatNobodyTrusted_FailsUnlessNobodyLooks()
    {
        using var stranger = new TestAuthority();
        var server = Owned(new TlsServer(stranger.IssueServer("localhost")));
        var client = Connect(server.Endpoint);

        Assert.That(client.Handshake().Result, Is.EqualTo(TlsResult.Failed));
        Assert.That(client.Ssl.VerifyResult, Is.Not.Zero);

        _context.TrustAnybody();
        Assert.That(Connect(server.Endpoint).Handshake().Result, Is.EqualTo(TlsResult.Done));
    }

    [Test]
    public void Handshake_NoVersionInCommon_FailsWithThePeersAlert()
    {
        var server = Serve(configure: o => o.EnabledSslProtocols = SslProtocols.Tls13);
        _context.SetVersions(Tls12, Tls12);

        Assert.That(Connect(server.Endpoint).Handshake().Result, Is.EqualTo(TlsResult.Failed));
        var error = TlsErrors.Take(out var alert);
        Assert.That((alert, TlsErrors.Describe(error)), Is.EqualTo((70, "tlsv1 alert protocol version")));
    }

    [Test]
    public void Handshake_WithAPeerThatSpeaksHttp_FailsInWords()
    {
        using var plain = new TcpListener(IPAddress.Loopback, 0);
        plain.Start();
        var accepted = plain.AcceptSocketAsync();
        var client = Connect((IPEndPoint)plain.LocalEndpoint);
        using var peer = accepted.GetAwaiter().GetResult();
        peer.Send("HTTP/1.1 400 Bad Request\r\n\r\n"u8);

        Assert.That(client.Handshake().Result, Is.EqualTo(TlsResult.Failed));
        Assert.That(TlsErrors.Describe(TlsErrors.Take(out var alert)), Is.EqualTo("wrong version number"));
        Assert.That(alert, Is.EqualTo(-1));
    }

    [TestCase(false, 0)]
    [TestCase(true, Errno.ECONNRESET)]
    public void Handshake_PeerGoesAway_IsTheSocketsFailure(bool reset, int errno)
    {
        using var plain = new TcpListener(IPAddress.Loopback, 0);
        plain.Start();
        var accepted = plain.AcceptSocketAsync();
        var client = Connect((IPEndPoint)plain.LocalEndpoint);
        using var peer = accepted.GetAwaiter().GetResult();
        client.Ssl.Handshake(out _);
        // Unread bytes would turn a FIN into RST.
        peer.Receive(new byte[4096]);
        if (reset)
            peer.LingerState = new(true, 0);
        peer.Close();

        Assert.That(client.Handshake(), Is.EqualTo((TlsResult.SocketFailed, errno)));
    }

    [TestCase(Tls12)]
    [TestCase(Tls13)]
    public void Session_TakenAfterAnAnswer_IsResumed(int version)
    {
        var server = Serve();
        _context.SetVersions(version, version);
        var first = Connect(server.Endpoint);
        first.Handshake();
        first.Exchange("one");
        var session = first.Ssl.TakeSession();
        first.Free();

        for (var i = 0; i < 3; i++)
        {
            var next = Connect(server.Endpoint);
            next.Ssl.SetSession(session);
            Assert.That(next.Handshake().Result, Is.EqualTo(TlsResult.Done));
            Assert.That(next.Ssl.Resumed, Is.True, "one session for any number of handshakes");
            Assert.That(next.Exchange("two"), Is.EqualTo("two"));
        }

        session.Free();
    }

    [Test]
    public void Shutdown_ThenFin_IsAnOrderlyEndForThePeer()
    {
        var server = Serve();
        var client = Connect(server.Endpoint);
        client.Handshake();
        client.Exchange("x");

        Assert.That(client.Ssl.Shutdown(out _), Is.EqualTo(TlsResult.Done));
        client.Socket.Shutdown(SocketShutdown.Send);

        Assert.That(() => server.Ends, Is.EqualTo(new[] { "end" }).After(60_000, 10));
        Assert.That(client.Read(), Is.EqualTo((TlsResult.Ended, 0)));
    }

    [Test]
    public void Free_OfALivingConnection_LeavesItsSocketOpen()
    {
        var server = Serve();
        var client = Connect(server.Endpoint);
        client.Handshake();

        client.Free();

        Assert.That(client.Socket.Connected, Is.True);
        Assert.That(client.Socket.Poll(50_000, SelectMode.SelectError), Is.False);
        Assert.That(server.Ends, Is.Empty);
    }

    [Test]
    public void Context_ValuesThatOpenSslDoesNotTake_AreRefusedInWords() =>
        Assert.Multiple(() =>
        {
            Assert.That(ReasonOf(_context.SetCiphers("NONSENSE")), Is.EqualTo("no cipher match"));
            Assert.That(ReasonOf(_context.SetCipherSuites("NONSENSE")), Is.EqualTo("no cipher match"));
            Assert.That(_context.Trust("nothing"u8), Is.False);
            Assert.That(_context.UseCertificate("nothing"u8), Is.False);
            Assert.That(_context.UseKey("nothing"u8), Is.False);
            Assert.That(_context.SetGroups("NONSENSE"), Is.False);
            Assert.That(_context.SetVersions(1, 2), Is.False);
        });

    [Test]
    public void Context_ValuesOfThisOpenSsl_AreTaken() =>
        Assert.Multiple(() =>
        {
            Assert.That(_context.SetCiphers("ECDHE+AESGCM"), Is.True);
            Assert.That(_context.SetCipherSuites("TLS_AES_128_GCM_SHA256"), Is.True);
            Assert.That(_context.SetGroups("P-256:X25519"), Is.True);
            Assert.That(_context.SetAlpn("\bhttp/1.1"u8), Is.True);
            Assert.That(_context.TrustSystem(), Is.True);
        });

    [Test]
    public void Handshakes_Many_AllocateNothingManaged()
    {
        var server = Serve();
        var allocated = new List<long>();
        for (var i = 0; i < 20; i++)
        {
            var client = Connect(server.Endpoint);
            var before = GC.GetAllocatedBytesForCurrentThread();
            client.Ssl.Handshake(out _);
            allocated.Add(GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.That(allocated.Skip(1), Is.All.Zero);
    }

    private static string? ReasonOf(bool taken) => taken ? null : TlsErrors.Describe(TlsErrors.Take(out _));

    private TlsServer Serve(string name = "localhost", int days = 10, Action<System.Net.Security.SslServerAuthenticationOptions>? configure = null) =>
        Owned(new TlsServer(_authority.IssueServer(name, days), configure));

    private TlsClient Connect(IPEndPoint endpoint)
    {
        var client = Owned(new TlsClient(_context, endpoint));
        Assert.That((client.Ssl.SetServerName("localhost\0"u8), client.Ssl.SetVerifiedName("localhost\0"u8)), Is.EqualTo((true, true)));
        return client;
    }

    private T Owned<T>(T resource)
        where T : IDisposable
    {
        _resources.Add(resource);
        return resource;
    }
}
