using System.Collections.Immutable;
using System.Text;
using CsCheck;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using LoadHarness.Agent.Assignments;
using LoadHarness.Agent.Link;
using LoadHarness.Agent.Transports;
using LoadHarness.Agent.Workloads;
using LoadHarness.Protos;
using LoadHarness.V1;
using Assignment = LoadHarness.V1.Assignment;
using ProxyProtocol = LoadHarness.V1.ProxyProtocol;
using RequestLoad = LoadHarness.V1.RequestLoad;
using WorkloadShare = LoadHarness.V1.WorkloadShare;

namespace LoadHarness.Agent.Tests.Link;

/// <summary>What carries connections and what they do, as it comes from the wire: taken whole, or refused by field and rule.</summary>
public sealed class WireTransportTests
{
    private static readonly LinkGrant _grant = new("session", TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30), "store", 1);

    [Test]
    public void Transport_EveryField_IsTaken()
    {
        var plan = Take(Message()).Transport;

        Assert.Multiple(() =>
        {
            Assert.That(plan.Tls! with { Authorities = default, Certificate = default, Key = default, Alpn = [] }, Is.EqualTo(new TlsPlan
            {
                Lowest = TlsVersion.V12,
                Highest = TlsVersion.V13,
                ServerName = "www.example.com",
                Ciphers = "ECDHE+AESGCM",
                CipherSuites = "TLS_AES_128_GCM_SHA256",
                Groups = "X25519:P-256",
                Resume = 0.3,
                ReleasesIdle = true,
                ShutsDownQuietly = true,
            }));
            Assert.That(plan.Tls!.Alpn, Is.EqualTo(new[] { "h2", "http/1.1" }));
            Assert.That(new[] { plan.Tls.Authorities, plan.Tls.Certificate, plan.Tls.Key }.Select(p => Encoding.ASCII.GetString(p.Span)), Is.EqualTo(new[] { "ca", "cert", "key" }));
            Assert.That(plan.Proxy, Is.EqualTo(new ProxyPlan(Agent.Transports.ProxyProtocol.V2, new IpRange(IpAddress.FromBytes([10, 0, 0, 1]), 1 << 21))));
            Assert.That(plan.Socket, Is.EqualTo(new SocketOptions { NoDelay = true, KeepAliveSeconds = 60, SendBuffer = 4096, ReceiveBuffer = 8192, UserTimeoutMillis = 1500 }));
        });
    }

    [Test]
    public void Transport_Absent_IsPlainTcp() => Assert.That(Take(WireSamples.Assignment()).Transport, Is.EqualTo(TransportPlan.Plain));

    private static readonly TestCaseData[] _wrong =
    [
        WrongTls("lowest", "range", t => t.Lowest = (TlsVersion)9),
        WrongTls("highest", "range", t => t.Highest = (TlsVersion)(-1)),
        WrongTls("lowest", "order", t => (t.Lowest, t.Highest) = (TlsVersion.V13, TlsVersion.V12)),
        WrongTls("server_name", "range", t => t.ServerName = new string('a', 256)),
        WrongTls("server_name", "range", t => t.ServerName = "a\0b"),
        WrongTls("server_name", "range", t => t.ServerName = "bücher.example"),
        WrongTls("server_name", "range", t => t.ServerName = "a b"),
        WrongTls("insecure", "conflict", t => t.Insecure = true),
        WrongTls("ca", "range", t => t.Ca = ByteString.CopyFrom(new byte[(1 << 20) + 1])),
        WrongTls("certificate", "range", t => t.Certificate = ByteString.CopyFrom(new byte[(1 << 20) + 1])),
        WrongTls("key", "range", t => t.Key = ByteString.CopyFrom(new byte[(1 << 20) + 1])),
        WrongTls("key", "required", t => t.Key = ByteString.Empty),
        WrongTls("certificate", "required", t => t.Certificate = ByteString.Empty),
        WrongTls("alpn", "range", t => t.Alpn.Add("")),
        WrongTls("alpn", "range", t => t.Alpn.Add(new string('a', 256))),
        WrongTls("alpn", "range", t => t.Alpn.Add("é")),
        WrongTls("alpn", "range", t => t.Alpn.Add(Enumerable.Repeat("x", 17))),
        WrongTls("ciphers", "range", t => t.Ciphers = new string('A', 4097)),
        WrongTls("ciphers", "range", t => t.Ciphers = "A\nB"),
        WrongTls("cipher_suites", "range", t => t.CipherSuites = "A\u001b[2J"),
        WrongTls("groups", "range", t => t.Groups = new string('A', 100_000)),
        WrongTls("resume", "range", t => t.Resume = -0.01),
        WrongTls("resume", "range", t => t.Resume = 1.01),
        WrongTls("resume", "range", t => t.Resume = double.NaN),
        Wrong("transport.tls.release_idle", "conflict", a => a.Workload.ExpectGreeting = true),
        WrongProxy("version", "range", p => p.Version = 0),
        WrongProxy("version", "range", p => p.Version = 3),
        WrongProxy("version", "range", p => p.Version = uint.MaxValue),
        WrongProxy("clients.first", "address", p => p.Clients.First = ByteString.CopyFrom(1, 2, 3, 4, 5)),
        WrongProxy("clients.count", "range", p => p.Clients.Count = 0),
        WrongProxy("clients.count", "range", p => p.Clients = WireSamples.Range(255, 255, 255, 0, 1000)),
        WrongTcp("keepalive", "range", t => t.Keepalive = new()),
        WrongTcp("keepalive", "range", t => t.Keepalive = new() { Seconds = 32_768 }),
        WrongTcp("keepalive", "range", t => t.Keepalive = new() { Seconds = 1, Nanos = 500_000_000 }),
        WrongTcp("keepalive", "range", t => t.Keepalive = new() { Seconds = -1 }),
        WrongTcp("keepalive", "range", t => t.Keepalive = new() { Seconds = long.MaxValue }),
        WrongTcp("user_timeout", "range", t => t.UserTimeout = new()),
        WrongTcp("user_timeout", "range", t => t.UserTimeout = new() { Nanos = 500_000 }),
        WrongTcp("user_timeout", "range", t => t.UserTimeout = new() { Seconds = 25 * 86_400 }),
        WrongTcp("send_buffer", "range", t => t.SendBuffer = uint.MaxValue),
        WrongTcp("receive_buffer", "range", t => t.ReceiveBuffer = (uint)int.MaxValue + 1),
        WrongChurn("spread", "range", c => c.Spread = (LifetimeSpread)7),
        WrongChurn("longest_lifetime", "order", c => (c.Spread, c.LongestLifetime) = (LifetimeSpread.Uniform, new() { Nanos = 500_000 })),
        WrongChurn("longest_lifetime", "range", c => c.Spread = LifetimeSpread.Uniform),
        WrongHttp("method", "http", h => h.Method = ""),
        WrongHttp("method", "http", h => h.Method = "GET /\r\n"),
        WrongHttp("method", "http", h => h.Method = "CONNECT"),
        WrongHttp("path", "http", h => h.Path = ""),
        WrongHttp("path", "http", h => h.Path = "/a b"),
        WrongHttp("path", "http", h => h.Path = "/ HTTP/1.1\r\nX: y"),
        WrongHttp("host", "http", h => h.Host = "a\r\nb"),
        WrongHttp("host", "http", h => h.Host = new string('h', 300)),
        WrongHttp("fields[0].name", "http", h => h.Fields.Add(new HttpField { Name = "A B", Value = "x" })),
        WrongHttp("fields[0].name", "http", h => h.Fields.Add(new HttpField { Name = "content-length", Value = "1" })),
        WrongHttp("fields[0].value", "http", h => h.Fields.Add(new HttpField { Name = "A", Value = "x\r\nY: z" })),
        WrongHttp("expected[0]", "range", h => h.Expected.Add(new StatusRange { First = 99, Last = 200 })),
        WrongHttp("expected[0]", "range", h => h.Expected.Add(new StatusRange { First = 300, Last = 200 })),
        WrongHttp("expected", "count", h => h.Expected.Add(Enumerable.Repeat(new StatusRange { First = 200, Last = 200 }, 101))),
        WrongHttp("requests_per_connection", "range", h => h.RequestsPerConnection = ulong.MaxValue),
        WrongHttp("timeout", "range", h => h.Timeout = null),
        WrongHttp("load", "required", h => h.Load = null),
        WrongHttp("load", "required", h => h.Load = new()),
        WrongHttp("load.requests_per_second", "range", h => h.Load = new() { RequestsPerSecond = double.NaN }),
        WrongHttp("load.requests_per_second", "range", h => h.Load = new() { RequestsPerSecond = -1 }),
        WrongHttp("load.requests_per_second", "range", h => h.Load = new() { RequestsPerSecond = 1e10 }),
        WrongHttp("load.think_time", "range", h => h.Load = new() { ThinkTime = new() { Seconds = -1 } }),
        WrongHttp("load.every", "range", h => h.Load = new() { Every = new() }),
        Wrong("workload.echo.size", "range", a => a.Workload.Echo = new() { Size = 0 }),
        Wrong("workload.echo.size", "range", a => a.Workload.Echo = new() { Size = uint.MaxValue }),
        WrongMix("", "count", m => m.Shares.Clear()),
        WrongMix("", "count", m => m.Shares.Add(Enumerable.Repeat(m.Shares[0], 20))),
        WrongMix("[0].weight", "range", m => m.Shares[0].Weight = 0),
        WrongMix("[1].weight", "range", m => m.Shares[1].Weight = uint.MaxValue),
        WrongMix("[0]", "capability", m => m.Shares[0].ClearKind()),
        WrongMix("", "count", m => Array.ForEach([m.Shares[0], m.Shares[1]], s => s.Http = Http(new() { RequestsPerSecond = 5 }))),
    ];

    [TestCaseSource(nameof(_wrong))]
    public void AWrongField_IsRefusedByItsNameAndRule(string field, string rule, Action<Assignment> spoil)
    {
        var message = Message();
        spoil(message);

        var refusal = Assert.Throws<WireException>(() => Take(message))!;

        Assert.That((refusal.Field, refusal.Rule), Is.EqualTo((field, rule)), refusal.Message);
        Assert.That(WireTranslation.ToStatus(WireTranslation.ToRefusal(message, refusal, 0)).CalculateSize(), Is.LessThan(10_000), "what refuses a huge message is small");
        Assert.That(refusal.Message.Any(char.IsControl), Is.False, "what came is not shown as it came");
    }

    [Test]
    public void Http_OneBodyForEachOfManyDestinations_IsBounded()
    {
        var message = Message();
        message.Workload.Http = Http(new() { ThinkTime = new() });
        message.Workload.Http.Host = "";
        message.Workload.Http.Body = ByteString.CopyFrom(new byte[1 << 20]);
        message.Transport = null;
        message.Destinations[0].Addresses = WireSamples.Range(127, 0, 0, 1, 1);
        message.Destinations[0].Ports = new() { First = 1, Last = 60_000 };

        var refusal = Assert.Throws<WireException>(() => Take(message))!;
        Assert.That((refusal.Field, refusal.Rule), Is.EqualTo(("workload.http.body", "size")));

        message.Workload.Http.Host = "one.example";
        Assert.That(((WorkloadPlan.Http)Take(message).Shares[0].Plan).Requests, Has.Length.EqualTo(1));
    }

    // A oneof that comes twice on the wire: the last one counts, and nothing of the first is left.
    [Test]
    public void Load_ThatComesTwice_IsTheLast()
    {
        var bytes = new RequestLoad { RequestsPerSecond = 5 }.ToByteArray().Concat(new RequestLoad { Every = new() { Seconds = 3 } }.ToByteArray()).ToArray();
        var message = Message();
        message.Workload.Http = Http(RequestLoad.Parser.ParseFrom(bytes));

        Assert.That(Take(message).RequestsPerSecond, Is.Zero);
    }

    [Test]
    public void AnyBytes_AreTakenOrRefusedNeverMore()
    {
        var message = Message();
        message.Workload.Mix = Mix();
        var valid = message.ToByteArray();
        Gen.Select(Gen.Int[0, valid.Length - 1], Gen.Byte).Array[1, 8].Sample(changes =>
        {
            var bytes = (byte[])valid.Clone();
            foreach (var (at, value) in changes)
                bytes[at] = value;
            Assignment spoilt;
            try
            {
                spoilt = Assignment.Parser.ParseFrom(bytes);
            }
            catch (InvalidProtocolBufferException)
            {
                return;
            }

            try
            {
                var taken = Take(spoilt);
                // The next stop: whatever was let through, OpenSSL says yes or no to it, and no more.
                using var maker = new TransportMaker(taken);
            }
            catch (WireException e)
            {
                Assert.That((e.Field, e.Rule), Is.Not.EqualTo(("", "")));
            }
        }, iter: 3000);
    }

    [TestCase("ca", "rubbish")]
    [TestCase("ca", "-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n")]
    [TestCase("certificate", "-----BEGIN CERTIFICATE-----\n")]
    [TestCase("key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")]
    [TestCase("ciphers", "NONSENSE")]
    [TestCase("cipher_suites", "NONSENSE")]
    [TestCase("groups", "NONSENSE")]
    public void Values_ThatOpenSslDoesNotTake_AreRefusedByField(string field, string value)
    {
        using var authority = new TestAuthority();
        using var own = authority.IssueServer("localhost");
        var message = Message();
        var tls = message.Transport.Tls;
        tls.Ca = ByteString.CopyFromUtf8(authority.Certificate);
        tls.Certificate = ByteString.CopyFromUtf8(own.ExportCertificatePem());
        using (var key = System.Security.Cryptography.X509Certificates.ECDsaCertificateExtensions.GetECDsaPrivateKey(own)!)
            tls.Key = ByteString.CopyFromUtf8(key.ExportPkcs8PrivateKeyPem());
        using (var sound = new TransportMaker(Take(message)))
            Assert.That(sound.Refusal, Is.Null);
        var descriptor = Tls.Descriptor.FindFieldByName(field);
        descriptor.Accessor.SetValue(tls, descriptor.FieldType == Google.Protobuf.Reflection.FieldType.Bytes ? ByteString.CopyFromUtf8(value) : value);

        using var maker = new TransportMaker(Take(message));

        Assert.That(maker.Refusal, Is.Not.Null);
        Assert.That((maker.Refusal!.Field, maker.Refusal.Rule), Is.EqualTo(($"transport.tls.{field}", "tls")));
        Assert.That(maker.Refusal.Message, Does.Contain("wanted").Or.Contain("names"));
    }

    private static LoadHarness.Agent.Assignments.Assignment Take(Assignment message) => WireTranslation.ToAssignment(message, _grant);

    private static Assignment Message()
    {
        var message = WireSamples.Assignment();
        message.Workload.ExpectGreeting = false;
        message.Transport = new()
        {
            Tls = new()
            {
                Lowest = TlsVersion.V12,
                Highest = TlsVersion.V13,
                ServerName = "www.example.com",
                Ca = ByteString.CopyFromUtf8("ca"),
                Certificate = ByteString.CopyFromUtf8("cert"),
                Key = ByteString.CopyFromUtf8("key"),
                Alpn = { "h2", "http/1.1" },
                Ciphers = "ECDHE+AESGCM",
                CipherSuites = "TLS_AES_128_GCM_SHA256",
                Groups = "X25519:P-256",
                Resume = 0.3,
                ReleaseIdle = true,
                QuietShutdown = true,
            },
            ProxyProtocol = new() { Version = 2, Clients = WireSamples.Range(10, 0, 0, 1, 1 << 21) },
            Tcp = new()
            {
                Nodelay = true,
                Keepalive = new() { Seconds = 60 },
                SendBuffer = 4096,
                ReceiveBuffer = 8192,
                UserTimeout = new() { Seconds = 1, Nanos = 500_000_000 },
            },
        };
        return message;
    }

    private static Http Http(RequestLoad load) => new() { Method = "GET", Path = "/", Host = "x", Load = load, Timeout = new() { Seconds = 5 } };

    private static Mix Mix() => new()
    {
        Shares =
        {
            new WorkloadShare { Weight = 80, Hold = new() },
            new WorkloadShare { Weight = 15, Http = Http(new() { RequestsPerSecond = 100 }) },
            new WorkloadShare { Weight = 5, Churn = new() { Lifetime = new() { Seconds = 1 }, Close = CloseMethod.Fin } },
        },
    };

    private static TestCaseData WrongTls(string field, string rule, Action<Tls> spoil) => Wrong($"transport.tls.{field}", rule, a => spoil(a.Transport.Tls));

    private static TestCaseData WrongProxy(string field, string rule, Action<ProxyProtocol> spoil) =>
        Wrong($"transport.proxy_protocol.{field}", rule, a => spoil(a.Transport.ProxyProtocol));

    private static TestCaseData WrongTcp(string field, string rule, Action<TcpOptions> spoil) => Wrong($"transport.tcp.{field}", rule, a => spoil(a.Transport.Tcp));

    private static TestCaseData WrongChurn(string field, string rule, Action<Churn> spoil) => Wrong($"workload.churn.{field}", rule,
        a => spoil(a.Workload.Churn = new() { Lifetime = new() { Seconds = 1 }, Close = CloseMethod.Fin }));

    private static TestCaseData WrongHttp(string field, string rule, Action<Http> spoil) => Wrong($"workload.http.{field}", rule,
        a => spoil(a.Workload.Http = Http(new() { ThinkTime = new Duration() })));

    private static TestCaseData WrongMix(string at, string rule, Action<Mix> spoil) => Wrong($"workload.mix.shares{at}", rule, a => spoil(a.Workload.Mix = Mix()));

    private static TestCaseData Wrong(string field, string rule, Action<Assignment> spoil) => new(field, rule, spoil);
}
