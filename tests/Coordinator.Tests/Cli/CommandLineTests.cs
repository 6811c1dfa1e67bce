using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Tests.Cli;

public class CommandLineTests
{
    private CliHarness _harness = null!;

    [SetUp]
    public void SetUp() => _harness = new CliHarness();

    [TearDown]
    public void TearDown() => _harness.Dispose();

    [Test]
    public async Task RunAsync_NoArguments_PrintsFourLinesThatFit()
    {
        Assert.That(await _harness.RunAsync(""), Is.EqualTo(ExitCode.Passed));
        var lines = _harness.Out.TrimEnd().Split('\n');
        Assert.That(lines, Has.Length.EqualTo(4));
        Assert.That(lines, Has.All.Length.LessThanOrEqualTo(80));
        Assert.That(lines, Has.All.Contains("loadharness "));
    }

    [TestCase("")]
    [TestCase("demo")]
    [TestCase("plan")]
    [TestCase("run")]
    [TestCase("runs")]
    [TestCase("runs list")]
    [TestCase("runs show")]
    [TestCase("runs watch")]
    [TestCase("runs scale")]
    [TestCase("runs stop")]
    [TestCase("agents")]
    [TestCase("agents list")]
    [TestCase("agents forget")]
    [TestCase("serve")]
    [TestCase("certs")]
    [TestCase("certs init")]
    [TestCase("certs issue")]
    [TestCase("certs issue server")]
    [TestCase("certs issue agent")]
    [TestCase("certs list")]
    [TestCase("tokens")]
    [TestCase("tokens create")]
    [TestCase("tokens list")]
    [TestCase("tokens revoke")]
    public async Task RunAsync_Help_HasAnExampleThatParses(string verb)
    {
        Assert.That(await _harness.RunAsync($"{verb} --help"), Is.EqualTo(ExitCode.Passed));
        Assert.That(_harness.Error, Is.Empty);
        var example = _harness.Out[_harness.Out.IndexOf("Examples:", StringComparison.Ordinal)..].Split('\n')[1].Trim();
        Assert.That(example, Does.StartWith($"loadharness {verb}".Trim()));
    }

    [Test]
    public async Task RunAsync_SeveralErrors_ReportsAllOfThemAndNoHelp()
    {
        var code = await _harness.RunAsync("run 10.0.0.5:70000 -c -5 --ramp 5 --rate 5X/s --frobnicate --sources nowhere --hold");
        Assert.That(code, Is.EqualTo(ExitCode.Invalid));
        Assert.That(_harness.Out, Is.Empty);
        foreach (var part in new[]
        {
            "--frobnicate: is no option", "--hold: has no value", "--target 10.0.0.5:70000", "--connections -5", "--ramp 5: has no unit",
            "--connect-rate 5X/s", "--sources nowhere",
        })
        {
            Assert.That(_harness.ErrorLines.Count(l => l.Contains(part, StringComparison.Ordinal)), Is.EqualTo(1), part + "\n" + _harness.Error);
        }

        Assert.That(_harness.ErrorLines[^1], Is.EqualTo("See 'loadharness run --help'."));
    }

    [TestCase("run 127.0.0.1:80 -c 5X", "--connections 5X")]
    [TestCase("run 127.0.0.1:0 -c 5", "port 0")]
    [TestCase("run -c 5", "--target: is missing")]
    [TestCase("run 127.0.0.1:80", "--connections: is missing")]
    [TestCase("run 127.0.0.1:80 -c", "--connections: has no value")]
    [TestCase("run 127.0.0.1:80 -c 5 -c 6", "--connections 5 and 6: is given more than once")]
    [TestCase("run 127.0.0.1:80 -c 5 127.0.0.1:81", "127.0.0.1:81: is one argument too many")]
    [TestCase("run 127.0.0.1:80 --conections 5 -c 5", "Perhaps --connections was meant")]
    [TestCase("demo -c 0", "--connections 0")]
    [TestCase("demo --hold never", "--hold never")]
    [TestCase("runs scale", "GOAL: is missing")]
    [TestCase("runs scale -5", "GOAL -5: is negative")]
    [TestCase("runs scale 200M", "GOAL 200M: is too large")]
    [TestCase("runs scale 5k --over soon", "--over soon")]
    [TestCase("runs", "Allowed: list, show, watch, report, sockets, scale, reconnect, stop")]
    [TestCase("runs wach", "Perhaps 'loadharness runs watch' was meant")]
    [TestCase("rum", "Perhaps 'loadharness run' was meant")]
    [TestCase("frobnicate", "allowed: demo, plan, check, run, runs")]
    public async Task RunAsync_OneError_NamesItAndExitsWithUsage(string line, string expected)
    {
        Assert.That(await _harness.RunAsync(line), Is.EqualTo(ExitCode.Invalid));
        Assert.That(_harness.ErrorLines, Has.Length.EqualTo(2), _harness.Error);
        Assert.That(_harness.ErrorLines[0], Does.Contain(expected));
        Assert.That(_harness.Out, Is.Empty);
    }

    [TestCase("runs list")]
    [TestCase("runs list --json")]
    [TestCase("runs show")]
    [TestCase("runs watch abc")]
    [TestCase("runs scale 5k")]
    [TestCase("runs stop --now")]
    [TestCase("agents list")]
    public async Task RunAsync_NothingGoesOn_SaysSoInOneLine(string line)
    {
        Assert.That(await _harness.RunAsync(line), Is.EqualTo(ExitCode.Unreachable));
        Assert.That(_harness.ErrorLines, Has.Length.EqualTo(1));
        Assert.That(_harness.Error, Does.Contain("no run is going on here"));
        Assert.That(_harness.Out, Is.Empty);
    }

    [Test]
    public async Task RunAsync_UnexpectedException_ShowsNoStackTrace()
    {
        Environment.SetEnvironmentVariable("LOADHARNESS_AGENT", "/bin/true");
        try
        {
            Assert.That(await _harness.RunAsync("run 127.0.0.1:9 -c 1"), Is.EqualTo(ExitCode.Internal));
        }
        finally
        {
            Environment.SetEnvironmentVariable("LOADHARNESS_AGENT", null);
        }

        Assert.That(_harness.ErrorLines, Has.Length.EqualTo(1));
        Assert.That(_harness.Error, Does.Contain("this test starts no coordinator").And.Not.Contain("   at "));
        Assert.That(Directory.GetDirectories(_harness.Context.RuntimeRoot.Path), Is.Empty, "a failed start leaves no directory behind");
    }
}
