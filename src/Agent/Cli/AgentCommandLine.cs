using System.CommandLine;

namespace LoadHarness.Agent.Cli;

/// <summary>The command line of `loadharness-agent`.</summary>
internal static class AgentCommandLine
{
    /// <summary>Parses, runs the verb, returns the exit code.</summary>
    /// <param name="args">As the process got them.</param>
    /// <param name="parent">Process id of the parent when this process began.</param>
    public static int Run(string[] args, int parent)
    {
        var root = new RootCommand("Opens or accepts connections for LoadHarness. Usually started by loadharness itself.")
        {
            JoinVerb.Create(parent),
            BackendVerb.Create(parent),
            CheckVerb.Create(),
        };
        root.Directives.Clear();
        if (args.Length == 0)
        {
            root.Parse("--help").Invoke();
            return ExitCode.Usage;
        }

        // An argument that begins with @ is that argument, not a file to read more from.
        var parsed = root.Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        if (parsed.Errors.Count > 0)
            return Fail(parsed.Errors.Select(e => e.Message));
        return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
    }

    /// <summary>Prints every error on a line of its own.</summary>
    /// <returns>The exit code for wrong usage.</returns>
    public static int Fail(IEnumerable<string> errors)
    {
        foreach (var error in errors)
            Console.Error.WriteLine($"loadharness-agent: {error}");
        return ExitCode.Usage;
    }
}
