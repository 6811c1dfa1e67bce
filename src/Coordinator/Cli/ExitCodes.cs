using LoadHarness.Coordinator.Verdicts;

namespace LoadHarness.Coordinator.Cli;

/// <summary>Which exit code counts when several apply.</summary>
public static class ExitCodes
{
    /// <summary>Highest rank first.</summary>
    public static readonly IReadOnlyList<ExitCode> ByRank =
    [
        ExitCode.Interrupted, ExitCode.Invalid, ExitCode.DoesNotFit, ExitCode.Unreachable, ExitCode.AgentsLost,
        ExitCode.GoalMissed, ExitCode.ThresholdFailed, ExitCode.Internal, ExitCode.Passed,
    ];

    /// <summary>The one that counts when both apply.</summary>
    public static ExitCode First(ExitCode one, ExitCode other) => ByRank.First(code => code == one || code == other);

    /// <summary>A number from a summary; a number that is none of ours is an internal error.</summary>
    public static ExitCode Of(int number) => Enum.IsDefined((ExitCode)number) ? (ExitCode)number : ExitCode.Internal;
}
