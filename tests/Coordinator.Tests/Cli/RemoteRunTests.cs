using System.Text.Json.Nodes;
using LoadHarness.Coordinator.Runs;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Cli;

/// <summary>Runs of a fleet from the command line, over TLS and on real time, with agents that open nothing.</summary>
public sealed class RemoteRunTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private RemoteFixture _fixture = null!;
    private CliHarness _cli = null!;

    [SetUp]
    public async Task SetUp()
    {
        _fixture = await RemoteFixture.StartAsync();
        _cli = new CliHarness();
    }

    [TearDown]
    public async Task TearDown()
    {
        _cli.Dispose();
        await _fixture.DisposeAsync();
    }

    [Test]
    public async Task Run_ToItsEnd_PlansWatchesAndReportsAsLocally()
    {
        await _fixture.AttachAsync("a");
        await _fixture.AttachAsync("b");

        var code = await RunAsync("--ramp 1s --hold 5s");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(code, Is.EqualTo(ExitCode.Passed), _cli.Error);
            Assert.That(_cli.Error, Does.Contain($"run {Run.RunId} of {_fixture.Url}").And.Contain("100 connections"));
            Assert.That(_cli.Out, Does.Contain("PASSED").IgnoreCase);
            Assert.That(Run.Snapshot.Value.Spec.Agents, Is.Null, "it takes those that are there");
        }
    }

    [Test]
    public async Task Run_NobodyIsThere_DoesNotStartAgentsOfItsOwn()
    {
        Assert.That(await RunAsync("--ramp 1s --hold 2s --ready-timeout 1s"), Is.Not.EqualTo(ExitCode.Passed));
        Assert.That(_cli.Error, Does.Contain("agent"));
    }

    [Test]
    public async Task Run_InterruptedOnce_DrainsAndStillReports()
    {
        await _fixture.AttachAsync("a");
        var running = RunAsync("--ramp 1s --hold 5m --json");
        await UntilAsync(() => State == RunState.Holding);

        _cli.Interrupts.Raise();

        Assert.That(await running.WaitAsync(_patience), Is.EqualTo(ExitCode.Interrupted), _cli.Error);
        Assert.That((string?)JsonNode.Parse(_cli.Out)!["run"]!["state"], Is.EqualTo("stopped"));
        Assert.That(State, Is.EqualTo(RunState.Stopped));
    }

    [Test]
    public async Task Run_InterruptedTwice_EndsAtOnce()
    {
        var agent = await _fixture.AttachAsync("a");
        // Else the drain might be over before the second interruption.
        agent.Respond = a => a.Phase == V1.Phase.Drained && a.DrainTimeout.ToTimeSpan() > TimeSpan.Zero ? null : Fleet.FakeAgent.Obey(a);
        var running = RunAsync("--ramp 1s --hold 5m");
        await UntilAsync(() => State == RunState.Holding);

        _cli.Interrupts.Raise();
        _cli.Interrupts.Raise();

        Assert.That(await running.WaitAsync(_patience), Is.EqualTo(ExitCode.Interrupted), _cli.Error);
        Assert.That(agent.Assignments[^1].DrainTimeout.ToTimeSpan(), Is.EqualTo(TimeSpan.Zero));
    }

    [Test]
    public async Task Run_LosesItsTerminal_LeavesTheRunGoingAndSaysHowToWatch()
    {
        await _fixture.AttachAsync("a");
        var running = RunAsync("--ramp 1s --hold 5m");
        await UntilAsync(() => State == RunState.Holding);

        _cli.Interrupts.RaiseHangUp();

        Assert.That(await running.WaitAsync(_patience), Is.EqualTo(ExitCode.Interrupted));
        var command = $"loadharness runs watch {Run.RunId} {_fixture.Options}";
        Assert.That(_cli.ErrorLines[^1], Does.Contain("terminal is lost").And.EndWith(command));
        Assert.That(File.ReadAllText(Path.Combine(_cli.Context.RuntimeRoot.Path, "detached.log")), Does.Contain(command));
        Assert.That(State, Is.EqualTo(RunState.Holding));
    }

    [Test]
    public async Task Run_Detached_PrintsItsIdOncePlannedAndGoesOn()
    {
        await _fixture.AttachAsync("a");

        Assert.That(await RunAsync("--ramp 1s --hold 5m --detach"), Is.EqualTo(ExitCode.Passed), _cli.Error);

        Assert.That(_cli.Out.Trim(), Is.EqualTo(Run.RunId));
        Assert.That(_cli.ErrorLines[^1], Does.EndWith($"loadharness runs watch {Run.RunId} {_fixture.Options}"));
        Assert.That(Run.Snapshot.Value.Plan, Is.Not.Null);
        await UntilAsync(() => State == RunState.Holding);
    }

    [Test]
    public async Task Run_DetachedAsJson_IsOneObject()
    {
        await _fixture.AttachAsync("a");

        await RunAsync("--ramp 1s --hold 5m --detach --json");

        var json = JsonNode.Parse(_cli.Out)!;
        Assert.That((string?)json["id"], Is.EqualTo(Run.RunId));
        Assert.That((string?)json["coordinator"], Is.EqualTo(_fixture.Url));
        Assert.That((string?)json["watch"], Does.StartWith("loadharness runs watch"));
    }

    [Test]
    public async Task Run_DetachedButDoesNotFit_FailsAsItWouldHere()
    {
        await _fixture.AttachAsync("a");

        Assert.That(
            await _cli.RunAsync($"run 127.0.0.1:9 -c 90M --detach {_fixture.Options}"), Is.EqualTo(ExitCode.DoesNotFit), _cli.Error);
        Assert.That(_cli.Out, Is.Empty);
    }

    [Test]
    public async Task Run_DetachedWithoutACoordinator_IsInvalid()
    {
        Assert.That(await _cli.RunAsync("run 127.0.0.1:9 -c 5 --detach"), Is.EqualTo(ExitCode.Invalid));
        Assert.That(_cli.Error, Does.Contain("--detach").And.Contain("--coordinator URL"));
    }

    [Test]
    public async Task Watch_Interrupted_StopsOnlyTheWatching()
    {
        await _fixture.AttachAsync("a");
        await RunAsync("--ramp 1s --hold 5m --detach");
        using var watcher = new CliHarness();
        var watching = watcher.RunAsync($"runs watch {_fixture.Options}");
        await UntilAsync(() => watcher.Error.Contains("100", StringComparison.Ordinal));

        watcher.Interrupts.Raise();

        Assert.That(await watching.WaitAsync(_patience), Is.EqualTo(ExitCode.Interrupted));
        Assert.That(State!.Value.IsUnderLoad(), Is.True);
    }

    [Test]
    public async Task Watch_WayBreaksAndIsThereAgain_IsResumed()
    {
        await _fixture.AttachAsync("a");
        await RunAsync("--ramp 1s --hold 5m --detach");
        using var relay = new TcpRelay(_fixture.Port);
        using var watcher = new CliHarness();
        var watching = watcher.RunAsync($"runs watch {OptionsVia(relay)}");
        await UntilAsync(() => watcher.Error.Contains("100", StringComparison.Ordinal));

        relay.Cut();
        await UntilAsync(() => watcher.Error.Contains("trying again", StringComparison.Ordinal));
        relay.Restore();
        await UntilAsync(() => watcher.Error.Contains("answers again", StringComparison.Ordinal));
        Run.Stop(immediately: false);

        Assert.That(await watching.WaitAsync(_patience), Is.EqualTo(ExitCode.Interrupted), "as the report of a stopped run");
        Assert.That(watcher.Out, Does.Contain("stopped").IgnoreCase);
    }

    [Test]
    public async Task Watch_WayStaysBroken_GivesUpAndSaysHowToGoOn()
    {
        await _fixture.AttachAsync("a");
        await RunAsync("--ramp 1s --hold 5m --detach");
        using var relay = new TcpRelay(_fixture.Port);
        using var watcher = new CliHarness(patience: TimeSpan.FromSeconds(2));
        var watching = watcher.RunAsync($"runs watch {OptionsVia(relay)}");
        await UntilAsync(() => watcher.Error.Contains("100", StringComparison.Ordinal));

        relay.Cut();

        Assert.That(await watching.WaitAsync(_patience), Is.EqualTo(ExitCode.Unreachable));
        Assert.That(watcher.ErrorLines[^1], Does.Contain("the run goes on").And.EndWith($"loadharness runs watch {Run.RunId} {OptionsVia(relay)}"));
        Assert.That(State!.Value.IsUnderLoad(), Is.True);
    }

    [Test]
    public async Task Run_InterruptedWhileTheWayIsBroken_SaysThatItGoesOn()
    {
        await _fixture.AttachAsync("a");
        using var relay = new TcpRelay(_fixture.Port);
        using var cli = new CliHarness(patience: TimeSpan.FromSeconds(10));
        var running = cli.RunAsync($"run 127.0.0.1:9000-9009 -c 100 --ramp 1s --hold 5m {OptionsVia(relay)}");
        await UntilAsync(() => State == RunState.Holding);
        relay.Cut();
        await UntilAsync(() => cli.Error.Contains("trying again", StringComparison.Ordinal));

        cli.Interrupts.Raise();

        Assert.That(await running.WaitAsync(_patience), Is.EqualTo(ExitCode.Interrupted), cli.Error);
        Assert.That(cli.Error, Does.Contain($"end it later: loadharness runs stop {Run.RunId} "));
        Assert.That(State!.Value.IsUnderLoad(), Is.True);
    }

    [Test]
    public async Task Scale_RunThatIsNotUnderLoad_IsInvalid()
    {
        await _cli.RunAsync($"run 127.0.0.1:9 -c 100 --agents 1 --ready-timeout 1s --ramp 1s --hold 1s {_fixture.Options}");
        using var scaling = new CliHarness();

        Assert.That(await scaling.RunAsync($"runs scale 50 {_fixture.Options}"), Is.EqualTo(ExitCode.Invalid), scaling.Error);
    }

    [Test]
    public async Task Scale_RunThatWaitsForAgents_IsInvalid()
    {
        var running = _cli.RunAsync($"run 127.0.0.1:9 -c 100 --agents 1 {_fixture.Options}");
        await UntilAsync(() => !_fixture.Host.Runs.All.IsEmpty);
        using var scaling = new CliHarness();

        Assert.That(await scaling.RunAsync($"runs scale 50 {_fixture.Options}"), Is.EqualTo(ExitCode.Invalid), scaling.Error);

        Assert.That(scaling.ErrorLines.Single(), Does.Contain("is pending").And.Contain("ramping or holding"));
        _cli.Interrupts.Raise();
        await running.WaitAsync(_patience);
    }

    [Test]
    public async Task Show_RunOfAnEarlierLife_IsFoundByItsBeginningWithItsSummary()
    {
        await _fixture.AttachAsync("a");
        await RunAsync("--ramp 1s --hold 1s");
        var id = Run.RunId;
        await _fixture.Host.DisposeAsync();
        await _fixture.RestartAsync();
        using var later = new CliHarness();

        Assert.That(await later.RunAsync($"runs show {id[..^2]} --json {_fixture.Options}"), Is.EqualTo(ExitCode.Passed), later.Error);

        var json = JsonNode.Parse(later.Out)!;
        Assert.That((string?)json["id"], Is.EqualTo(id));
        Assert.That((string?)json["summary"]!["run"]!["state"], Is.EqualTo("completed"));
        using var list = new CliHarness();
        await list.RunAsync($"runs list --limit 1 {_fixture.Options}");
        Assert.That(list.Out, Does.Contain(id).And.Contain("completed"));
    }

    [Test]
    public async Task AgentsList_OfAFleet_FitsATerminal()
    {
        await _fixture.AttachAsync("a", h =>
        {
            h.Inventory.Findings.Add(new V1.Finding { Severity = V1.Finding.Types.Severity.Warning, Subject = "nofile", Message = "is low" });
            h.Inventory.Addresses.Add(new V1.HostAddress { Address = Google.Protobuf.ByteString.CopyFrom(10, 20, 30, 40), PrefixLength = 24 });
        });
        var away = await _fixture.AttachAsync("load-generator-with-a-long-name", h =>
        {
            h.Inventory.Hostname = "a-host-with-a-rather-long-name.in.some.domain.example";
            foreach (var label in new[] { "rack", "zone", "site", "owner" })
                h.Labels.Add(label, "of-some-length");
        });
        await _fixture.AttachAsync("worker");
        await _cli.RunAsync($"run 127.0.0.1:9 -c 5 --agents 1 --ramp 1s --hold 5m --detach {_fixture.Options}");
        var run = Run.RunId;
        await away.DisposeAsync();
        await UntilAsync(() => _fixture.Host.Agents.Find(away.Id)!.Session is null);
        using var list = new CliHarness();

        Assert.That(await list.RunAsync($"agents list {_fixture.Options}"), Is.EqualTo(ExitCode.Passed), list.Error);

        var lines = list.Out.TrimEnd().Split('\n');
        using (Assert.EnterMultipleScope())
        {
            Assert.That(lines.Select(l => l.Length), Is.All.LessThanOrEqualTo(80), list.Out);
            Assert.That(lines[0].Split("  ", StringSplitOptions.RemoveEmptyEntries).Select(h => h.Trim()),
                Is.EqualTo(["ID", "ROLE", "HOST", "LABELS", "CORES", "ADDRS", "VER", "STATE", "CHECKS"]));
            Assert.That(list.Out, Does.Contain($"run {run[..12]}").And.Contain("idle").And.Contain("away since "));
        }
    }

    private IRun Run => _fixture.Host.Runs.All[0];

    private RunState? State => _fixture.Host.Runs.All.IsEmpty ? null : Run.Snapshot.Value.State;

    private string OptionsVia(TcpRelay relay) => _fixture.Options.Replace($":{_fixture.Port} ", $":{relay.Port} ", StringComparison.Ordinal);

    private Task<ExitCode> RunAsync(string options) => _cli.RunAsync($"run 127.0.0.1:9000-9009 -c 100 {options} {_fixture.Options}");

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var waited = TimeSpan.Zero; !condition(); waited += TimeSpan.FromMilliseconds(25))
        {
            Assert.That(waited, Is.LessThan(_patience));
            await Task.Delay(TimeSpan.FromMilliseconds(25));
        }
    }
}
