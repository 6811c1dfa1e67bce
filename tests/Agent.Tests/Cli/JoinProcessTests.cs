using LoadHarness.Agent.Tests.Link;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;
using LoadHarness.V1;

namespace LoadHarness.Agent.Tests.Cli;

/// <summary>The agent as its user starts it: what it says, how it ends, and what it leaves in its folder.</summary>
public sealed class JoinProcessTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(60);

    private readonly TestAuthority _authority = new();
    private ScriptedCoordinator _coordinator = null!;
    private DirectoryInfo _directory = null!;

    private string State => Path.Combine(_directory.FullName, "state");

    private string Url => $"https://127.0.0.1:{_coordinator.TlsPort}";

    [SetUp]
    public async Task SetUp()
    {
        (_coordinator, _directory) = (new() { Certificate = _authority.IssueServer("127.0.0.1") }, Directory.CreateTempSubdirectory("lh-join-"));
        Write("ca.pem", _authority.Certificate);
        Write("token", "join-me\n");
        await _coordinator.StartAsync();
    }

    [TearDown]
    public async Task TearDown()
    {
        await _coordinator.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    [OneTimeTearDown]
    public void DisposeAuthority() => _authority.Dispose();

    [Test]
    public async Task Join_Restarted_IsTheSameAgentWithoutAToken()
    {
        await using (var first = Start("--ca", Of("ca.pem"), "--join-token-file", Of("token"), "--id", "load-7", "--role", "backend"))
        {
            await first.WaitForLineAsync($"Attached to {Url} as load-7", _patience);
            first.Send(Signal.Terminate);
            Assert.That(await first.WaitForExitAsync(_patience), Is.Zero);
        }

        File.Delete(Of("token"));
        await using var second = Start("--ca", Of("ca.pem"), "--role", "backend");
        await second.WaitForLineAsync("Attached to .* as load-7", _patience);

        Assert.That(_coordinator.Attempts.Select(a => a.Authorization), Is.EqualTo(new[] { "Bearer join-me", null }));
        Assert.That(_coordinator.Attempts.Select(a => a.Key).Distinct().Count(), Is.EqualTo(1));
        Assert.That(_coordinator.Hellos.Select(h => (h.AgentId, h.Role)), Is.All.EqualTo(("load-7", AgentRole.Backend)));
        Assert.That(_coordinator.Goodbyes, Is.EqualTo(new[] { "SIGTERM" }));
    }

    [Test]
    public async Task Join_TheFolderIsInUse_NamesTheProcessThatUsesIt()
    {
        await using var first = Start("--ca", Of("ca.pem"), "--join-token-file", Of("token"));
        await first.WaitForLineAsync("Attached", _patience);

        await EndsAsync(2, $"in use by process {first.Pid}", "--ca", Of("ca.pem"));
    }

    [Test]
    public async Task Join_NobodyListens_SaysSoAndKeepsTrying()
    {
        var port = FreePorts.Range(1);
        await using var agent = Start($"https://127.0.0.1:{port}", "--ca", Of("ca.pem"));

        await agent.WaitForLineAsync($"Cannot attach to https://127.0.0.1:{port}: Connection refused; trying again", _patience);
        agent.Send(Signal.Terminate);

        Assert.That(await agent.WaitForExitAsync(_patience), Is.Zero);
    }

    [Test]
    public async Task Join_RefusedByOneSideOrTheOther_EndsWithCode6()
    {
        using var another = new TestAuthority();
        Write("another.pem", another.Certificate);

        await EndsAsync(6, "--ca FILE", "--ca", Of("another.pem"));
        await EndsAsync(6, "--join-token-file", "--ca", Of("ca.pem"));
        Write("token", "wrong");
        await EndsAsync(6, "this key is not known", "--ca", Of("ca.pem"), "--join-token-file", Of("token"));
    }

    [Test]
    public async Task Join_AFileThatOthersMayRead_EndsWithCode2AndIsLeftAlone()
    {
        await EndsAsync(6, "this key is not known", "--ca", Of("ca.pem"));
        var key = Path.Combine(State, "agent.key");
        var before = File.ReadAllText(key);
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.OtherRead);

        await EndsAsync(2, $"chmod 600 {key}", "--ca", Of("ca.pem"));

        Assert.That(File.ReadAllText(key), Is.EqualTo(before));
        File.Delete(key);
        File.SetUnixFileMode(Of("token"), UnixFileMode.UserRead | UnixFileMode.GroupRead);
        await EndsAsync(2, $"chmod 600 {Of("token")}", "--ca", Of("ca.pem"), "--join-token-file", Of("token"));
    }

    [Test]
    public async Task Join_WrongOptions_AreAllNamedAtOnce()
    {
        var result = await RunAsync("--cert", "x", "--credential-file", "y", "--role", "z", "--max-connections", "1.5", "--max-connect-rate", "0/s");

        Assert.That(result.ExitCode, Is.EqualTo(2));
        foreach (var option in new[] { "--cert and --key", "--credential-file", "--role z", "--max-connections 1.5", "--max-connect-rate 0/s" })
            Assert.That(result.Error, Does.Contain($"loadharness-agent: {option}"));
        Assert.That(Directory.Exists(State), Is.False, "nothing is made before everything is right");
    }

    [Test]
    public async Task Join_RemoteFilesForALocalCoordinator_AreRefused()
    {
        var result = await ProgramProcess.RunAsync(
            new(Programs.JitAgent, "join", $"unix:{_coordinator.SocketPath}", "--state", State, "--ca", Of("ca.pem")), _patience);

        Assert.That((result.ExitCode, result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length), Is.EqualTo((2, 2)));
        Assert.That(result.Error, Does.Contain("wants --credential-file FILE"));
    }

    private async Task EndsAsync(int code, string words, params string[] options)
    {
        var result = await RunAsync(options);
        Assert.That(result.ExitCode, Is.EqualTo(code), result.Error);
        Assert.That(result.Error, Does.StartWith("loadharness-agent: ").And.Contain(words));
        Assert.That(result.Error.TrimEnd().Split('\n'), Has.Length.EqualTo(1));
        Assert.That(result.Error, Does.Not.Contain("join-me"));
    }

    private Task<ProgramResult> RunAsync(params string[] options) => ProgramProcess.RunAsync(Agent([Url, .. options]), _patience);

    private ProgramProcess Start(params string[] options) =>
        ProgramProcess.Start(Agent(options[0].StartsWith("https:", StringComparison.Ordinal) ? options : [Url, .. options]));

    private ProgramStart Agent(string[] arguments) => new ProgramStart(Programs.JitAgent, ["join", .. arguments, "--state", State])
        .With("DOTNET_ROOT", Programs.DotnetRoot);

    private string Of(string name) => Path.Combine(_directory.FullName, name);

    private void Write(string name, string text)
    {
        File.WriteAllText(Of(name), text);
        File.SetUnixFileMode(Of(name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
