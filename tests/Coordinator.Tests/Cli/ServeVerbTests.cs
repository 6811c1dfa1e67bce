using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Fleet;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.Fleet;
using LoadHarness.Coordinator.Tests.LocalFleet;
using LoadHarness.Coordinator.Tests.Security;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Cli;

/// <summary>The service from its command line to its end, in this process.</summary>
public sealed class ServeVerbTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private TemporaryDirectory _directory = null!;
    private CliHarness _harness = null!;

    private StateDirectory State => new(_directory.File("state"));

    private string StateFlag => $"--state {State.Path}";

    [SetUp]
    public void SetUp() => (_directory, _harness) = (new(), new());

    [TearDown]
    public void TearDown()
    {
        _harness.Dispose();
        _directory.Dispose();
    }

    [Test]
    public async Task Serve_WithTls_SaysHowToJoinIsFoundByOtherVerbsAndEndsOnRequest()
    {
        CertificateAuthority.Create(State, TimeSpan.FromDays(1), DateTimeOffset.UtcNow);
        TestCertificates.IssueServer(State, DateTimeOffset.UtcNow);

        var (serving, json) = await ServeAsync($"serve --listen 127.0.0.1:0 {StateFlag} --log-level error --json");
        using var other = new CliHarness(_harness);
        var runs = await other.RunAsync("runs list");
        var unknown = await other.RunAsync("agents forget nobody");
        _harness.Interrupts.Raise();
        var code = await serving.WaitAsync(_patience);

        var url = (string?)json["urls"]![0];
        Assert.Multiple(() =>
        {
            Assert.That(url, Does.Match("^https://127.0.0.1:[0-9]+$"));
            Assert.That(_harness.Error, Does.Contain($"loadharness-agent join {url} --ca ca.pem --join-token-file NAME.token"));
            using var authority = new AgentCertificates(State.CaCertificate, TimeProvider.System).Authority();
            Assert.That(_harness.Error, Does.Contain($"SHA-256 {CertificateNames.Fingerprint(authority!)}"));
            Assert.That(runs, Is.EqualTo(ExitCode.Passed), other.Error);
            Assert.That(unknown, Is.EqualTo(ExitCode.Invalid));
            Assert.That(other.Error, Does.Contain("there is no agent `nobody`"));
            Assert.That(code, Is.EqualTo(ExitCode.Passed));
            Assert.That(_harness.Error, Does.Contain("draining"));
            Assert.That(Directory.GetDirectories(_harness.Context.RuntimeRoot.Path), Is.Empty);
        });
    }

    [Test]
    public async Task Serve_StateInUse_IsRefusedNamingTheProcess()
    {
        var (serving, _) = await ServeAsync($"serve {StateFlag} --json");
        using var other = new CliHarness();

        var code = await other.RunAsync($"serve {StateFlag}");
        _harness.Interrupts.Raise();
        await serving.WaitAsync(_patience);

        Assert.That(code, Is.EqualTo(ExitCode.Invalid));
        Assert.That(other.ErrorLines, Has.Length.EqualTo(1));
        Assert.That(other.Error, Does.Contain($"(process {Environment.ProcessId})"));
    }

    [Test]
    public async Task Serve_PlainLoopbackAndSocketOfItsOwn_TakesTheCredentialOfItsStateFolderAndKeepsIt()
    {
        var socket = _directory.File("run/x.sock");
        var (serving, json) = await ServeAsync($"serve --listen 127.0.0.1:0 --socket {socket} {StateFlag} --json");
        var credential = CredentialFile.Read((string)json["credential"]!);
        var endpoint = IPEndPoint.Parse(((string)json["urls"]![0]!)["http://".Length..]);
        using (var plain = SecureClient.OverPlain(endpoint, credential.Value))
        using (var unix = SecureClient.OverSocket(socket, credential.Value))
        {
            Assert.That((await plain.Control.ListRunsAsync(new())).Runs, Is.Empty);
            Assert.That((await unix.Control.ListRunsAsync(new())).Runs, Is.Empty);
        }

        _harness.Interrupts.Raise();
        await serving.WaitAsync(_patience);

        Assert.That((string?)json["credential"], Is.EqualTo(_directory.File("state/credential")));
        Assert.That(_harness.Error, Does.Contain($"loadharness-agent join http://{endpoint} --credential-file"));
        Assert.That(CredentialFile.Read(_directory.File("state/credential")).Matches(credential.Value), Is.True, "agents of this host come back by it");
        Assert.That(File.Exists(_directory.File("run/credential")), Is.False);
    }

    [Test]
    public async Task Serve_SecondRequestToEnd_WaitsForNoRun()
    {
        var (serving, json) = await ServeAsync($"serve {StateFlag} --log-level error --json");
        var credential = CredentialFile.Read((string)json["credential"]!);
        await using var agent = await FakeAgent.DialAsync(
            (string)json["socket"]!, credential, FakeAgent.MakeHello("deaf"), new CoordinatorClock(TimeProvider.System));
        agent.Respond = _ => null;
        using (var client = SecureClient.OverSocket((string)json["socket"]!, credential.Value))
        {
            await client.Control.CreateRunAsync(new() { Spec = new() { Targets = { "127.0.0.1:9" }, Connections = 10, Agents = 1 } });
            while (agent.Assignments.IsEmpty)
                await Task.Delay(10);
        }

        _harness.Interrupts.Raise();
        await Task.Delay(200);
        var waited = !serving.IsCompleted;
        _harness.Interrupts.Raise();

        Assert.That(await serving.WaitAsync(_patience), Is.EqualTo(ExitCode.Passed), _harness.Error);
        Assert.That(waited, Is.True, "the first request waits for the run to drain");
    }

    [TestCase("--listen 0.0.0.0:0", "loadharness certs init")]
    [TestCase("--listen 192.0.2.1:7300 --cert CERT --key KEY", "is not an address of this host")]
    [TestCase("--listen 127.0.0.1:0 --cert CERT --key OPEN", "chmod 600")]
    [TestCase("--listen 127.0.0.1:0 --cert CERT --key /nowhere", "/nowhere")]
    [TestCase("--listen 127.0.0.1:0 --cert KEY --key KEY", "holds no certificate")]
    [TestCase("--socket /tmp/loadharness.sock", "directory /tmp is open to other users")]
    public async Task Serve_CannotStart_SaysWhyInOneLineAndLeavesNothing(string options, string expected)
    {
        var pair = new StateDirectory(_directory.File("pair"));
        CertificateAuthority.Create(pair, TimeSpan.FromDays(1), DateTimeOffset.UtcNow);
        TestCertificates.IssueServer(pair, DateTimeOffset.UtcNow);
        File.Copy(pair.ServerKey, _directory.File("open.key"));
        File.SetUnixFileMode(_directory.File("open.key"), SafeFile.Public);
        options = options.Replace("CERT", pair.ServerCertificate).Replace("KEY", pair.ServerKey).Replace("OPEN", _directory.File("open.key"));

        var code = await _harness.RunAsync($"serve {options} {StateFlag}").WaitAsync(_patience);

        Assert.That(code, Is.EqualTo(ExitCode.Invalid), _harness.Error);
        Assert.That(_harness.ErrorLines, Has.Length.EqualTo(1), _harness.Error);
        Assert.That(_harness.Error, Does.Contain(expected));
        Assert.That(_harness.Context.RuntimeRoot.FindLive(), Is.Empty);
        Assert.That(() => State.Lock().Dispose(), Throws.Nothing, "the state folder is free again");
    }

    [Test]
    public async Task Serve_PortInUse_SaysSo()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var endpoint = taken.LocalEndPoint;

        Assert.That(await _harness.RunAsync($"serve --listen {endpoint} {StateFlag}"), Is.EqualTo(ExitCode.Invalid));
        Assert.That(_harness.ErrorLines, Has.Length.EqualTo(1), _harness.Error);
        Assert.That(_harness.Error, Does.Contain($"{endpoint}").And.Contain("another program listens"));
    }

    [Test]
    public async Task Serve_StoreOfALaterRelease_IsRefusedInWords()
    {
        State.Prepare();
        await File.WriteAllTextAsync(State.Store, "this is no database, and long enough to be looked at as one. " + new string('x', 4096));

        Assert.That(await _harness.RunAsync($"serve {StateFlag} --log-level error"), Is.EqualTo(ExitCode.Invalid), _harness.Error);
        Assert.That(_harness.ErrorLines, Has.Length.EqualTo(1), _harness.Error);
        Assert.That(_harness.Error, Does.Contain(State.Store));
        Assert.That(await File.ReadAllTextAsync(State.Store), Does.StartWith("this is no database"));
    }

    [Test]
    [NonParallelizable]
    public async Task Serve_UnderSystemd_SaysWhenItIsReadyAndWhenItStops()
    {
        var path = _directory.File("notify");
        using var systemd = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        systemd.Bind(new UnixDomainSocketEndPoint(path));
        Environment.SetEnvironmentVariable("NOTIFY_SOCKET", path);
        try
        {
            var (serving, _) = await ServeAsync($"serve {StateFlag} --json");
            var ready = await ReceiveAsync(systemd);
            _harness.Interrupts.Raise();
            await serving.WaitAsync(_patience);

            Assert.That(ready, Does.Contain("READY=1"));
            Assert.That(await ReceiveAsync(systemd), Does.Contain("STOPPING=1"));
        }
        finally
        {
            Environment.SetEnvironmentVariable("NOTIFY_SOCKET", null);
        }
    }

    private async Task<(Task<ExitCode> Serving, JsonNode Json)> ServeAsync(string line)
    {
        var serving = _harness.RunAsync(line);
        var until = Environment.TickCount64 + (long)_patience.TotalMilliseconds;
        while (!_harness.Out.TrimEnd().EndsWith('}') && !serving.IsCompleted && Environment.TickCount64 < until)
            await Task.Delay(10);
        Assert.That(_harness.Out, Is.Not.Empty, _harness.Error);
        return (serving, JsonNode.Parse(_harness.Out)!);
    }

    private static async Task<string> ReceiveAsync(Socket socket)
    {
        var buffer = new byte[1024];
        using var cancel = new CancellationTokenSource(_patience);
        return Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, cancel.Token));
    }
}
