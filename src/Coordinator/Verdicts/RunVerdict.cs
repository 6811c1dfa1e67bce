using LoadHarness.Coordinator.Aggregation;

namespace LoadHarness.Coordinator.Verdicts;

/// <summary>Judges a finished run.</summary>
public static class RunVerdict
{
    /// <summary>Passed means: the goal was reached, nothing took it away again, and the run ended as planned.</summary>
    /// <param name="summary">Without a verdict.</param>
    /// <param name="ending">How the run ended.</param>
    /// <returns>The same summary with its verdict and exit code.</returns>
    public static RunSummary Judge(RunSummary summary, RunEnding ending)
    {
        var code = CodeOf(summary, ending);
        return summary with { Verdict = new VerdictFacts(code == ExitCode.Passed, []), ExitCode = (int)code };
    }

    private static ExitCode CodeOf(RunSummary summary, RunEnding ending)
    {
        if (ending is RunEnding.Stopped or RunEnding.Interrupted)
            return ExitCode.Interrupted;
        if (ending == RunEnding.Invalid)
            return ExitCode.Invalid;
        if (ending == RunEnding.DoesNotFit)
            return ExitCode.DoesNotFit;
        // A run that was scaled has several holds; what counts is that the last one still stood when the drain began.
        var goal = summary.Run.Stages.LastOrDefault(s => s.Name == StageSpan.Hold)?.To ?? summary.Target.Connections;
        var stood = summary.Result.Reached && (summary.Result.HeldEstablishedEnd ?? goal) >= goal;
        if (ending == RunEnding.AgentsLost || (summary.Agents.Any(a => a.Lost) && !stood))
            return ExitCode.AgentsLost;
        if (!summary.Result.Reached)
            return ending == RunEnding.Internal ? ExitCode.Internal : ExitCode.GoalMissed;
        return ending == RunEnding.Completed ? ExitCode.Passed : ExitCode.Internal;
    }
}
