using System.Runtime.InteropServices;

namespace LoadHarness.TestKit.Processes;

/// <summary>The programs under test, as the build left them.</summary>
public static class Programs
{
    /// <summary>The checkout.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The coordinator, in the configuration of the tests.</summary>
    public static string LoadHarness => Built("Coordinator", "loadharness");

    /// <summary>The agent that the runtime compiles while it runs.</summary>
    public static string JitAgent => Built("Agent", "loadharness-agent");

    /// <summary>The agent as it is published: native code.</summary>
    public static string AotAgent => Existing(Path.Combine(Root, "artifacts", "agent-aot", "loadharness-agent"), "run tests/run.sh, which publishes it");

    /// <summary>Where the runtime of the tests is installed: what DOTNET_ROOT must say for programs with a launcher.</summary>
    public static string DotnetRoot { get; } = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    private static string Built(string project, string program) => Existing(
        Path.Combine(Root, "src", project, "bin", Configuration, "net10.0", program), $"build {project} in configuration {Configuration}");

    /// <summary>Tests lie in bin/CONFIGURATION/FRAMEWORK/.</summary>
    private static string Configuration => new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name;

    private static string Existing(string path, string remedy) =>
        File.Exists(path) ? path : throw new FileNotFoundException($"there is no {path}; {remedy}");

    private static string FindRoot()
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "LoadHarness.sln")))
                return directory.FullName;
        }

        throw new DirectoryNotFoundException($"no directory above {AppContext.BaseDirectory} holds LoadHarness.sln");
    }
}
