using System.Text.Json.Nodes;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Tests.LocalFleet;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Cli;

/// <summary>Local runs whose agents are scripts: a real coordinator, real children, no connections.</summary>
[NonParallelizable]
public class LocalRunTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private CliHarness _harness = null!;
    private TemporaryDirectory _temporary = null!;

    [SetUp]
    public void SetUp()
    {
        _temporary = new TemporaryDirectory();
        _harness = new CliHarness(InProcessCoordinator.StartAsync);
    }

    [TearDown]
    public void TearDown()
    {
        Environment.SetEnvironmentVariable(AgentProgram.Variable, null);
        _harness.Dispose();
        _temporary.Dispose();
    }

    [Test]
    public async Task Run_AgentDies_EndsAtOnceWithItsLastWords()
    {
        UseAgent("echo 'cannot do this' >&2; exit 3");
        var code = await _harness.RunAsync("run 127.0.0.1:9 -c 10 --json").WaitAsync(_patience);
        Assert.That(code, Is.EqualTo(ExitCode.AgentsLost), _harness.Error);
        Assert.That(_harness.Error,
            Does.Match(@"local-1 \(process \d+\) has ended by itself: exit code 3").And.Contain("  cannot do this"));
        var summary = JsonNode.Parse(_harness.Out)!;
        Assert.That((int?)summary["exitCode"], Is.EqualTo(5));
        Assert.That((string?)summary["run"]!["reason"], Does.Contain("exit code 3"));
        AssertNothingIsLeft();
    }

    [Test]
    public async Task Run_AgentNeverJoins_EndsAfterTheReadyTimeout()
    {
        UseAgent("cat > /dev/null");
        var code = await _harness.RunAsync("run 127.0.0.1:9 -c 10 --ready-timeout 300ms").WaitAsync(_patience);
        Assert.That(code, Is.EqualTo(ExitCode.AgentsLost), _harness.Error);
        Assert.That(_harness.Out, Does.Contain("--ready-timeout"));
        AssertNothingIsLeft();
    }

    [Test]
    public async Task Run_Interrupted_ReportsAndLeavesNoChild()
    {
        UseAgent($"echo $$ > {_temporary.File("pid")}; cat > /dev/null");
        var running = _harness.RunAsync("run 127.0.0.1:9 -c 10 --json");
        Assert.That(() => File.Exists(_temporary.File("pid")), Is.True.After((int)_patience.TotalMilliseconds, 20));
        Assert.That(() => _harness.Error, Does.StartWith("run ").After((int)_patience.TotalMilliseconds, 20));
        _harness.Interrupts.Raise();
        Assert.That(await running.WaitAsync(_patience), Is.EqualTo(ExitCode.Interrupted), _harness.Error);
        Assert.That((string?)JsonNode.Parse(_harness.Out)!["run"]!["state"], Is.EqualTo("stopped").IgnoreCase);
        var pid = (await File.ReadAllTextAsync(_temporary.File("pid"))).Trim();
        Assert.That(Directory.Exists($"/proc/{pid}"), Is.False, "the child is gone when the verb returns");
        AssertNothingIsLeft();
    }

    [Test]
    public async Task Run_Agents_GetNoSecretAndOnlyTheTargetsOfTheRun()
    {
        UseAgent($"echo \"$@\" > {_temporary.File("arguments")}; cat > /dev/null");
        var running = _harness.RunAsync("run 127.0.0.1:9,11-12 -c 10");
        Assert.That(() => File.Exists(_temporary.File("arguments")) ? File.ReadAllText(_temporary.File("arguments")) : "",
            Does.EndWith("\n").After((int)_patience.TotalMilliseconds, 20));
        _harness.Interrupts.Raise();
        await running.WaitAsync(_patience);
        var arguments = await File.ReadAllTextAsync(_temporary.File("arguments"));
        Assert.That(arguments, Does.Match(
            @"^join unix:/\S+/coordinator.sock --id local-1 --credential-file /\S+/credential "
            + @"--allow 127.0.0.1/32:9 --allow 127.0.0.1/32:11-12 --exit-with-parent\n$"));
    }

    private void UseAgent(string body) => Environment.SetEnvironmentVariable(AgentProgram.Variable, _temporary.Script("agent", body));

    private void AssertNothingIsLeft() => Assert.That(Directory.GetDirectories(_harness.Context.RuntimeRoot.Path), Is.Empty);
}
