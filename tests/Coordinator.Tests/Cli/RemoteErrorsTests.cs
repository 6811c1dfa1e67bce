using System.Net;
using System.Net.Sockets;
using System.Text;
using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Verdicts;
using LoadHarness.TestKit.Networks;

namespace LoadHarness.Coordinator.Tests.Cli;

/// <summary>Everything that stands between a user and a coordinator: one message with its remedy, and the right exit code.</summary>
public sealed class RemoteErrorsTests
{
    private CliHarness _cli = null!;

    [SetUp]
    public void SetUp() => _cli = new CliHarness();

    [TearDown]
    public void TearDown() => _cli.Dispose();

    [Test]
    public async Task Verb_EverythingRight_IsServed()
    {
        await using var fixture = await RemoteFixture.StartAsync();

        Assert.That(await _cli.RunAsync($"runs list {fixture.Options}"), Is.EqualTo(ExitCode.Passed), _cli.Error);
        Assert.That(_cli.Error, Is.Empty);
    }

    [Test]
    public async Task Verb_EverythingByEnvironment_IsServed()
    {
        await using var fixture = await RemoteFixture.StartAsync();
        _cli.Variables[CoordinatorOptions.UrlVariable] = fixture.Url;
        _cli.Variables[CoordinatorOptions.CaVariable] = fixture.State.CaCertificate;
        _cli.Variables[CoordinatorOptions.TokenVariable] = File.ReadAllText(fixture.Token("v", TokenRole.Viewer));

        Assert.That(await _cli.RunAsync("agents list --json"), Is.EqualTo(ExitCode.Passed), _cli.Error);
        Assert.That(_cli.Out.Trim(), Is.EqualTo("[]"));
    }

    [Test]
    public async Task Verb_UnixSocket_TakesTheCredentialBesideIt()
    {
        await using var fixture = await RemoteFixture.StartAsync();

        Assert.That(await _cli.RunAsync($"runs list --coordinator unix:{fixture.Socket}"), Is.EqualTo(ExitCode.Passed), _cli.Error);
    }

    [Test]
    public async Task Verb_PlainLoopback_TakesTheGeneratedCredential()
    {
        await using var fixture = await RemoteFixture.StartAsync(tls: false);

        Assert.That(
            await _cli.RunAsync($"runs list --coordinator {fixture.Url} --token-file {fixture.Credential}"), Is.EqualTo(ExitCode.Passed), _cli.Error);
    }

    [Test]
    public async Task Verb_NobodyListens_NamesTheAddress()
    {
        var url = $"https://127.0.0.1:{FreePorts.Range(1)}";
        _cli.Variables[CoordinatorOptions.TokenVariable] = "secret";

        await AssertFailsAsync($"runs list --coordinator {url}", ExitCode.Unreachable, url, "nobody listens", "loadharness serve");
    }

    [Test]
    public async Task Verb_NoSuchSocket_NamesIt() =>
        await AssertFailsAsync("runs list --coordinator unix:/nowhere/c.sock", ExitCode.Unreachable, "/nowhere/c.sock", "loadharness serve");

    [Test]
    public async Task Verb_UnknownName_NamesIt()
    {
        _cli.Variables[CoordinatorOptions.TokenVariable] = "secret";

        await AssertFailsAsync("runs list --coordinator https://no-such-host.invalid:7300", ExitCode.Unreachable, "no-such-host.invalid", "not known here");
    }

    [Test]
    public async Task Verb_PlaintextToTls_SaysWhichToUse()
    {
        await using var fixture = await RemoteFixture.StartAsync();
        var url = fixture.Url.Replace("https", "http", StringComparison.Ordinal);

        await AssertFailsAsync(
            $"runs list --coordinator {url} --token-file {fixture.Token("v", TokenRole.Viewer)}", ExitCode.Unreachable, url, "https://", "--ca FILE");
    }

    [TestCase("\u0015\u0003\u0001\0\u0002\u0002\u0046", true)]
    [TestCase("\u0015\u0003\u0001\0\u0002\u0002\u0046", false)]
    [TestCase("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", true)]
    [TestCase("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", false)]
    [TestCase("", true)]
    public async Task Verb_PlaintextToWhatIsNoCoordinator_SaysWhichToUse(string answer, bool ends)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var url = $"http://{listener.LocalEndpoint}";
        _cli.Variables[CoordinatorOptions.TokenVariable] = "secret";
        var serving = AnswerEachAsync(listener, answer, ends);

        await AssertFailsAsync($"runs list --coordinator {url}", ExitCode.Unreachable, url, "https://", "--ca FILE");

        listener.Stop();
        await serving;
    }

    [Test]
    public async Task Verb_TlsToPlaintext_SaysWhichToUse()
    {
        await using var fixture = await RemoteFixture.StartAsync(tls: false);
        var url = fixture.Url.Replace("http", "https", StringComparison.Ordinal);

        await AssertFailsAsync(
            $"runs list --coordinator {url} --token-file {fixture.Credential}", ExitCode.Unreachable, url, "not in TLS", fixture.Url);
    }

    [Test]
    public async Task Verb_AuthorityOfAnother_SaysWhoIssuedIt()
    {
        await using var fixture = await RemoteFixture.StartAsync();
        await using var other = await RemoteFixture.StartAsync();

        await AssertFailsAsync(
            $"runs list --coordinator {fixture.Url} --ca {other.State.CaCertificate} --token-file {fixture.Token("v", TokenRole.Viewer)}",
            ExitCode.Unreachable, fixture.Url, "issued by \"CN=LoadHarness CA", other.State.CaCertificate, "--ca FILE");
    }

    [Test]
    public async Task Verb_NoAuthority_IsNotTrusted()
    {
        await using var fixture = await RemoteFixture.StartAsync();

        await AssertFailsAsync(
            $"runs list --coordinator {fixture.Url} --token-file {fixture.Token("v", TokenRole.Viewer)}",
            ExitCode.Unreachable, "this system does not trust", "--ca FILE");
    }

    [Test]
    public async Task Verb_CertificateForOtherNames_SaysWhichItHas()
    {
        await using var fixture = await RemoteFixture.StartAsync(hosts: ["lb.example", "10.1.2.3"]);

        await AssertFailsAsync($"runs list {fixture.Options}", ExitCode.Unreachable, "lb.example, 10.1.2.3", "not for 127.0.0.1", "certs issue server");
    }

    [Test]
    public async Task Verb_NoToken_SaysHowToNameOne()
    {
        await using var fixture = await RemoteFixture.StartAsync();

        await AssertFailsAsync(
            $"runs list --coordinator {fixture.Url} --ca {fixture.State.CaCertificate}", ExitCode.Unreachable,
            "--token-file FILE", "$LOADHARNESS_TOKEN_FILE", "tokens create");
    }

    [Test]
    public async Task Verb_WrongToken_IsRefusedWithoutShowingIt()
    {
        await using var fixture = await RemoteFixture.StartAsync();
        var secret = Credential.Generate().Value;

        await AssertFailsAsync(
            $"runs list --coordinator {fixture.Url} --ca {fixture.State.CaCertificate} --token-file {fixture.Secret("wrong", secret)}",
            ExitCode.Unreachable, fixture.Url, "wrong credential", "tokens create");
        Assert.That(_cli.Error, Does.Not.Contain(secret));
    }

    [Test]
    public async Task Verb_ExpiredToken_SaysWhen()
    {
        await using var fixture = await RemoteFixture.StartAsync();
        var token = fixture.Token("old", TokenRole.Viewer, DateTimeOffset.UtcNow.AddDays(-1));

        await AssertFailsAsync(
            $"runs list --coordinator {fixture.Url} --ca {fixture.State.CaCertificate} --token-file {token}",
            ExitCode.Unreachable, "`old` expired at", "tokens create");
    }

    [Test]
    public async Task Verb_RoleTooLow_NamesTheOneNeeded()
    {
        await using var fixture = await RemoteFixture.StartAsync();

        await AssertFailsAsync(
            $"run 127.0.0.1:9 -c 5 --coordinator {fixture.Url} --ca {fixture.State.CaCertificate} --token-file {fixture.Token("v", TokenRole.Viewer)}",
            ExitCode.Unreachable, "token `v` has the role viewer", "role operator");
    }

    [TestCase("coordinator:7300", "https://HOST:PORT")]
    [TestCase("ftp://coordinator:7300", "https://HOST:PORT")]
    [TestCase("http://10.0.0.1:7300", "plain http would show the token")]
    [TestCase("https://user:secret@coordinator:7300", "belongs into a file")]
    [TestCase("https://coordinator:7300/runs", "more than a host and a port")]
    [TestCase("unix:", "names no socket")]
    public async Task Verb_AddressIsNone_IsInvalid(string url, string why)
    {
        foreach (var line in new[] { $"runs list --coordinator {url}", $"agents list --coordinator {url}", $"runs scale 5 --coordinator {url}" })
        {
            using var cli = new CliHarness();
            Assert.That(await cli.RunAsync(line), Is.EqualTo(ExitCode.Invalid));
            Assert.That(cli.ErrorLines[0], Does.Contain("--coordinator").And.Contain(why));
        }

        _cli.Variables[CoordinatorOptions.UrlVariable] = url;
        await AssertFailsAsync("runs show", ExitCode.Invalid, "$LOADHARNESS_COORDINATOR", why);
    }

    [Test]
    public async Task Verb_TokenFileOthersMayRead_IsRefusedWithTheRemedy()
    {
        await using var fixture = await RemoteFixture.StartAsync();
        var token = fixture.Token("v", TokenRole.Viewer);
        File.SetUnixFileMode(token, SafeFile.OwnerOnly | UnixFileMode.OtherRead);

        await AssertFailsAsync(
            $"runs list --coordinator {fixture.Url} --token-file {token}", ExitCode.Invalid, token, $"chmod 600 {token}");
    }

    [TestCase("--ca /nowhere/ca.pem", "/nowhere/ca.pem")]
    [TestCase("--token-file /nowhere/token", "/nowhere/token")]
    [TestCase("--ca /etc/hostname", "holds no certificate")]
    public async Task Verb_FileCannotBeUsed_IsInvalid(string option, string why)
    {
        _cli.Variables[CoordinatorOptions.TokenVariable] = "secret";

        await AssertFailsAsync($"runs list --coordinator https://127.0.0.1:1 {option}", ExitCode.Invalid, why);
    }

    [TestCase("two words")]
    [TestCase("")]
    public async Task Verb_TokenFileHoldsNone_IsInvalid(string content)
    {
        await using var fixture = await RemoteFixture.StartAsync();

        await AssertFailsAsync(
            $"runs list --coordinator {fixture.Url} --token-file {fixture.Secret("odd", content)}", ExitCode.Invalid, "holds no token");
    }

    private async Task AssertFailsAsync(string line, ExitCode code, params string[] words)
    {
        Assert.That(await _cli.RunAsync(line), Is.EqualTo(code), _cli.Error);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_cli.ErrorLines, Has.Length.EqualTo(1), _cli.Error);
            foreach (var word in words)
                Assert.That(_cli.Error, Does.Contain(word));
            Assert.That(_cli.Error, Does.Not.Contain("Exception"));
            Assert.That(_cli.Out, Is.Empty);
        }
    }

    // Ends when the listener does.
    private static async Task AnswerEachAsync(TcpListener listener, string answer, bool ends)
    {
        var accepted = new List<Socket>();
        try
        {
            while (true)
            {
                var peer = await listener.AcceptSocketAsync();
                accepted.Add(peer);
                await peer.ReceiveAsync(new byte[4096]);
                await peer.SendAsync(Encoding.Latin1.GetBytes(answer));
                if (ends)
                    peer.Shutdown(SocketShutdown.Send);
            }
        }
        // ObjectDisposedException; or no more than "not listening", when the listener ended between two calls.
        catch (Exception e) when (e is SocketException or InvalidOperationException)
        {
            accepted.ForEach(peer => peer.Dispose());
        }
    }
}
