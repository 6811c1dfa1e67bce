using System.Net;
using System.Net.Sockets;
using LoadHarness.Agent.Identity;
using LoadHarness.Agent.Link;
using LoadHarness.Agent.Measurement;
using LoadHarness.Agent.Preflight;
using LoadHarness.Agent.Safety;
using Microsoft.Extensions.Logging.Abstractions;
using AgentLink = LoadHarness.Agent.Link.AgentLink;

namespace LoadHarness.Agent.Tests.Link;

/// <summary>The agent's end of the link over real TLS.</summary>
public sealed class TlsLinkTests
{
    private const int PatienceMillis = 60_000;
    private static readonly HostInventory _inventory = HostInventory.Read();

    private readonly TestAuthority _authority = new();
    private ScriptedCoordinator _coordinator = null!;
    private CancellationTokenSource _cancel = null!;
    private DirectoryInfo _directory = null!;
    private AgentLink? _link;
    private Task _running = Task.CompletedTask;
    private bool _enrolled;

    private string CaPath => Path.Combine(_directory.FullName, "ca.pem");

    private string KeyPath => Path.Combine(_directory.FullName, "agent.key");

    [SetUp]
    public void SetUp()
    {
        (_coordinator, _cancel, _directory) = (new(), new(), Directory.CreateTempSubdirectory("lh-tls-"));
        _enrolled = false;
        File.WriteAllText(CaPath, _authority.Certificate);
    }

    [TearDown]
    public async Task TearDown()
    {
        await LeaveAsync();
        _cancel.Dispose();
        await _coordinator.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [OneTimeTearDown]
    public void DisposeAuthority() => _authority.Dispose();

    [Test]
    public async Task RunAsync_TrustedCoordinator_EnrolsWithItsKeyAndTheToken()
    {
        await StartAsync("127.0.0.1");

        Join(token: "join-me");
        await AttachedAsync();

        Assert.That(_coordinator.Attempts.Single().Authorization, Is.EqualTo("Bearer join-me"));
        Assert.That(_enrolled, Is.True);
        Assert.That(_coordinator.Hellos.Single().AgentId, Is.EqualTo("agent-1"));
    }

    [Test]
    public async Task RunAsync_Enrolled_SendsTheTokenNoMoreAndKeepsItsKey()
    {
        await StartAsync("127.0.0.1");
        Join(token: "join-me");
        await AttachedAsync();

        await _coordinator.RestartAsync();
        await AttachedAsync(attempts: 2);
        await LeaveAsync();
        Join(token: "join-me", enrolled: true);
        await AttachedAsync(attempts: 3);

        Assert.That(_coordinator.Attempts.Select(a => a.Authorization), Is.EqualTo(new[] { "Bearer join-me", null, null }));
        Assert.That(_coordinator.Attempts.Select(a => a.Key).Distinct().Count(), Is.EqualTo(1), "the key outlives the process");
    }

    [Test]
    public async Task RunAsync_ForgottenByTheCoordinator_SendsTheTokenAgain()
    {
        await StartAsync("127.0.0.1");

        Join(token: "join-me", enrolled: true);
        await AttachedAsync(attempts: 2);

        Assert.That(_coordinator.Attempts.Select(a => a.Authorization), Is.EqualTo(new[] { null, "Bearer join-me" }));
    }

    [Test]
    public async Task RunAsync_UnknownKeyAndNoToken_IsRefusedWithTheRemedy()
    {
        await StartAsync("127.0.0.1");

        Join(token: null);

        await RefusedAsync("this key is not known", "--join-token-file", "agent-1");
        Assert.That(_enrolled, Is.False);
    }

    [Test]
    public async Task RunAsync_WrongToken_IsRefused()
    {
        await StartAsync("127.0.0.1");

        Join(token: "guess");

        await RefusedAsync("this key is not known");
    }

    [Test]
    public async Task RunAsync_CertificateOfAnotherCa_IsRefusedNamingTheFlag()
    {
        using var another = new TestAuthority();
        _coordinator.Certificate = another.IssueServer("127.0.0.1");
        await _coordinator.StartAsync();

        Join(token: "join-me");

        await RefusedAsync("was issued by \"CN=test CA\"", $"whose key is not in {CaPath}", "--ca FILE");
        Assert.That(_coordinator.Attempts, Is.Empty, "the token was not shown to a stranger");
    }

    [Test]
    public async Task RunAsync_NoCaGiven_TrustsTheSystemOnly()
    {
        await StartAsync("127.0.0.1");

        Join(token: "join-me", ca: false);

        await RefusedAsync("this system does not trust", "--ca FILE");
    }

    [Test]
    public async Task RunAsync_ExpiredCertificate_IsRefusedWithItsTime()
    {
        await StartAsync("127.0.0.1", endsInDays: -2);

        Join(token: "join-me");

        await RefusedAsync("expired at", _coordinator.Certificate!.NotAfter.ToUniversalTime().ToString("yyyy-MM-dd"), "certs issue server");
    }

    [Test]
    public async Task RunAsync_CertificateOfTomorrow_SuspectsTheClock()
    {
        await StartAsync("127.0.0.1", endsInDays: 17);

        Join(token: "join-me");

        await RefusedAsync("is valid from", "set the clock");
    }

    [Test]
    public async Task RunAsync_CertificateForAnotherName_IsRefusedNamingBoth()
    {
        await StartAsync("coordinator.example");

        Join(token: "join-me");

        await RefusedAsync("is for coordinator.example, and not for 127.0.0.1");
    }

    [Test]
    public async Task RunAsync_TlsToAPlaintextPort_SaysWhich()
    {
        await StartAsync("127.0.0.1");

        Join(token: "join-me", $"https://127.0.0.1:{_coordinator.Port}");

        await RefusedAsync("speaks no TLS", $"http://127.0.0.1:{_coordinator.Port}");
    }

    [Test]
    public async Task RunAsync_TlsToSomethingElse_SaysSo()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        _ = Task.Run(async () =>
        {
            while (true)
            {
                using var client = await server.AcceptTcpClientAsync();
                await client.GetStream().WriteAsync("220 mail.example ESMTP\r\n"u8.ToArray());
                await client.GetStream().ReadAtLeastAsync(new byte[1000], 1, throwOnEndOfStream: false);
            }
        });
        await StartAsync("127.0.0.1");

        Join(token: "join-me", $"https://127.0.0.1:{((IPEndPoint)server.LocalEndpoint).Port}");

        await RefusedAsync("answers, but not in TLS");
    }

    [Test]
    public async Task RunAsync_PlaintextToATlsPort_SaysWhich()
    {
        await StartAsync("127.0.0.1");

        Join(token: null, $"http://127.0.0.1:{_coordinator.TlsPort}");

        await RefusedAsync("is a TLS port", $"join https://127.0.0.1:{_coordinator.TlsPort}");
    }

    [Test]
    public async Task RunAsync_CertificateExpiresLater_KeepsTryingUntilItIsRenewed()
    {
        await StartAsync("127.0.0.1");
        Join(token: "join-me");
        await AttachedAsync();

        _coordinator.Certificate = _authority.IssueServer("127.0.0.1", endsInDays: -1);
        await _coordinator.RestartAsync();
        await Task.Delay(1000);
        Assert.That((_coordinator.Attempts.Count, _running.IsCompleted), Is.EqualTo((1, false)));

        _coordinator.Certificate = _authority.IssueServer("127.0.0.1");
        await _coordinator.RestartAsync();
        await AttachedAsync(attempts: 2);
    }

    private async Task StartAsync(string host, int endsInDays = 10)
    {
        _coordinator.Certificate = _authority.IssueServer(host, endsInDays);
        await _coordinator.StartAsync();
    }

    private void Join(string? token, string? url = null, bool enrolled = false, bool ca = true)
    {
        url ??= $"https://127.0.0.1:{_coordinator.TlsPort}";
        Assert.That(CoordinatorAddress.TryParse(url, out var address, out var error), Is.True, error);
        var certificate = AgentCertificate.OfKey(KeyPath);
        var options = new LinkOptions
        {
            Coordinator = address!,
            AgentId = "agent-1",
            Credential = LinkCredential.OfJoinToken(token, enrolled, () => _enrolled = true),
            Tls = new LinkTls(ca ? CaPath : null, () => certificate),
        };
        _cancel.Dispose();
        _cancel = new();
        _link = new AgentLink(options, _inventory, new RecordingRunner(), new(), new CoordinatorClock(), new Lease(), NullLogger<AgentLink>.Instance);
        _running = _link.RunAsync(_cancel.Token);
    }

    private async Task LeaveAsync()
    {
        await _cancel.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _link?.Dispose();
    }

    private async Task AttachedAsync(int attempts = 1)
    {
        await Task.WhenAny(_running, Task.Run(() =>
            Assert.That(() => (_coordinator.Attempts.Count, _coordinator.Heartbeats.IsEmpty), Is.EqualTo((attempts, false)).After(PatienceMillis, 10))));
        if (_running.IsCompleted)
            await _running;
    }

    private async Task RefusedAsync(params string[] words)
    {
        var refusal = await Task.WhenAny(_running, Task.Delay(PatienceMillis)) == _running ? _running.Exception?.InnerException : null;
        Assert.That(refusal, Is.InstanceOf<LinkRefusedException>());
        TestContext.Out.WriteLine(refusal!.Message);
        foreach (var word in words)
            Assert.That(refusal.Message, Does.Contain(word));
        Assert.That(refusal.Message, Does.Not.Contain("\n"));
    }
}
