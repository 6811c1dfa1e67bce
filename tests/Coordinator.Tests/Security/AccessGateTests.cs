using System.Collections.Concurrent;
using System.Net;
using System.Reflection;
using System.Security.Cryptography.X509Certificates;
using Google.Protobuf.Reflection;
using Grpc.Core;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Protos;
using LoadHarness.V1;

namespace LoadHarness.Coordinator.Tests.Security;

/// <summary>
/// Every method there is, found by reflection in the contract and in the health service, with every kind of credential over every kind of
/// listener: a method that is added later is in here without anybody's doing.
/// </summary>
public sealed class AccessGateTests
{
    private static readonly Access[] _users = [Access.Viewer, Access.Operator];

    /// <summary>Which methods a credential opens; null: it is none, and every call is UNAUTHENTICATED.</summary>
    private static readonly Dictionary<string, Access[]?> _overTls = new()
    {
        ["nothing"] = null,
        ["a wrong token"] = null,
        ["a cut token"] = null,
        ["another scheme"] = null,
        ["an empty token"] = null,
        ["an endless token"] = null,
        ["an expired token"] = null,
        ["the local credential"] = null,
        ["a viewer"] = [Access.Viewer],
        ["an operator"] = _users,
        ["a join token without a key"] = null,
        ["a join token with a key"] = [Access.Agent],
        ["an expired join token with a key"] = null,
        ["an unknown key"] = null,
        ["an unknown key and a wrong token"] = null,
        ["an enrolled key"] = [Access.Agent],
        ["an enrolled key and a wrong token"] = [Access.Agent],
        ["an enrolled key and a viewer"] = [Access.Viewer],
        ["a certificate of the authority"] = [Access.Agent],
        ["a certificate of another authority"] = null,
    };

    private static readonly Dictionary<string, Access[]?> _overPlain = new()
    {
        ["nothing"] = null,
        ["a wrong token"] = null,
        ["an expired token"] = null,
        ["the local credential"] = [.. _users, Access.Agent],
        ["a viewer"] = [Access.Viewer],
        ["an operator"] = _users,
        ["a join token without a key"] = null,
    };

    private readonly ConcurrentDictionary<string, (string? Token, X509Certificate2? Certificate)> _credentials = new();
    private SecureFixture _fixture = null!;
    private CoordinatorHost _plain = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        var many = new RateLimits { CallBurst = 1_000_000, FailureBurst = 1_000_000 };
        _fixture = await SecureFixture.StartAsync(o => o with { Rates = many });
        var state = _fixture.State;
        _plain = await CoordinatorHost.StartAsync(new CoordinatorHostOptions
        {
            SocketPath = _fixture.SocketPath + "2/coordinator.sock",
            CredentialPath = _fixture.CredentialPath + "2",
            StorePath = state.Store + "2",
            State = state with { Path = state.Path + "2" },
            Listen = [new(new(IPAddress.Loopback, 0), "127.0.0.1")],
            Time = _fixture.Time,
            Rates = many,
            Log = _fixture.Log,
        });
        Directory.CreateDirectory(state.Path + "2");
        File.Copy(state.Tokens, state.Path + "2/tokens.json");
    }

    [OneTimeTearDown]
    public async Task StopAsync()
    {
        await _plain.DisposeAsync();
        await _fixture.DisposeAsync();
    }

    public static IEnumerable<MethodDescriptor> Methods()
    {
        var contract = typeof(Protocol).Assembly.GetTypes()
            .Where(t => t.Namespace == typeof(Control).Namespace)
            .Select(t => t.GetProperty("Descriptor", BindingFlags.Public | BindingFlags.Static)?.GetValue(null))
            .OfType<FileDescriptor>();
        return contract.Append(Grpc.Health.V1.HealthReflection.Descriptor).SelectMany(f => f.Services).SelectMany(s => s.Methods);
    }

    private static IEnumerable<TestCaseData> Calls(Dictionary<string, Access[]?> credentials) =>
        from method in Methods()
        from credential in credentials.Keys
        select new TestCaseData(method, credential).SetArgDisplayNames($"{method.Service.Name}.{method.Name}", credential);

    private static IEnumerable<TestCaseData> TlsCalls() => Calls(_overTls);

    private static IEnumerable<TestCaseData> PlainCalls() => Calls(_overPlain);

    [Test]
    public void Methods_All_AreFoundAndSayWhoMayCallThem()
    {
        var names = Methods().Select(m => m.FullName).ToList();
        Assert.That(names, Does.Contain("loadharness.v1.Control.CreateRun").And.Contain("loadharness.v1.AgentLink.Upload")
            .And.Contain("grpc.health.v1.Health.Check"));
        Assert.That(Methods().Where(m => Demanded(m) == Access.Unspecified), Is.Empty);
    }

    [TestCaseSource(nameof(TlsCalls))]
    public async Task Call_OverTls_IsLetThroughOnlyForWhomItIsOpen(MethodDescriptor method, string credential)
    {
        var (token, certificate) = await CredentialAsync(credential);
        var status = await _fixture.Dial(token, certificate).CallAsync(method);
        AssertStatus(status, method, _overTls[credential]);
    }

    [TestCaseSource(nameof(PlainCalls))]
    public async Task Call_OverPlainLoopback_IsLetThroughOnlyForWhomItIsOpen(MethodDescriptor method, string credential)
    {
        var token = credential == "the local credential" ? CredentialFile.Read(_fixture.CredentialPath + "2").Value : (await CredentialAsync(credential)).Token;
        using var client = SecureClient.OverPlain(_plain.Addresses[0].Endpoint, token);
        AssertStatus(await client.CallAsync(method), method, _overPlain[credential]);
    }

    [TestCaseSource(nameof(PlainCalls))]
    public async Task Call_OverTheSocket_IsLetThroughOnlyForWhomItIsOpen(MethodDescriptor method, string credential)
    {
        var (token, _) = await CredentialAsync(credential);
        AssertStatus(await _fixture.DialSocket(token).CallAsync(method), method, _overPlain[credential]);
    }

    [Test]
    public async Task Call_MethodThatIsInNoContract_IsOpenToNobody()
    {
        var empty = Marshallers.Create<byte[]>(b => b, b => b);
        var unknown = new Method<byte[], byte[]>(MethodType.Unary, "loadharness.v1.Control", "DropEverything", empty, empty);

        var status = await _fixture.DialSocket(_fixture.Local.Value).CallAsync(unknown);

        Assert.That(status.StatusCode, Is.EqualTo(StatusCode.Unimplemented));
    }

    [Test]
    public async Task Call_Refused_SaysWhatToDoAndNoSecret()
    {
        var list = Methods().Single(m => m.Name == "ListRuns");
        var create = Methods().Single(m => m.Name == "CreateRun");
        var nobody = await _fixture.Dial().CallAsync(list);
        var viewer = await _fixture.Dial(_fixture.Viewer).CallAsync(create);
        var expired = await _fixture.Dial((await CredentialAsync("an expired token")).Token).CallAsync(list);
        var socket = await _fixture.DialSocket(null).CallAsync(list);
        var key = await _fixture.Dial(null, TestCertificates.SelfSigned(_fixture.Now)).CallAsync(Methods().Single(m => m.Name == "Attach"));

        Assert.Multiple(() =>
        {
            Assert.That(nobody.Detail, Does.Contain("loadharness tokens create"));
            Assert.That(viewer.Detail, Does.Contain("token `viewer` has the role viewer").And.Contain("give a token of the role operator").And.Not.Contain(_fixture.Viewer));
            Assert.That(expired.Detail, Does.Contain("token `old` expired at 2026-03-04 05:06:07Z").And.Contain("loadharness tokens create"));
            Assert.That(socket.Detail, Does.Contain(_fixture.CredentialPath));
            Assert.That(key.Detail, Does.Contain("not enrolled").And.Contain("--role agent"));
        });
    }

    [Test]
    public async Task Call_NoCredential_IsRefusedBeforeItsMessageIsThere()
    {
        using var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true },
        });
        using var request = new HttpRequestMessage(HttpMethod.Post, $"https://127.0.0.1:{_fixture.Port}/loadharness.v1.Control/CreateRun")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new WithheldMessage(),
        };
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));

        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);

        Assert.That(response.Headers.GetValues("grpc-status"), Is.EqualTo([((int)StatusCode.Unauthenticated).ToString()]));
    }

    [Test]
    public async Task Call_RefusedAgainAndAgain_IsCounted()
    {
        await using var fixture = await SecureFixture.StartAsync(o => o with { Rates = new() { CallBurst = 3, CallsPerSecond = 1 } });
        var viewer = fixture.Dial(fixture.Viewer);
        var create = Methods().Single(m => m.Name == "CreateRun");
        var codes = new List<StatusCode>();
        for (var i = 0; i < 50; i++)
            codes.Add((await viewer.CallAsync(create)).StatusCode);

        Assert.That(codes[0], Is.EqualTo(StatusCode.PermissionDenied));
        Assert.That(codes, Has.Some.EqualTo(StatusCode.ResourceExhausted));
    }

    private static void AssertStatus(Status status, MethodDescriptor method, Access[]? opened)
    {
        var expected = opened is null ? StatusCode.Unauthenticated
            : opened.Contains(Demanded(method)) ? (StatusCode?)null
            : StatusCode.PermissionDenied;
        if (expected is not null)
            Assert.That(status.StatusCode, Is.EqualTo(expected), status.Detail);
        else
            Assert.That(status.StatusCode, Is.Not.AnyOf(StatusCode.Unauthenticated, StatusCode.PermissionDenied, StatusCode.Unimplemented,
                StatusCode.Unavailable, StatusCode.Unknown, StatusCode.Internal), status.Detail);
    }

    /// <summary>As the contract says, read by other means than the policy's; the health service is for who may look.</summary>
    private static Access Demanded(MethodDescriptor method) => method.Service.FullName == "grpc.health.v1.Health"
        ? Access.Viewer
        : method.GetOptions()?.GetExtension(AccessExtensions.Access) ?? Access.Unspecified;

    private async Task<(string? Token, X509Certificate2? Certificate)> CredentialAsync(string kind)
    {
        if (!_credentials.TryGetValue(kind, out var known))
            _credentials[kind] = known = await MakeAsync(kind);
        return known;
    }

    private async Task<(string? Token, X509Certificate2? Certificate)> MakeAsync(string kind)
    {
        var (now, state) = (_fixture.Now, _fixture.State);
        switch (kind)
        {
            case "nothing":
                return default;
            case "a wrong token":
                return (Credential.Generate().Value, null);
            case "a cut token":
                return (_fixture.Operator[..^1], null);
            case "another scheme":
                return ("Basic " + _fixture.Operator, null);
            case "an empty token":
                return ("Bearer ", null);
            case "an endless token":
                return (new string('x', 8_000), null);
            case "an expired token":
                return (Expired("old", TokenRole.Operator), null);
            case "the local credential":
                return (_fixture.Local.Value, null);
            case "a viewer":
                return (_fixture.Viewer, null);
            case "an operator":
                return (_fixture.Operator, null);
            case "a join token without a key":
                return (_fixture.Join, null);
            case "a join token with a key":
                return (_fixture.Join, TestCertificates.SelfSigned(now));
            case "an expired join token with a key":
                return (Expired("old-join", TokenRole.Agent), TestCertificates.SelfSigned(now));
            case "an unknown key":
                return (null, TestCertificates.SelfSigned(now));
            case "an unknown key and a wrong token":
                return (Credential.Generate().Value, TestCertificates.SelfSigned(now));
            case "an enrolled key":
                {
                    var certificate = TestCertificates.SelfSigned(now);
                    await _fixture.Dial(_fixture.Join, certificate).AttachAsync(FakeAgent.MakeHello("enrolled"));
                    return (null, certificate);
                }

            case "an enrolled key and a wrong token":
                return (Credential.Generate().Value, (await CredentialAsync("an enrolled key")).Certificate);
            case "an enrolled key and a viewer":
                return (_fixture.Viewer, (await CredentialAsync("an enrolled key")).Certificate);
            case "a certificate of the authority":
                return (null, TestCertificates.Agent(state, "certified", now));
            case "a certificate of another authority":
                {
                    var other = state with { Path = state.Path + "-other" };
                    if (!File.Exists(other.CaKey))
                        CertificateAuthority.Create(other, TimeSpan.FromDays(30), now);
                    return (null, TestCertificates.Agent(other, "certified", now));
                }

            default:
                throw new ArgumentException(kind);
        }
    }

    private string Expired(string name, TokenRole role) => _fixture.AddToken(name, role, TimeSpan.Zero);

    /// <summary>Announces a message of 4 MB and sends nothing of it.</summary>
    private sealed class WithheldMessage : HttpContent
    {
        public WithheldMessage() => Headers.ContentType = new("application/grpc");

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(new byte[] { 0, 0, 64, 0, 0 }, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
