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
        var lines = File.ReadAllLines(Path.Combine(Programs.Root, "README.md"))
            .Select(l => l.Trim().Split("$ ", 2)).Where(l => l.Length == 2 && _prompts.Contains(l[0])).ToList();
        Assert.That(lines, Has.Count.InRange(5, 9), "under ten commands");
        var service = _lan.AddHost("10.0.0.9/24");
        _programs.Start(new ProgramStart(Programs.AotAgent, "backend", "--listen", "10.0.0.9:443") { Namespace = service });
        await ListeningAsync(service, 443);
        var coordinator = _lan.AddHost("10.0.0.1/24");
        var hosts = new Dictionary<string, ProgramProcess>
        {
            ["coordinator"] = Shell("coordinator", coordinator),
            ["agent"] = Shell("agent", _lan.AddHost("10.0.0.2/24")),
        };

        for (var i = 0; i < lines.Count; i++)
        {
            var shell = hosts[lines[i][0]];
            await shell.TypeAsync(lines[i][1]);
            await shell.TypeAsync($"echo typed {i} and $?");
            await shell.WaitForLineAsync($"^typed {i} and 0", Bench.Patience);
            // Whoever types the next lines takes longer for them.
            if (lines[i][1].StartsWith("loadharness serve", StringComparison.Ordinal))
                await ListeningAsync(coordinator, 7443);
        }

        var text = hosts["coordinator"].Log.Everything;
        Assert.That(text, Does.Contain("REACHED").And.Contain("20,000 ESTABLISHED, agrees").And.Contain("PASSED"));
        Assert.That(new SocketStatistics(service).Lines("established", "( sport = :443 )"), Is.Empty, "the run has drained");
    }

    private Task ListeningAsync(NetworkNamespace host, int port) => Bench.EventuallyAsync(
        () => new SocketStatistics(host).Lines("listening", $"( sport = :{port} )").Length > 0, () => $"nobody listens on {port}:\n{_programs.Describe()}");

    // Programs on the PATH, an empty /var/lib, and an scp that carries files from one shell's directory to the other's.
    private ProgramProcess Shell(string name, NetworkNamespace host)
    {
        var home = Directory.CreateDirectory(Path.Combine(_programs.Directory, name)).FullName;
        var bin = Directory.CreateDirectory(Path.Combine(_programs.Directory, "bin")).FullName;
        var scp = Path.Combine(bin, "scp");
        File.WriteAllText(scp, $"#!/bin/sh\nfor last; do :; done\nto={_programs.Directory}/${{last%:}}\nwhile [ $# -gt 1 ]; do cp -p \"$1\" \"$to\" || exit; shift; done\n");
        File.SetUnixFileMode(scp, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var path = $"{bin}:{Path.GetDirectoryName(Programs.LoadHarness)}:{Path.GetDirectoryName(Programs.AotAgent)}:{Environment.GetEnvironmentVariable("PATH")}";
        return _programs.Start(new ProgramStart(
                "ip", "netns", "exec", host.Name, "sh", "-c", "mount -t tmpfs tmpfs /var/lib && cd \"$HOME\" && exec bash")
            .With("HOME", home).With("XDG_RUNTIME_DIR", home).With("PATH", path).With("DOTNET_ROOT", Programs.DotnetRoot));
    }
}
