using System.Collections.Immutable;
using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Ends a verb: what to tell its user, and the exit code.</summary>
public sealed class CliException : Exception
{
    /// <summary>One message.</summary>
    public CliException(ExitCode exitCode, string message, Exception? inner = null)
        : base(message, inner) => (ExitCode, Messages) = (exitCode, [message]);

    /// <summary>Several at once.</summary>
    public CliException(ExitCode exitCode, IEnumerable<string> messages)
        : base(string.Join(Environment.NewLine, messages)) => (ExitCode, Messages) = (exitCode, [.. messages]);

    /// <summary>The coordinator did not answer; a little later it may.</summary>
    public bool MayPass { get; init; }

    /// <summary>What the process ends with.</summary>
    public ExitCode ExitCode { get; }

    /// <summary>One line each: what happened, to what, what is allowed, what to do.</summary>
    public ImmutableArray<string> Messages { get; }
}
