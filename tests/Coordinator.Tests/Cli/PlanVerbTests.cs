using System.Text.Json.Nodes;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Tests.LocalFleet;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Cli;

[NonParallelizable]
public class PlanVerbTests
{
    private CliHarness _harness = null!;

    [SetUp]
    public void SetUp() => _harness = new CliHarness(InProcessCoordinator.StartAsync);

    [TearDown]
    public void TearDown()
    {
        Environment.SetEnvironmentVariable(AgentProgram.Variable, null);
        _harness.Dispose();
    }

    [Test]
    public async Task Plan_HypotheticalFleetThatFits_NeedsNeitherCoordinatorNorAgent()
    {
        Assert.That(await _harness.RunAsync("plan 10.0.0.5:443 -c 800k --agents 14 --sources-per-agent 1"), Is.EqualTo(ExitCode.Passed));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_harness.Out, Does.StartWith("fits         yes: 800,000 connections; up to 845,824 would fit"));
            Assert.That(_harness.Error, Is.Empty);
            Assert.That(Directory.Exists(_harness.Context.RuntimeRoot.Path), Is.False);
        }
    }

    [Test]
    public async Task Plan_HypotheticalFleetThatDoesNotFit_ExitsWithSevenAndJsonAlone()
    {
        var code = await _harness.RunAsync("plan 10.0.0.5:443 -c 2M --agents 14 --sources-per-agent 1 --json");
        Assert.That(code, Is.EqualTo(ExitCode.DoesNotFit));
        Assert.That((bool?)JsonNode.Parse(_harness.Out)!["fits"], Is.False);
        Assert.That(_harness.Error, Is.Empty);
    }

    [TestCase("plan 10.0.0.5:443 -c 5 --sources-per-agent 1", "--agents: is missing")]
    [TestCase("plan 10.0.0.5:443 -c 5 --agents 2 --sources-per-agent 0", "--sources-per-agent 0")]
    [TestCase("plan 10.0.0.5:443 -c 5 --agents 2 --sources-per-agent 1 --sources auto", "cannot stand together")]
    [TestCase("plan 10.0.0.5:443 -c 5 --agents 2 --sources-per-agent 1 --memory lots", "--memory lots")]
    [TestCase("plan 10.0.0.5:443 -c 5 --agents 2 --sources-per-agent 1 --nofile 3", "--nofile 3")]
    [TestCase("plan 10.0.0.5:443 -c 5 --agents none --sources-per-agent 1", "--agents none")]
    [TestCase("plan 10.0.0.5:443 -c 5 --memory 4G", "describes hosts that do not exist")]
    [TestCase("plan 10.0.0.5:443", "--connections: is missing")]
    public async Task Plan_OneError_NamesItAndExitsWithUsage(string line, string expected)
    {
        Assert.That(await _harness.RunAsync(line), Is.EqualTo(ExitCode.Invalid));
        Assert.That(_harness.ErrorLines, Has.Length.EqualTo(2), _harness.Error);
        Assert.That(_harness.ErrorLines[0], Does.Contain(expected));
    }

    [Test]
    public async Task Plan_NameThatMeansNothingHere_CountsAsOneAddress()
    {
        var code = await _harness.RunAsync("plan vip.invalid:443 -c 5 --agents 1 --sources-per-agent 1");
        Assert.That(code, Is.EqualTo(ExitCode.Passed), _harness.Error);
        Assert.That(_harness.Out, Does.Match(@"vip.invalid has no\s+address here"));
    }

    [Test]
    public async Task Plan_LocalAgentDies_SaysItsLastWordsAndLeavesNothing()
    {
        using var temporary = new TemporaryDirectory();
        Environment.SetEnvironmentVariable(AgentProgram.Variable, temporary.Script("agent", "echo 'cannot do this' >&2; exit 3"));
        var code = await _harness.RunAsync("plan 127.0.0.1:9 -c 10");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(code, Is.EqualTo(ExitCode.Unreachable), _harness.Error);
            Assert.That(_harness.Error, Does.Contain("cannot do this").And.Contain("exit code 3"));
            Assert.That(_harness.Out, Is.Empty);
            Assert.That(Directory.GetDirectories(_harness.Context.RuntimeRoot.Path), Is.Empty);
        }
    }

    [Test]
    public async Task Plan_OfAFleet_AsksItsAgentsAndStartsNothing()
    {
        await using var fleet = await RemoteFixture.StartAsync();
        await fleet.AttachAsync("a");

        var fits = await _harness.RunAsync($"plan 127.0.0.1:9 -c 100 {fleet.Options}");
        var tooMany = await _harness.RunAsync($"plan 127.0.0.1:9 -c 90M {fleet.Options}");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(fits, Is.EqualTo(ExitCode.Passed), _harness.Error);
            Assert.That(tooMany, Is.EqualTo(ExitCode.DoesNotFit), _harness.Error);
            Assert.That(_harness.Out, Does.Contain("fits         yes: 100 connections").And.Contain(" of 90,000,000 connections; "));
            Assert.That(fleet.Host.Runs.All, Is.Empty);
            Assert.That(fleet.Host.Agents.Find("a")!.IsIdle, Is.True);
        }
    }

    [Test]
    public async Task Plan_OfAFleetWithoutAgents_SaysSo()
    {
        await using var fleet = await RemoteFixture.StartAsync();
        Assert.That(await _harness.RunAsync($"plan 127.0.0.1:9 -c 100 {fleet.Options}"), Is.EqualTo(ExitCode.DoesNotFit));
        Assert.That(_harness.Error, Does.Contain("no agent is attached").And.Contain("--sources-per-agent"));
    }
}
