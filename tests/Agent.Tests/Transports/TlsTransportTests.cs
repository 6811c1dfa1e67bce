using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using LoadHarness.Agent.Engine;
using LoadHarness.Agent.Interop.OpenSsl;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Tests.Engine;
using LoadHarness.Agent.Tests.Interop.OpenSsl;
using LoadHarness.Agent.Tests.Link;
using LoadHarness.Agent.Transports;
using LoadHarness.Agent.Workloads;
using LoadHarness.Protos;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Targets;
using LoadHarness.V1;
using ProxyProtocol = LoadHarness.Agent.Transports.ProxyProtocol;
using RequestLoad = LoadHarness.Agent.Workloads.RequestLoad;

namespace LoadHarness.Agent.Tests.Transports;

/// <summary>TLS on a reactor, against a server of the framework's TLS that sends back what it gets.</summary>
public sealed class TlsTransportTests
{
    private const int WrongVersionNumber = 267;
    private const int HasExpired = 10;
    private const int HostNameMismatch = 62;

    private static readonly TimeSpan _timeout = TimeSpan.FromSeconds(30);
    private readonly TestAuthority _authority = new();
    private readonly List<IDisposable> _resources = [];

    [TearDown]
    public void End()
    {
        IDisposable[] resources = [.. Enumerable.Reverse(_resources)];
        _resources.Clear();
        Array.ForEach(resources, r => r.Dispose());
    }

    [OneTimeTearDown]
    public void EndAuthority() => _authority.Dispose();

    [TestCase(TlsVersion.V12)]
    [TestCase(TlsVersion.V13)]
    public void Echo_OverTls_EveryMessageComesBack(TlsVersion version)
    {
        var reactor = Start(Serve(), 5, Echo(50_000), new TlsPlan { Lowest = version, Highest = version });

        var counters = reactor.WaitFor(c => c.RequestsCompleted > 50, "50 messages");

        Assert.That((counters.RequestsFailed, counters.Established, reactor.Failures.Count), Is.EqualTo((0, 5, 0)), reactor.DescribeFailures());
        Assert.That(reactor.Latencies[HistogramKind.TlsHandshake].TotalCount, Is.EqualTo(5));
    }

    [TestCase("localhost", -1, HasExpired)]
    [TestCase("another.example", 10, HostNameMismatch)]
    public void Certificate_ThatIsNotGood_FailsTheHandshakeByName(string name, int days, int verifyResult)
    {
        var reactor = Start(Serve(name, days), 2, new WorkloadPlan.Hold(), new TlsPlan());

        var counters = reactor.WaitFor(c => c.Failed >= 4, "four failures");

        Assert.Multiple(() =>
        {
            Assert.That(reactor.FailuresOf(FailureStage.TlsHandshake, FailureCause.Certificate, FailureCode.OfVerifyResult(verifyResult)),
                Is.EqualTo(counters.Failed), reactor.DescribeFailures());
            Assert.That(counters.Opened, Is.Zero);
        });
    }

    [Test]
    public void Certificate_ThatIsNotGood_IsTakenWhenNobodyLooks()
    {
        var reactor = Start(Serve("another.example", -1), 2, new WorkloadPlan.Hold(), new TlsPlan { Insecure = true });

        Assert.That(reactor.WaitFor(c => c.Established == 2, "the goal").Failed, Is.Zero);
    }

    [Test]
    public void Handshake_NoVersionInCommon_FailsWithTheAlert()
    {
        var server = Serve(configure: o => o.EnabledSslProtocols = SslProtocols.Tls12);
        var reactor = Start(server, 2, new WorkloadPlan.Hold(), new TlsPlan { Lowest = TlsVersion.V13 });

        var counters = reactor.WaitFor(c => c.Failed >= 4, "four failures");

        Assert.That(reactor.FailuresOf(FailureStage.TlsHandshake, FailureCause.Alert, FailureCode.OfAlert(70)), Is.EqualTo(counters.Failed), reactor.DescribeFailures());
    }

    [Test]
    public void Handshake_WithAPeerThatSpeaksPlainly_SaysSo()
    {
        using var listener = new TcpListener(LoopbackAddress.Next(), 0);
        listener.Start();
        _ = GreetAsync(listener);
        var reactor = Start((IPEndPoint)listener.LocalEndpoint, 2, new WorkloadPlan.Hold(), new TlsPlan());

        var counters = reactor.WaitFor(c => c.Failed >= 4, "four failures");

        Assert.That(reactor.FailuresOf(FailureStage.TlsHandshake, FailureCause.ProtocolError, FailureCode.OfReason(WrongVersionNumber)),
            Is.EqualTo(counters.Failed), reactor.DescribeFailures());
    }

    [TestCase(TlsVersion.V12)]
    [TestCase(TlsVersion.V13)]
    public void Resume_Always_AllHandshakesButTheFirstOnesAreShort(TlsVersion version)
    {
        var reactor = Start(Serve(), 1, Echo(100, perConnection: 1), new TlsPlan { Lowest = version, Highest = version, Resume = 1 });

        var counters = reactor.WaitFor(c => c.Opened >= 20, "twenty connections");

        Assert.That(counters.Resumed, Is.InRange(counters.Opened - 2, counters.Opened - 1));
    }

    [Test]
    public void Resume_AThirdOfThem_IsWhatIsCounted()
    {
        var reactor = Start(Serve(), 1, Echo(100, perConnection: 1), new TlsPlan { Resume = 0.3 });

        var counters = reactor.WaitFor(c => c.Opened >= 100, "a hundred connections");

        Assert.That(counters.Resumed, Is.EqualTo(counters.Opened * 0.3).Within(2));
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Release_OfIdleConnections_LeavesThemOpenAndTheirEndAFin(bool releases)
    {
        var server = Serve();
        var reactor = Start(server, 20, new WorkloadPlan.Hold(), new TlsPlan { ReleasesIdle = releases });
        reactor.WaitFor(c => c.Established == 20, "the goal");
        Thread.Sleep(300);
        Assert.That(server.Ends, Is.Empty);

        reactor.Reactor.Post(new ConnectCommand.Drain(TimeSpan.FromSeconds(20)));
        var counters = reactor.WaitFor(c => c is { Established: 0, Closing: 0 }, "the end of the drain");

        Assert.That(counters.Aborted, Is.Zero);
        Assert.That(() => server.Ends, Has.Count.EqualTo(20).After(10_000, 20));
        // A stream that ends without close_notify is an end all the same, and no reset.
        Assert.That(server.Ends, Has.All.Not.Contain("reset"));
    }

    [Test]
    public void Drain_ProperOrQuiet_SendsCloseNotifyOrNone(
        [Values(TlsVersion.V12, TlsVersion.V13)] TlsVersion version, [Values] bool quiet)
    {
        var notified = new ConcurrentQueue<bool>();
        var target = ServeByOpenSsl(session =>
        {
            session.Read();
            notified.Enqueue(session.HasCloseNotify);
        });
        var reactor = Start(target, 10, new WorkloadPlan.Hold(), new TlsPlan { Lowest = version, Highest = version, ShutsDownQuietly = quiet });
        reactor.WaitFor(c => c.Established == 10, "the goal");

        reactor.Reactor.Post(new ConnectCommand.Drain(TimeSpan.FromSeconds(20)));
        reactor.WaitFor(c => c is { Established: 0, Closing: 0 }, "the end of the drain");

        Assert.That(() => notified, Has.Count.EqualTo(10).After(10_000, 20));
        Assert.That(notified, Has.All.EqualTo(!quiet));
    }

    [TestCase("TLS_AES_128_GCM_SHA256", "P-384", "secp384r1")]
    [TestCase("TLS_CHACHA20_POLY1305_SHA256", "X25519:P-256", "x25519")]
    [TestCase("TLS_AES_256_GCM_SHA384", "P-256:X25519", "secp256r1")]
    public void SuiteAndGroups_OfTls13_AreThoseInUse(string suite, string groups, string group)
    {
        var used = new ConcurrentQueue<(string, string)>();
        var target = ServeByOpenSsl(session =>
        {
            used.Enqueue((session.Suite, session.Group));
            session.Read();
        });

        Start(target, 3, new WorkloadPlan.Hold(), new TlsPlan { Lowest = TlsVersion.V13, CipherSuites = suite, Groups = groups }).WaitFor(c => c.Established == 3, "the goal");

        Assert.That(() => used, Has.Count.EqualTo(3).After(10_000, 20));
        Assert.That(used, Has.All.EqualTo((suite, group)));
    }

    [Test]
    public void Churn_OverTls_AllocatesNothing()
    {
        var churn = new WorkloadPlan.Churn(new(LifetimeSpread.Fixed, TimeSpan.FromMilliseconds(20), default), CloseMethod.Rst);
        var reactor = Start(Serve(), 5, churn, new TlsPlan());
        reactor.WaitFor(c => c.Closed > 50, "the first fifty");
        var before = reactor.AllocatedBytes();

        reactor.WaitFor(c => c.Closed > 150, "a hundred more");

        Assert.That(reactor.AllocatedBytes() - before, Is.Zero);
    }

    [Test]
    public void ProxyHeader_ComesAheadOfEverythingElse()
    {
        using var target = new ScriptedTarget(LoopbackAddress.Next(), _ => ScriptedAnswer.Ok);
        var clients = new IpRange(IpAddress.FromBytes([10, 99, 0, 1]), 3);
        using var transport = new PlainTransport(new ProxyPreamble(ProxyProtocol.V1, clients));
        var http = new WorkloadPlan.Http([Encoding.ASCII.GetBytes("GET / HTTP/1.1\r\nHost: x\r\n\r\n")], false, [new PortSpan(200, 399)],
            new(new RequestLoad.Closed(TimeSpan.FromMilliseconds(50)), _timeout, 0));
        using var reactor = ReactorFixture.Connecting((IpAddress.From(target.EndPoint.Address), target.EndPoint.Port), 6, [new(1, http)], transport: transport);

        reactor.WaitFor(c => c.RequestsCompleted >= 12, "two answers on each connection");

        var first = target.Requests.Where(r => r.Number == 0).Select(r => r.Text.Split("\r\n")[0].Split(' ')).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(first.Select(f => f[2]).Order(), Is.EqualTo(new[] { "10.99.0.1", "10.99.0.1", "10.99.0.2", "10.99.0.2", "10.99.0.3", "10.99.0.3" }));
            Assert.That(first.Select(f => $"{f[0]} {f[1]} {f[3]} {f[5]}").Distinct(), Is.EqualTo(new[] { $"PROXY TCP4 {target.EndPoint.Address} {target.EndPoint.Port}" }));
            Assert.That(target.Requests.Where(r => r.Number == 1).Select(r => r.Text), Has.All.StartsWith("GET / "));
        });
    }

    private static async Task GreetAsync(TcpListener listener)
    {
        // Kept until the test has ended: a socket that nobody holds is closed, and what it has not read turns that into RST.
        for (var accepted = new List<Socket>(); ;)
        {
            accepted.Add(await listener.AcceptSocketAsync());
            accepted[^1].Send("SSH-2.0-server\r\n"u8);
        }
    }

    private static WorkloadPlan.Echo Echo(int size, long perConnection = 0) => new(size, new(new RequestLoad.Closed(TimeSpan.Zero), _timeout, perConnection));

    private TlsServer Serve(string name = "localhost", int days = 10, Action<SslServerAuthenticationOptions>? configure = null)
    {
        var certificate = _authority.IssueServer(name, days);
        var server = new TlsServer(certificate, configure);
        _resources.AddRange([certificate, server]);
        return server;
    }

    private IPEndPoint ServeByOpenSsl(Action<OpenSslServer.Session> serve)
    {
        using var certificate = _authority.IssueServer("localhost");
        var server = new OpenSslServer(certificate, serve);
        _resources.Add(server);
        return server.Endpoint;
    }

    private ReactorFixture Start(TlsServer server, int connections, WorkloadPlan plan, TlsPlan tls) => Start(server.Endpoint, connections, plan, tls);

    private ReactorFixture Start(IPEndPoint target, int connections, WorkloadPlan plan, TlsPlan tls)
    {
        var trusting = tls with { Authorities = Encoding.ASCII.GetBytes(_authority.Certificate) };
        var context = trusting.CreateContext(out var problem);
        Assert.That(context, Is.Not.Null, problem.Message);
        var address = IpAddress.From(target.Address);
        var options = new TlsOptions(context!, [trusting.PeerOf("localhost", address)], tls.Resume, tls.ReleasesIdle, tls.ShutsDownQuietly);
        var reactor = ReactorFixture.Connecting((address, target.Port), connections, [new(1, plan)], transport: new TlsTransport(options));
        _resources.AddRange([context!, reactor]);
        return reactor;
    }
}
