using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Security;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Cli;

/// <summary>The second terminal: verbs against a real coordinator whose run waits for an agent that never comes.</summary>
public class RunsVerbsTests
{
    private CliHarness _harness = null!;
    private RunDirectory _directory = null!;
    private ILocalCoordinator _coordinator = null!;
    private ControlClient _client = null!;

    [SetUp]
    public async Task SetUp()
    {
        _harness = new CliHarness();
        _directory = RunDirectory.Create(_harness.Context.RuntimeRoot, DateTimeOffset.UtcNow);
        _coordinator = await InProcessCoordinator.StartAsync(_directory.Paths, CancellationToken.None);
        _client = ControlClient.For(_directory.Paths);
    }

    [TearDown]
    public async Task TearDown()
    {
        _client.Dispose();
        await _coordinator.DisposeAsync();
        _directory.Dispose();
        _harness.Dispose();
    }

    [Test]
    public async Task List_TwoRuns_NewestFirst()
    {
        var first = await CreateAsync("first");
        var second = await CreateAsync("second");
        Assert.That(await _harness.RunAsync("runs list"), Is.EqualTo(ExitCode.Passed), _harness.Error);
        var lines = _harness.Out.TrimEnd().Split('\n');
        Assert.That(lines, Has.Length.EqualTo(3));
        Assert.That(lines[0], Does.StartWith("ID "));
        Assert.That(lines[1], Does.StartWith(second.Id).And.EndWith("second").And.Contain("127.0.0.1:9000"));
        Assert.That(lines[2], Does.StartWith(first.Id));
    }

    [Test]
    public async Task List_Json_IsAnArrayAndNothingElse()
    {
        var run = await CreateAsync("trial");
        await _harness.RunAsync("runs list --json");
        var listed = JsonNode.Parse(_harness.Out)!.AsArray().Single()!;
        Assert.That((string?)listed["id"], Is.EqualTo(run.Id));
        Assert.That((string?)listed["name"], Is.EqualTo("trial"));
        Assert.That((long?)listed["connections"], Is.EqualTo(500));
        Assert.That(_harness.Error, Is.Empty);
    }

    [Test]
    public async Task Show_LatestOrByItsBeginning_IsThatRun()
    {
        var run = await CreateAsync("trial");
        Assert.That(await _harness.RunAsync("runs show"), Is.EqualTo(ExitCode.Passed), _harness.Error);
        Assert.That(await _harness.RunAsync($"runs show {run.Id[..^1]}"), Is.EqualTo(ExitCode.Passed), _harness.Error);
        Assert.That(_harness.Out.Split('\n').Count(l => l.StartsWith($"run {run.Id} trial", StringComparison.Ordinal)), Is.EqualTo(2));
    }

    [Test]
    public async Task Show_UnknownRun_NamesThoseThatThereAre()
    {
        var run = await CreateAsync("trial");
        Assert.That(await _harness.RunAsync("runs show nonsense"), Is.EqualTo(ExitCode.Invalid));
        Assert.That(_harness.ErrorLines.Single(), Does.Contain("nonsense").And.Contain(run.Id));
    }

    [Test]
    public async Task Stop_Run_EndsItAndTheWatchers()
    {
        var run = await CreateAsync("trial");
        using var watcher = new CliHarness(_harness);
        var watching = watcher.RunAsync("runs watch --json");
        Assert.That(await _harness.RunAsync("runs stop"), Is.EqualTo(ExitCode.Passed), _harness.Error);
        await watching.WaitAsync(TimeSpan.FromSeconds(60));
        var states = watcher.Out.TrimEnd().Split('\n').Select(l => JsonNode.Parse(l)!).ToList();
        Assert.That(states.Select(s => (string?)s["id"]), Is.All.EqualTo(run.Id));
        Assert.That((string?)states[^1]["state"], Is.EqualTo("stopped"));
        Assert.That((string?)states[^1]["summary"]?["schema"], Is.EqualTo("loadharness/summary/v1"));
    }

    [TestCase("runs stop", "nothing to stop")]
    [TestCase("runs scale 5", "nothing to scale")]
    public async Task Steer_RunThatHasEnded_IsRefused(string line, string expected)
    {
        var run = await CreateAsync("trial");
        await _client.StopRunAsync(run.Id, immediately: true, CancellationToken.None);
        await foreach (var state in _client.WatchRunAsync(run.Id, CancellationToken.None))
            run = state;
        Assert.That(run.HasEnded, Is.True);
        Assert.That(await _harness.RunAsync(line), Is.EqualTo(ExitCode.Invalid));
        Assert.That(_harness.ErrorLines.Single(), Does.Contain(expected));
    }

    [Test]
    public async Task Watch_Interrupted_LeavesTheRunAlone()
    {
        var run = await CreateAsync("trial");
        using var watcher = new CliHarness(_harness);
        var watching = watcher.RunAsync("runs watch");
        watcher.Interrupts.Raise();
        Assert.That(await watching.WaitAsync(TimeSpan.FromSeconds(60)), Is.EqualTo(ExitCode.Interrupted));
        Assert.That((await _client.GetRunAsync(run.Id, CancellationToken.None)).HasEnded, Is.False);
    }

    [Test]
    public async Task AgentsList_NoAgents_HasOnlyItsHeading()
    {
        Assert.That(await _harness.RunAsync("agents list"), Is.EqualTo(ExitCode.Passed), _harness.Error);
        Assert.That(_harness.Out.TrimEnd().Split('\n'), Has.Length.EqualTo(1));
    }

    [Test]
    public async Task Show_WrongCredential_IsUnreachable()
    {
        CredentialFile.Write(_directory.Paths.Credential, Credential.Generate());
        Assert.That(await _harness.RunAsync("runs show"), Is.EqualTo(ExitCode.Unreachable));
        Assert.That(_harness.ErrorLines.Single(), Does.Contain("credential"));
    }

    private Task<RunView> CreateAsync(string name) => _client.CreateRunAsync(
        RunSpecValidator.Validate(
            new RunSpecInput { Name = name, Targets = ["127.0.0.1:9000"], Connections = 500, Agents = 1 }, HostNames.Resolve).Spec!,
        "",
        CancellationToken.None);
}
