using LoadHarness.Coordinator.Cli;
using LoadHarness.Coordinator.LocalFleet;
using LoadHarness.Coordinator.Specs;
using LoadHarness.Coordinator.Tests.LocalFleet;
using LoadHarness.Coordinator.Tests.Reports;
using LoadHarness.Coordinator.Verdicts;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.Coordinator.Tests.Cli;

/// <summary>What becomes of the file that <c>--hlog</c> names, with a real coordinator whose run has no agents.</summary>
[NonParallelizable]
public sealed class LatencyFileTests
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(120);

    private CliHarness _harness = null!;
    private TemporaryDirectory _temporary = null!;

    [SetUp]
    public void SetUp()
    {
        _temporary = new TemporaryDirectory();
        _harness = new CliHarness(InProcessCoordinator.StartAsync);
        Environment.SetEnvironmentVariable(AgentProgram.Variable, "/bin/false");
    }

    [TearDown]
    public void TearDown()
    {
        Environment.SetEnvironmentVariable(AgentProgram.Variable, null);
        _harness.Dispose();
        _temporary.Dispose();
    }

    [Test]
    public async Task Run_ThatFails_WritesTheFileBesideTheReport()
    {
        var file = _temporary.File("run.hlog");

        var code = await RunAsync(file);

        Assert.Multiple(() =>
        {
            Assert.That(code, Is.EqualTo(ExitCode.AgentsLost), _harness.Error);
            Assert.That(_harness.ErrorLines, Has.Some.EqualTo($"latencies: {file}"));
            Assert.That(File.ReadAllText(file), Does.StartWith("#[Latencies of LoadHarness run ").And.Contain("version 1.3]"));
            Assert.That(LatencyLogTextTests.Read([File.ReadAllText(file)]), Is.Empty, "nothing was connected");
        });
    }

    [Test]
    public async Task Run_FileExists_IsRefusedAtOnceAndLeavesItAlone()
    {
        var file = _temporary.File("run.hlog");
        File.WriteAllText(file, "precious");

        Assert.That(await RunAsync(file), Is.EqualTo(ExitCode.Invalid));
        Assert.That(_harness.ErrorLines[0], Does.Contain($"--hlog {file}: exists already"));
        Assert.That(File.ReadAllText(file), Is.EqualTo("precious"));
        Assert.That(_harness.Out, Is.Empty);
    }

    [TestCase("no/such/run.hlog", "directory that does not exist")]
    [TestCase(".", "exists already")]
    public async Task Run_FileThatCannotBe_IsRefusedWithEveryOtherError(string name, string expected)
    {
        Assert.That(await _harness.RunAsync($"run 127.0.0.1:9 -c none --hlog {_temporary.File(name)}"), Is.EqualTo(ExitCode.Invalid));
        Assert.That(_harness.Error, Does.Contain(expected).And.Contain("--connections none"));
    }

    [Test]
    public async Task Run_FileThatMayNotBeMade_IsRefusedBeforeAnythingStarts()
    {
        // Nobody, root included, makes files there.
        Assert.That(await RunAsync("/proc/run.hlog"), Is.EqualTo(ExitCode.Invalid));
        Assert.That(_harness.ErrorLines.Single(), Does.StartWith("loadharness: --hlog /proc/run.hlog: it cannot be made: ").And.EndWith("Name another file"));
    }

    [Test]
    public async Task Run_Detached_SaysHowToHaveItLater()
    {
        Assert.That(
            await _harness.RunAsync($"run 127.0.0.1:9 -c 1 --detach --coordinator https://127.0.0.1:1 --hlog {_temporary.File("run.hlog")}"),
            Is.EqualTo(ExitCode.Invalid));
        Assert.That(_harness.Error, Does.Contain("runs report --hlog FILE"));
        Assert.That(File.Exists(_temporary.File("run.hlog")), Is.False);
    }

    [Test]
    public async Task Run_DeviceIsFull_ReportsAllTheSameAndSavesTheLatenciesElsewhere()
    {
        var full = _temporary.File("full");
        Directory.CreateDirectory(full);
        Command.Run("mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", full);
        var saved = "";
        try
        {
            Fill(Path.Combine(full, "ballast"));

            var code = await RunAsync(Path.Combine(full, "run.hlog"));

            saved = _harness.ErrorLines.Single(l => l.StartsWith("latencies: ", StringComparison.Ordinal)).Split(' ', ',')[1];
            Assert.Multiple(() =>
            {
                Assert.That(code, Is.EqualTo(ExitCode.AgentsLost), "which outranks it");
                Assert.That(_harness.Out, Does.Contain("goal").IgnoreCase, "the report");
                Assert.That(_harness.Error, Does.Contain("run.hlog: the latencies cannot be written: No space left on device"));
                Assert.That(File.ReadAllText(saved), Does.StartWith("#[Latencies of LoadHarness run "));
                Assert.That(Directory.GetFiles(full).Select(Path.GetFileName), Is.EqualTo(new[] { "ballast" }), "no half of a file");
            });
        }
        finally
        {
            Command.Run("umount", full);
            if (saved.Length > 0)
                File.Delete(saved);
        }
    }

    [Test]
    public async Task Report_WithAFile_WritesBothAndASecondTimeRefuses()
    {
        using var directory = RunDirectory.Create(_harness.Context.RuntimeRoot, DateTimeOffset.UtcNow);
        await using var coordinator = await InProcessCoordinator.StartAsync(directory.Paths, CancellationToken.None);
        using var client = ControlClient.For(directory.Paths);
        var spec = RunSpecValidator.Validate(new RunSpecInput { Targets = ["127.0.0.1:9000"], Connections = 500, Agents = 1 }, HostNames.Resolve).Spec!;
        await client.CreateRunAsync(spec, "", CancellationToken.None);
        var file = _temporary.File("run.hlog");

        Assert.That(await _harness.RunAsync($"runs report --hlog {file}"), Is.EqualTo(ExitCode.Passed), _harness.Error);
        Assert.That(await _harness.RunAsync($"runs report --hlog {file}"), Is.EqualTo(ExitCode.Invalid));

        Assert.That(_harness.Out, Does.Contain("pending").IgnoreCase);
        Assert.That(File.ReadAllText(file), Does.StartWith("#[Latencies of LoadHarness run "));
    }

    private static void Fill(string file)
    {
        using var ballast = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        Assert.That(
            () =>
            {
                while (true)
                    ballast.Write(new byte[4096]);
            },
            Throws.InstanceOf<IOException>());
    }

    private Task<ExitCode> RunAsync(string file) => _harness.RunAsync($"run 127.0.0.1:9 -c 10 --hlog {file}").WaitAsync(_patience);
}
