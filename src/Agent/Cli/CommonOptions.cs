using System.CommandLine;

namespace LoadHarness.Agent.Cli;

/// <summary>Options that several verbs have.</summary>
internal static class CommonOptions
{
    /// <summary>For children of `loadharness`.</summary>
    public static Option<bool> ExitWithParent() => new("--exit-with-parent")
    {
        Description = "End when the parent process ends or closes standard input; SIGINT is then left to the parent",
    };
}
