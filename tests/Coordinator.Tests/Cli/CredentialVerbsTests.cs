using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Tests.LocalFleet;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Cli;

/// <summary>The verbs that make tokens and certificates: what lands where, what is said, what is left alone.</summary>
public sealed class CredentialVerbsTests
{
    private TemporaryDirectory _directory = null!;

    private StateDirectory State => new(_directory.File("state"));

    [SetUp]
    public void SetUp() => _directory = new();

    [TearDown]
    public void TearDown() => _directory.Dispose();

    [Test]
    public async Task TokensCreate_User_WritesTheSecretToAClosedFileAndNowhereElse()
    {
        var (code, output, error) = await RunAsync($"tokens create alice --role operator --out {_directory.File("a")} {StateFlag} --json");

        var secret = (await File.ReadAllTextAsync(_directory.File("a"))).Trim();
        var token = new TokenFile(State.Tokens).Read().Single();
        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(ExitCode.Passed));
            Assert.That(File.GetUnixFileMode(_directory.File("a")), Is.EqualTo(SafeFile.OwnerOnly));
            Assert.That(token.Sha256, Is.EqualTo(Token.HashOf(secret)));
            Assert.That((token.Name, token.Role, token.Expires), Is.EqualTo(("alice", TokenRole.Operator, (DateTimeOffset?)null)));
            Assert.That(output + error + File.ReadAllText(State.Tokens), Does.Not.Contain(secret));
            Assert.That((string?)JsonNode.Parse(output)!["file"], Is.EqualTo(_directory.File("a")));
        });
    }

    [Test]
    public async Task TokensCreate_Agent_ExpiresAndKeepsItsLabels()
    {
        await RunAsync($"tokens create lab --role agent --label zone=a --label rack=7 --out {_directory.File("a")} {StateFlag}");
        await RunAsync($"tokens create lab2 --role agent --expires 90s --out {_directory.File("b")} {StateFlag}");

        var tokens = new TokenFile(State.Tokens).Read();
        Assert.Multiple(() =>
        {
            Assert.That(tokens[0].Expires - tokens[0].Created, Is.EqualTo(TimeSpan.FromHours(24)));
            Assert.That(tokens[0].Labels.Select(l => $"{l.Key}={l.Value}"), Is.EqualTo(new[] { "rack=7", "zone=a" }));
            Assert.That(tokens[1].Expires - tokens[1].Created, Is.EqualTo(TimeSpan.FromSeconds(90)));
        });
    }

    [Test]
    public async Task TokensCreate_FileOrNameIsThere_ChangesNothing()
    {
        await RunAsync($"tokens create alice --role viewer --out {_directory.File("a")} {StateFlag}");
        var before = (await File.ReadAllTextAsync(State.Tokens), await File.ReadAllTextAsync(_directory.File("a")));

        var sameFile = await RunAsync($"tokens create bob --role viewer --out {_directory.File("a")} {StateFlag}");
        var sameName = await RunAsync($"tokens create alice --role viewer --out {_directory.File("b")} {StateFlag}");

        Assert.Multiple(() =>
        {
            Assert.That(sameFile.Code, Is.EqualTo(ExitCode.Invalid));
            Assert.That(sameFile.Error, Does.Contain("is there already"));
            Assert.That(sameName.Code, Is.EqualTo(ExitCode.Invalid));
            Assert.That(sameName.Error, Does.Contain("loadharness tokens revoke alice"));
            Assert.That(File.Exists(_directory.File("b")), Is.False);
            Assert.That((File.ReadAllText(State.Tokens), File.ReadAllText(_directory.File("a"))), Is.EqualTo(before));
        });
    }

    [TestCase("tokens create", "NAME: is missing")]
    [TestCase("tokens create a/b --role viewer", "NAME a/b: is no name")]
    [TestCase("tokens create a", "--role: is missing")]
    [TestCase("tokens create a --role root", "--role root: is no role; allowed: viewer, operator, agent")]
    [TestCase("tokens create a --role agent --expires 0s", "--expires 0s")]
    [TestCase("tokens create a --role agent --label zone", "--label zone: is no label")]
    [TestCase("tokens create a --role viewer --label zone=a", "limits agents, not users")]
    [TestCase("tokens revoke", "NAME: is missing")]
    [TestCase("certs issue server", "--host: is missing")]
    [TestCase("certs issue server --host https://x", "is neither a host name nor an address")]
    [TestCase("certs issue server --host x:80", "is neither a host name nor an address")]
    [TestCase("certs issue agent", "NAME: is missing")]
    [TestCase("certs issue agent ../x", "NAME ../x: is no name")]
    [TestCase("certs init --days 0", "--days 0: is too small")]
    [TestCase("serve --listen 7300", "--listen 7300: is not HOST:PORT")]
    [TestCase("serve --listen ::1:7300", "stands in brackets")]
    [TestCase("serve --listen 127.0.0.1:7300 --listen 127.0.0.1:7300", "is given more than once")]
    [TestCase("serve --cert x", "goes together with --key")]
    [TestCase("serve --lease 1s", "--lease 1s")]
    [TestCase("serve --log-level loud", "--log-level loud: is no level")]
    [TestCase("agents forget", "ID: is missing")]
    public async Task Usage_OneError_NamesItAndMakesNothing(string line, string expected)
    {
        var (code, output, error) = await RunAsync($"{line}{(line.StartsWith("agents") ? "" : " " + StateFlag)}");

        Assert.That(code, Is.EqualTo(ExitCode.Invalid));
        Assert.That(error, Does.Contain(expected));
        Assert.That(output, Is.Empty);
        Assert.That(Directory.Exists(State.Path), Is.False);
    }

    [Test]
    public async Task TokensRevoke_Known_RemovesItAndListShowsTheRest()
    {
        await RunAsync($"tokens create alice --role viewer --out {_directory.File("a")} {StateFlag}");
        await RunAsync($"tokens create lab --role agent --label zone=a --out {_directory.File("b")} {StateFlag}");

        var revoked = await RunAsync($"tokens revoke alice {StateFlag}");
        var again = await RunAsync($"tokens revoke alice {StateFlag}");
        var table = (await RunAsync($"tokens list {StateFlag}")).Output.TrimEnd().Split('\n');
        var json = JsonNode.Parse((await RunAsync($"tokens list --json {StateFlag}")).Output)!.AsArray();

        Assert.Multiple(() =>
        {
            Assert.That(revoked.Code, Is.EqualTo(ExitCode.Passed));
            Assert.That(again.Code, Is.EqualTo(ExitCode.Invalid));
            Assert.That(again.Error, Does.Contain("there is no token `alice`"));
            Assert.That(table, Has.Length.EqualTo(2));
            Assert.That(table[1], Does.StartWith("lab").And.Contain("agent").And.EndWith("zone=a"));
            Assert.That((string?)json.Single()!["name"], Is.EqualTo("lab"));
            Assert.That(json.ToJsonString(), Does.Not.Contain("sha256"));
        });
    }

    [Test]
    public async Task Tokens_CorruptFile_SaysSoAndLeavesItAlone()
    {
        State.Prepare();
        SafeFile.Replace(State.Tokens, "token file", "{ \"tokens\": 7 }", SafeFile.OwnerOnly);

        foreach (var line in new[] { "list", "revoke alice", $"create alice --role viewer --out {_directory.File("a")}" })
        {
            var (code, _, error) = await RunAsync($"tokens {line} {StateFlag}");
            Assert.That(code, Is.EqualTo(ExitCode.Invalid), line);
            Assert.That(error, Does.Contain(State.Tokens).And.Contain("left as it is"), line);
        }

        Assert.That(await File.ReadAllTextAsync(State.Tokens), Is.EqualTo("{ \"tokens\": 7 }"));
        Assert.That(File.Exists(_directory.File("a")), Is.False);
    }

    [Test]
    public async Task Certs_InitIssueList_MakeWhatServeAndAgentsNeed()
    {
        Assert.That((await RunAsync($"certs issue server --host a {StateFlag}")).Error, Does.Contain("loadharness certs init"));
        await RunAsync($"certs init {StateFlag}");
        await RunAsync($"certs issue server --host load.example.com --host 10.0.0.1 --days 10 {StateFlag}");
        var first = await File.ReadAllTextAsync(State.ServerCertificate);
        await RunAsync($"certs issue server --host load.example.com --host 10.0.0.1 --days 10 {StateFlag}");
        var agent = await RunAsync($"certs issue agent load-7 --out {_directory.Path} {StateFlag}");
        var agentAgain = await RunAsync($"certs issue agent load-7 --out {_directory.Path} {StateFlag}");
        var list = await RunAsync($"certs list {StateFlag}");
        var json = JsonNode.Parse((await RunAsync($"certs list --json {StateFlag}")).Output)!.AsArray();
        var initAgain = await RunAsync($"certs init {StateFlag}");

        Assert.Multiple(() =>
        {
            Assert.That(File.ReadAllText(State.ServerCertificate), Is.Not.EqualTo(first), "issuing again replaces");
            Assert.That(CertificateFiles.Of(State)!.Load(DateTimeOffset.UtcNow), Has.Count.EqualTo(1));
            Assert.That(agent.Code, Is.EqualTo(ExitCode.Passed), agent.Error);
            Assert.That(File.GetUnixFileMode(_directory.File("load-7.key")), Is.EqualTo(SafeFile.OwnerOnly));
            Assert.That(agentAgain.Code, Is.EqualTo(ExitCode.Invalid), "keys are not overwritten");
            Assert.That(json.Select(c => (string?)c!["kind"]), Is.EqualTo(new[] { "ca", "server", "agent" }));
            Assert.That(json.Select(c => (string?)c!["state"]), Is.EqualTo(new[] { "valid", "expiring", "valid" }));
            Assert.That(json[1]!["hosts"]!.AsArray().Select(h => (string?)h), Is.EquivalentTo(new[] { "load.example.com", "10.0.0.1" }));
            Assert.That((string?)json[2]!["name"], Is.EqualTo("load-7"));
            Assert.That(list.Error, Does.Contain("expires at").And.Contain("--host load.example.com"));
            Assert.That(initAgain.Code, Is.EqualTo(ExitCode.Invalid));
        });
    }

    private string StateFlag => $"--state {State.Path}";

    private static async Task<(ExitCode Code, string Output, string Error)> RunAsync(string line)
    {
        using var harness = new CliHarness();
        return (await harness.RunAsync(line), harness.Out, harness.Error);
    }
}
