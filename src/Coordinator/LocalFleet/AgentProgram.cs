using System.Collections.Immutable;
using System.Runtime.InteropServices;

namespace LoadHarness.Coordinator.LocalFleet;

/// <summary>How to start the agent program.</summary>
/// <param name="FileName">The file to execute.</param>
/// <param name="LeadingArguments">What comes before the agent's own arguments: nothing, or the library for <c>dotnet</c>.</param>
/// <param name="DotnetRoot">What DOTNET_ROOT must say when the user has not set it; null for a native program.</param>
public sealed record AgentProgram(string FileName, ImmutableArray<string> LeadingArguments, string? DotnetRoot)
{
    /// <summary>Names the program for this process and its children.</summary>
    public const string Variable = "LOADHARNESS_AGENT";

    /// <summary>The file's name.</summary>
    public const string Name = "loadharness-agent";

    /// <summary>Finds the program: the variable, else beside this program, else where the build puts it.</summary>
    /// <exception cref="LocalFleetException">It is nowhere, or not a program.</exception>
    public static AgentProgram Locate() => Locate(Environment.GetEnvironmentVariable(Variable), AppContext.BaseDirectory);

    /// <summary>Finds the program.</summary>
    /// <param name="named">The variable's value; null or empty when it is not set. It must be right when it is.</param>
    /// <param name="baseDirectory">Where this program lies.</param>
    /// <exception cref="LocalFleetException">It is nowhere, or not a program.</exception>
    public static AgentProgram Locate(string? named, string baseDirectory)
    {
        if (!string.IsNullOrEmpty(named))
        {
            return File.Exists(named)
                ? Of(Path.GetFullPath(named))
                : throw new LocalFleetException($"{Variable} says {named}, and there is no such file; set it to the path of {Name}");
        }

        string[] places = [Path.Combine(baseDirectory, Name), Path.Combine(baseDirectory, "agent", Name)];
        return places.FirstOrDefault(File.Exists) is { } found
            ? Of(found)
            : throw new LocalFleetException(
                $"{Name} is neither {string.Join(" nor ", places)}; build src/Coordinator, or set {Variable} to its path");
    }

    private static AgentProgram Of(string path)
    {
        if (path.EndsWith(".dll", StringComparison.Ordinal))
            return new(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [path], null);
        const UnixFileMode execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        if ((File.GetUnixFileMode(path) & execute) == 0)
            throw new LocalFleetException($"{path} is not executable; chmod +x it, or set {Variable} to another {Name}");
        return new(path, [], File.Exists($"{path}.runtimeconfig.json") ? RunningDotnetRoot : null);
    }

    /// <summary>The installation whose runtime runs us, three levels above shared/Microsoft.NETCore.App/VERSION/.</summary>
    private static string RunningDotnetRoot =>
        Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));
}
