using System.Net;
using System.Net.Sockets;
using System.Text;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Tests.Engine;
using LoadHarness.Agent.Tests.Interop.OpenSsl;
using LoadHarness.Agent.Tests.Link;
using LoadHarness.Agent.Transports;
using LoadHarness.Agent.Workloads;
using LoadHarness.Protos;
using LoadHarness.V1;
using RequestLoad = LoadHarness.Agent.Workloads.RequestLoad;
using Schedule = LoadHarness.Protos.Schedule;

namespace LoadHarness.Agent.Tests.Transports;

/// <summary>
/// Peers that do not do what a good one does, over TLS of OpenSSL: what they did is counted by its name, and when all is over no slot, descriptor
/// or SSL object is left.
/// </summary>
[NonParallelizable]
public sealed class TlsPeersTests
{
    private const int BadRecordMac = 20;
    private const int CertificateRequired = 116;
    private const int UnexpectedEof = 294;
    private const int WrongVersionNumber = 267;
    private const int Connections = 4;

    private static readonly PortSpan[] _good = [new(200, 399)];
    private readonly TestAuthority _authority = new();
    private readonly List<IDisposable> _resources = [];
    private int _before;

    [SetUp]
    public void Count()
    {
        // Those of earlier fixtures may be freed later: the collector does it.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        _before = SslObjects.Living;
    }

    [TearDown]
    public void End()
    {
        IDisposable[] resources = [.. Enumerable.Reverse(_resources)];
        _resources.Clear();
        Array.ForEach(resources, r => r.Dispose());
    }

    [OneTimeTearDown]
    public void EndAuthority() => _authority.Dispose();

    private static readonly TestCaseData[] _answers =
    [
        Answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", true, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.Truncated), "close_notify in mid-body"),
        Answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort", false, FailureCause.Closed, FailureCode.OfReason(UnexpectedEof), "FIN in mid-body"),
        Answer("HTTP/1.1 200 OK\r\n\r\nup to the end", false, FailureCause.Closed, FailureCode.OfReason(UnexpectedEof), "FIN where close_notify ends the body"),
        Answer("HTTP/1.1 200 OK\r\nX: " + new string('x', 10_000_000), true, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.TooLong), "10 MB of header"),
        Answer(string.Concat(Enumerable.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100_000)), true, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.TooLong), "endless 1xx"),
        Answer("\0\0\u0012\u0004\0\0\0\0\0\0\u0003\0\0\0d\0\u0004\0@\0\0\0\u0006\0\0@\0", true, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.Http2Frame), "HTTP/2 settings"),
        Answer("", false, FailureCause.Closed, FailureCode.OfReason(UnexpectedEof), "no answer"),
    ];

    [TestCaseSource(nameof(_answers))]
    public void Response_ThatIsNone_FailsByName(string text, bool notifies, FailureCause cause, int code)
    {
        var server = Serve(session =>
        {
            session.Read();
            if (text.Length > 0)
                session.Write(Encoding.Latin1.GetBytes(text));
            if (notifies)
                session.CloseNotify();
        });
        var reactor = Start(server.Endpoint, Http());

        var counters = reactor.WaitFor(c => c.RequestsFailed >= 3 * Connections, "failures");

        Assert.That((counters.RequestsCompleted, counters.Failed), Is.EqualTo((0L, 0L)), reactor.DescribeFailures());
        Assert.That(reactor.FailuresOf(FailureStage.Response, cause, code), Is.EqualTo(counters.RequestsFailed), reactor.DescribeFailures());
        AssertNothingIsLeft(reactor, server);
    }

    [Test]
    public void Response_ThatCloseNotifyEnds_IsWhole()
    {
        var server = Serve(session =>
        {
            session.Read();
            session.Write("HTTP/1.1 200 OK\r\n\r\nup to the end"u8);
            session.CloseNotify();
        });
        var reactor = Start(server.Endpoint, Http());

        reactor.WaitFor(c => c.RequestsCompleted >= 3 * Connections, "answers");

        Assert.That(reactor.DescribeFailures(), Is.Empty);
        AssertNothingIsLeft(reactor, server);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Alert_InMidRun_EndsTheConnectionByItsName(bool inARequest)
    {
        // What is behind it unread turns the server's end into RST: the alert is told all the same.
        var server = Serve(session =>
        {
            if (inARequest)
                session.Socket.Poll(-1, SelectMode.SelectRead);
            session.Alert();
        });
        var reactor = Start(server.Endpoint, inARequest ? Http() : new WorkloadPlan.Hold());

        var counters = reactor.WaitFor(c => c.ClosedByPeer >= 3 * Connections, "alerts");

        Assert.That(reactor.FailuresOf(inARequest ? FailureStage.Response : FailureStage.Hold, FailureCause.Alert, FailureCode.OfAlert(BadRecordMac)),
            Is.EqualTo(counters.ClosedByPeer), reactor.DescribeFailures());
        AssertNothingIsLeft(reactor, server);
    }

    [TestCase(TlsVersion.V12, FailureStage.TlsHandshake, 40)]
    [TestCase(TlsVersion.V13, FailureStage.Response, CertificateRequired)]
    public void ClientCertificate_ThatIsMissing_IsToldByTheAlert(TlsVersion version, FailureStage stage, int alert)
    {
        // TLS 1.3 tells it when the client is through already, and may have sent a request that nobody reads.
        var server = Serve(_ => { }, wantsCertificate: true);
        var reactor = Start(server.Endpoint, Http(), new TlsPlan { Lowest = version, Highest = version });

        reactor.WaitFor(_ => reactor.FailuresOf(stage, FailureCause.Alert, FailureCode.OfAlert(alert)) >= 3 * Connections, "alerts");

        AssertNothingIsLeft(reactor, server);
    }

    [TestCase("localhost", -1, 10)]
    [TestCase("another.example", 10, 62)]
    [TestCase("l*.example", 10, 62, "localhost.example")]
    [TestCase("localhost", 10, 7, "localhost", true)]
    public void Certificate_ThatIsNotGood_LeavesNothingBehind(string name, int days, int verifyResult, string wanted = "localhost", bool stranger = false)
    {
        using var other = new TestAuthority();
        var server = Serve(_ => { }, (stranger ? other : _authority).IssueServer(name, days));
        var reactor = Start(server.Endpoint, new WorkloadPlan.Hold(), new TlsPlan { Resume = 1, ServerName = wanted });

        var counters = reactor.WaitFor(c => c.Failed >= 3 * Connections, "failures");

        Assert.That(reactor.FailuresOf(FailureStage.TlsHandshake, FailureCause.Certificate, FailureCode.OfVerifyResult(verifyResult)),
            Is.EqualTo(counters.Failed), reactor.DescribeFailures());
        Assert.That((counters.Opened, counters.Resumed), Is.EqualTo((0L, 0L)));
        AssertNothingIsLeft(reactor, server);
    }

    [TestCase("HTTP/1.1 400 Bad Request\r\n\r\n", FailureCause.ProtocolError, WrongVersionNumber)]
    [TestCase("\u0015\u0003\u0003\0\u0002\u0002\u0028", FailureCause.Alert, 40)]
    [TestCase("", FailureCause.Closed, 0)]
    public void Plaintext_WhereTlsIsExpected_LeavesNothingBehind(string text, FailureCause cause, int number)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _resources.Add(listener);
        _ = AnswerAsync(listener, text);
        var reactor = Start((IPEndPoint)listener.LocalEndpoint, new WorkloadPlan.Hold());

        var counters = reactor.WaitFor(c => c.Failed >= 3 * Connections, "failures");

        var code = cause switch { FailureCause.Alert => FailureCode.OfAlert(number), FailureCause.ProtocolError => FailureCode.OfReason(number), _ => 0 };
        Assert.That(reactor.FailuresOf(FailureStage.TlsHandshake, cause, code), Is.EqualTo(counters.Failed), reactor.DescribeFailures());
        AssertNothingIsLeft(reactor, listener);
    }

    [Test]
    public void Tls_WherePlaintextIsExpected_IsToldAsSuch()
    {
        var server = Serve(_ => { });
        var reactor = Own(ReactorFixture.Connecting((IpAddress.From(server.Endpoint.Address), server.Endpoint.Port), Connections, [new(1, Http())]));

        var counters = reactor.WaitFor(c => c.RequestsFailed >= 3 * Connections, "failures");

        // OpenSSL takes "GET " for HTTP and says nothing; its end comes as FIN or, with bytes unread, as RST.
        Assert.That(reactor.FailuresOf(FailureStage.Response, FailureCause.ProtocolError, FailureCode.OfResponse(ResponseFault.TlsRecord))
            + reactor.FailuresOf(FailureStage.Response, FailureCause.Closed, 0) + reactor.FailuresOf(FailureStage.Response, FailureCause.Reset, 104),
            Is.EqualTo(counters.RequestsFailed), reactor.DescribeFailures());
        AssertNothingIsLeft(reactor, server);
    }

    [Test]
    public void Held_ConnectionsResumeWhatTheFirstOneLearned()
    {
        var server = Serve(session => session.Read());
        var reactor = Start(server.Endpoint, new WorkloadPlan.Hold(), new TlsPlan { Resume = 1 }, connections: 1);
        reactor.WaitFor(c => c.Established == 1, "the first connection");
        // Its tickets come behind the handshake, and no counter tells of them.
        Thread.Sleep(500);

        reactor.Reactor.Post(new ConnectCommand.Pursue(reactor.Goal with { Schedule = new Schedule([new(TimeSpan.Zero, 20)], 1_000_000), Growth = new GoalPart(0, 20, 20) }, [], []));
        var counters = reactor.WaitFor(c => c.Established == 20, "the goal");

        Assert.That((counters.Resumed, counters.Failed), Is.EqualTo((19L, 0L)), reactor.DescribeFailures());
        AssertNothingIsLeft(reactor, server);
    }

    [Test]
    public void Release_TicketsAreNoGreeting()
    {
        var server = Serve(session => session.Read());
        var reactor = Start(server.Endpoint, new WorkloadPlan.Hold(), new TlsPlan { ReleasesIdle = true });
        reactor.WaitFor(c => c.Established == Connections, "the goal");
        Thread.Sleep(500);

        Assert.That(reactor.Ask().Confirmed, Is.Zero);
        Assert.That(SslObjects.Living - _before, Is.EqualTo(Connections), "the server's alone");
        AssertNothingIsLeft(reactor, server);
    }

    private static async Task AnswerAsync(TcpListener listener, string text)
    {
        try
        {
            while (true)
            {
                using var socket = await listener.AcceptSocketAsync();
                await socket.ReceiveAsync(new byte[4096]);
                await socket.SendAsync(Encoding.Latin1.GetBytes(text));
            }
        }
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            // Disposed.
        }
    }

    private static TestCaseData Answer(string text, bool notifies, FailureCause cause, int code, string name) =>
        new TestCaseData(text, notifies, cause, code).SetName($"{{m}}({name})");

    private static WorkloadPlan.Http Http() => new(
        [Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n")], false, [.. _good],
        new(new RequestLoad.Closed(TimeSpan.Zero), TimeSpan.FromSeconds(30), 0));

    // The reactor is alive: what it still had would be found.
    private void AssertNothingIsLeft(ReactorFixture reactor, IDisposable server)
    {
        reactor.Reactor.Post(new ConnectCommand.Drain(TimeSpan.FromSeconds(20)));
        reactor.WaitFor(c => c is { Established: 0, Closing: 0, Handshaking: 0, Connecting: 0, RequestsInFlight: 0 }, "the end of the drain");
        server.Dispose();
        var connections = reactor.Reactor.Connections;
        Assert.That(Enumerable.Range(0, connections.Capacity).Select(slot => connections.State(slot)), Has.All.EqualTo(ConnectionState.Free));
        Assert.That(SslObjects.Living - _before, Is.Zero, "SSL objects");
        Assert.That(ReactorSockets(), Is.Empty, "descriptors");
    }

    // A reactor's descriptors are its thread's own.
    private static List<string> ReactorSockets()
    {
        var found = new List<string>();
        foreach (var task in Directory.GetDirectories("/proc/self/task"))
        {
            try
            {
                if (File.ReadAllText($"{task}/comm").StartsWith("reactor-", StringComparison.Ordinal))
                    found.AddRange(Directory.GetFiles($"{task}/fd").Select(f => $"{f} {new FileInfo(f).LinkTarget}").Where(f => f.Contains(" socket:", StringComparison.Ordinal)));
            }
            catch (IOException)
            {
                // A thread of another kind that has ended meanwhile.
            }
        }

        return found;
    }

    private OpenSslServer Serve(Action<OpenSslServer.Session> serve, System.Security.Cryptography.X509Certificates.X509Certificate2? certificate = null, bool wantsCertificate = false)
    {
        using var issued = certificate ?? _authority.IssueServer("localhost");
        return Own(new OpenSslServer(issued, serve, wantsCertificate));
    }

    private ReactorFixture Start(IPEndPoint target, WorkloadPlan plan, TlsPlan? tls = null, int connections = Connections)
    {
        var trusting = (tls ?? new TlsPlan()) with { Authorities = Encoding.ASCII.GetBytes(_authority.Certificate) };
        var context = trusting.CreateContext(out var problem);
        Assert.That(context, Is.Not.Null, problem.Message);
        _resources.Add(context!);
        var address = IpAddress.From(target.Address);
        var options = new TlsOptions(context!, [trusting.PeerOf("localhost", address)], trusting.Resume, trusting.ReleasesIdle, trusting.ShutsDownQuietly);
        return Own(ReactorFixture.Connecting((address, target.Port), connections, [new(1, plan)], transport: new TlsTransport(options)));
    }

    private T Own<T>(T resource)
        where T : IDisposable
    {
        _resources.Add(resource);
        return resource;
    }
}
