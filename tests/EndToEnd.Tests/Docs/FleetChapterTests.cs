using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Docs;

/// <summary>The README's chapter on fleets, typed line by line into two shells on two empty hosts.</summary>
public sealed class FleetChapterTests
{
    private static readonly string[] _prompts = ["coordinator", "agent"];

    private ProgramGroup _programs = null!;
    private Lan _lan = null!;

    [SetUp]
    public void MakeHosts() => (_programs, _lan) = (new(), Lan.Create());

    [TearDown]
    public async Task RemoveHosts()
    {
        if (TestContext.CurrentContext.Result.Outcome.Status == NUnit.Framework.Interfaces.TestStatus.Failed)
            await TestContext.Out.WriteLineAsync(_programs.Describe());
        await _programs.DisposeAsync();
        _lan.Dispose();
    }

    [Test]
    public async Task Chapter_TypedOnTwoEmptyHosts_EndsWithAReport()
    {
        var lines = ReadmeShell.Lines
            .Select(l => l.Trim().Split("$ ", 2)).Where(l => l.Length == 2 && _prompts.Contains(l[0])).ToList();
        Assert.That(lines, Has.Count.InRange(5, 9), "under ten commands");
        var service = _lan.AddHost("10.0.0.9/24");
        _programs.Start(new ProgramStart(Programs.AotAgent, "backend", "--listen", "10.0.0.9:443") { Namespace = service });
        await ListeningAsync(service, 443);
        var coordinator = _lan.AddHost("10.0.0.1/24");
        MakeScp();
        var hosts = new Dictionary<string, ReadmeShell>
        {
            ["coordinator"] = ReadmeShell.Start(_programs, coordinator, "coordinator"),
            ["agent"] = ReadmeShell.Start(_programs, _lan.AddHost("10.0.0.2/24"), "agent"),
        };

        var written = "";
        foreach (var line in lines)
        {
            written += await hosts[line[0]].TypeAsync(line[1]);
            // Whoever types the next lines takes longer for them.
            if (line[1].StartsWith("loadharness serve", StringComparison.Ordinal))
                await ListeningAsync(coordinator, 7443);
        }

        Assert.That(written, Does.Contain("REACHED").And.Contain("20,000 ESTABLISHED, agrees").And.Contain("PASSED"));
        Assert.That(new SocketStatistics(service).Lines("established", "( sport = :443 )"), Is.Empty, "the run has drained");
    }

    private Task ListeningAsync(NetworkNamespace host, int port) => Bench.EventuallyAsync(
        () => new SocketStatistics(host).Lines("listening", $"( sport = :{port} )").Length > 0, () => $"nobody listens on {port}:\n{_programs.Describe()}");

    // One that carries files from one shell's directory to the other's.
    private void MakeScp()
    {
        var scp = Path.Combine(ReadmeShell.BinOf(_programs), "scp");
        File.WriteAllText(scp, $"#!/bin/sh\nfor last; do :; done\nto={_programs.Directory}/${{last%:}}\nwhile [ $# -gt 1 ]; do cp -p \"$1\" \"$to\" || exit; shift; done\n");
        File.SetUnixFileMode(scp, UnixFileMode.UserRead | UnixFileMode.UserExecute);
    }
}
