using LoadHarness.EndToEnd.Tests.Benches;
using LoadHarness.TestKit.Networks;
using LoadHarness.TestKit.Processes;

namespace LoadHarness.EndToEnd.Tests.Docs;

/// <summary>A shell on an empty host, to type the README's lines into: programs on the PATH, an empty home, an empty /var/lib.</summary>
internal sealed class ReadmeShell
{
    private readonly ProgramProcess _shell;
    private int _typed;

    private ReadmeShell(ProgramProcess shell) => _shell = shell;

    /// <summary>The README.</summary>
    public static string[] Lines { get; } = File.ReadAllLines(Path.Combine(Programs.Root, "README.md"));

    /// <summary>Where a shell finds programs that a test makes up.</summary>
    public static string BinOf(ProgramGroup programs) => Directory.CreateDirectory(Path.Combine(programs.Directory, "bin")).FullName;

    /// <summary>Starts one; its home is a directory of that name among the programs'.</summary>
    public static ReadmeShell Start(ProgramGroup programs, NetworkNamespace host, string name)
    {
        var home = Directory.CreateDirectory(Path.Combine(programs.Directory, name)).FullName;
        var path = $"{BinOf(programs)}:{Path.GetDirectoryName(Programs.LoadHarness)}:{Path.GetDirectoryName(Programs.AotAgent)}:{Environment.GetEnvironmentVariable("PATH")}";
        return new(programs.Start(new ProgramStart(
                "ip", "netns", "exec", host.Name, "sh", "-c", "mount -t tmpfs tmpfs /var/lib && cd \"$HOME\" && exec bash")
            .With("HOME", home).With("XDG_RUNTIME_DIR", home).With("PATH", path).With("DOTNET_ROOT", Programs.DotnetRoot)));
    }

    /// <summary>Types a command, of one line or several, and waits for its end, which is to be 0.</summary>
    /// <returns>What was written meanwhile.</returns>
    public async Task<string> TypeAsync(params IEnumerable<string> lines)
    {
        var before = _shell.Log.Everything.Length;
        foreach (var line in lines)
            await _shell.TypeAsync(line);
        var number = ++_typed;
        await _shell.TypeAsync($"echo typed {number} and $?");
        await _shell.WaitForLineAsync($"^typed {number} and 0", Bench.Patience);
        return _shell.Log.Everything[before..];
    }
}
